"""Reader processes: what they may take, how they end, and what is said of it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from proxy.worker.reader_pool import ReaderKilledError, ReaderLimits, ReaderPool, ReadingError
from proxy.worker.reader_tasks import DATA, FAILURES, VERSION, ExportTask, LoadTask
from tests.support.worker_desk import shops
from tests.support.worker_processes import children, minds

SECONDS = 20

# What a process that only waits is sure to have, and a load of some megabytes to need more than.
LITTLE_MEMORY_MB = 136


@pytest.fixture
def pool() -> Iterator[ReaderPool]:
    with_default_limits = ReaderPool(ReaderLimits())
    yield with_default_limits
    with_default_limits.close()


def task(folder: Path, data: bytes | None = None, form: str = "csv") -> LoadTask:
    """A load of this data; without any its reader waits for ever."""
    if data is None:
        os.mkfifo(folder / DATA)
    else:
        (folder / DATA).write_bytes(data)
    return LoadTask(str(folder), form, 200_000, 300 << 20, None)


def lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    return False


async def eventually(pids: set[int]) -> None:
    """Returns when these processes have ended."""
    async with asyncio.timeout(SECONDS):
        while any(map(lives, pids)):  # noqa: ASYNC110 - it is the system that changes
            await asyncio.sleep(0.02)


def read(pool: ReaderPool, work: LoadTask | ExportTask) -> tuple[dict[str, object] | None, list[tuple[int, int]]]:
    """What a task gives, and the counts that it told."""
    told: list[tuple[int, int]] = []

    async def run() -> dict[str, object] | None:
        done: dict[str, object] | None = await pool.run(work, lambda *counts: told.append(counts))
        return done

    return asyncio.run(run()), told


def test_a_load_gives_its_version_and_its_counts(pool: ReaderPool, tmp_path: Path) -> None:
    done, told = read(pool, task(tmp_path, shops("a", "b", "a")))
    assert done is not None
    assert (done["entity_type"], done["entities"], told[-1]) == ("Shops", 2, (3, 1))
    assert (tmp_path / VERSION).exists()
    assert (tmp_path / FAILURES).read_text(encoding="utf-8").startswith("line 5, id a: ")


def test_a_process_does_one_small_task_after_another_and_makes_way_after_a_large_one(
    pool: ReaderPool, tmp_path: Path
) -> None:
    before = children()
    for number in range(3):
        (tmp_path / str(number)).mkdir()
        read(pool, task(tmp_path / str(number), shops("a")))
    first = children() - before
    assert len(first) == 1
    read(pool, task(tmp_path, shops(*map(str, range(40_000)), note="x" * 2_000)))
    after = children() - before
    assert len(after) == 1
    assert after != first


def test_data_that_takes_too_long_names_the_limit_and_ends_the_process(tmp_path: Path) -> None:
    before, pool = children(), ReaderPool(ReaderLimits(seconds=1, jobs=1))
    with pytest.raises(ReadingError, match=r"longer than PROXY_WORKER_JOB_SECONDS allows \(1 seconds\)\."):
        read(pool, task(tmp_path))
    waiting = children() - before
    assert len(waiting) == 1  # the one for the next task
    pool.close()
    assert not any(map(lives, waiting))


def test_data_that_needs_too_much_memory_names_the_limit(tmp_path: Path) -> None:
    pool = ReaderPool(ReaderLimits(memory_mb=LITTLE_MEMORY_MB))
    data = shops(*map(str, range(50_000)), note="x" * 2_000)
    with pytest.raises(
        ReadingError, match=rf"more memory than PROXY_WORKER_MEMORY_MB allows \({LITTLE_MEMORY_MB} MB\)\."
    ):
        read(pool, task(tmp_path, data))
    pool.close()


@pytest.mark.parametrize(
    ("number", "error"),
    [(signal.SIGSEGV, ReadingError), (signal.SIGABRT, ReadingError), (signal.SIGKILL, ReaderKilledError)],
)
def test_a_process_that_crashes_is_the_datas_fault_and_one_that_was_killed_is_not(
    pool: ReaderPool, tmp_path: Path, number: signal.Signals, error: type[Exception]
) -> None:
    before = children()

    async def run() -> None:
        reading = asyncio.create_task(pool.run(task(tmp_path), lambda *_: None))
        async with asyncio.timeout(SECONDS):
            await asyncio.sleep(0)
            (child,) = children() - before
            while not minds(child, "SigCgt", signal.SIGSEGV):  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.02)
        os.kill(child, number)
        await reading

    with pytest.raises(error) as raised:
        asyncio.run(run())
    assert str(number.value) not in str(raised.value)
    if isinstance(raised.value, ReadingError):
        assert f"status -{number.value}" in raised.value.details
        assert "reader.py" in raised.value.details


def test_a_process_that_was_killed_while_it_waited_is_replaced(pool: ReaderPool, tmp_path: Path) -> None:
    before = children()
    pool.warm()
    (waiting,) = children() - before
    os.kill(waiting, signal.SIGKILL)
    asyncio.run(eventually({waiting}))
    done, _ = read(pool, task(tmp_path, shops("a")))
    assert done is not None


def test_who_is_cancelled_ends_the_process_whatever_it_does(pool: ReaderPool, tmp_path: Path) -> None:
    before = children()

    async def run() -> set[int]:
        reading = asyncio.create_task(pool.run(task(tmp_path), lambda *_: None))
        await asyncio.sleep(0)
        busy = children() - before
        for child in busy:
            os.kill(child, signal.SIGSTOP)  # it can't do anything of its own will any more
        reading.cancel()
        await asyncio.wait({reading})
        return busy

    busy = asyncio.run(run())
    assert len(busy) == 1
    assert not any(map(lives, busy))


@pytest.mark.parametrize("form", ["nonsense", "csv"])
def test_what_nobody_foresaw_is_told_in_the_owners_words_and_in_detail_to_the_log(
    pool: ReaderPool, tmp_path: Path, form: str
) -> None:
    export = ExportTask(str(tmp_path), "{}", "Shops")
    work: LoadTask | ExportTask = task(tmp_path, b"", form) if form == "nonsense" else export
    with pytest.raises(ReadingError) as raised:
        read(pool, work)
    assert "Error" not in str(raised.value)
    assert "Traceback" in raised.value.details


def test_a_disk_without_room_is_no_fault_of_the_data(pool: ReaderPool, tmp_path: Path) -> None:
    work = task(tmp_path, shops("a"))
    (tmp_path / VERSION).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        read(pool, work)


def test_a_reader_knows_no_secrets_and_writes_nowhere_but_to_its_job(
    pool: ReaderPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTOSO_STORAGE", "AccountKey=c2VjcmV0")
    before = children()
    read(pool, task(tmp_path, shops("a")))
    (reader,) = children() - before
    assert b"c2VjcmV0" not in Path(f"/proc/{reader}/environ").read_bytes()
    # What libraries say there quotes customers' data.
    assert Path(f"/proc/{reader}/fd/2").readlink() == Path("/dev/null")
    told = "import sys, tempfile, proxy.worker.reader as r; r.do({'kind': 'none', 'folder': sys.argv[1]}, print)"
    command = [sys.executable, "-c", f"{told}; print(tempfile.gettempdir())", str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == str(tmp_path)


def test_an_answer_that_is_none_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may have got the better of a parser: what then comes is not trusted."""
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho \'{"processed": "many"}\'\nsleep 60\n', encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    pool = ReaderPool(ReaderLimits(jobs=1))

    with pytest.raises(ReadingError) as raised:
        read(pool, task(tmp_path, b""))
    assert "no answer of a reader" in raised.value.details
    pool.close()
