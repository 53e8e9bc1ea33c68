"""Reader processes: their limits, their ends, and what job owners and logs learn from them."""

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
from proxy.worker.reader_tasks import DATA, FAILURES, VERSION, DigestTask, ExportTask, LoadTask
from tests.support.worker_desk import RUNNER, WAIT_SECONDS, shops
from tests.support.worker_processes import children, has_signal

# More than an idle process needs, and less than a load of 100 MB.
LITTLE_MEMORY_MB = 136


@pytest.fixture
def pool() -> Iterator[ReaderPool]:
    with_default_limits = ReaderPool(ReaderLimits())
    yield with_default_limits
    RUNNER.run(with_default_limits.close())


def load_task(folder: Path, data: bytes | None = None, form: str = "csv") -> LoadTask:
    """A load of this data; its reader blocks forever if there is none."""
    if data is None:
        os.mkfifo(folder / DATA)
    else:
        (folder / DATA).write_bytes(data)
    return LoadTask(str(folder), form, 200_000, 300 << 20, None)


def is_alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    return False


async def wait_for_end(pids: set[int]) -> None:
    """Returns when these processes have ended."""
    async with asyncio.timeout(WAIT_SECONDS):
        while any(map(is_alive, pids)):  # noqa: ASYNC110  the system ends them
            await asyncio.sleep(0.02)


async def wait_for_one(before: set[int]) -> int:
    """The only process beside those of before, once the others have ended: a killed one takes a moment."""
    async with asyncio.timeout(WAIT_SECONDS):
        while len(new := set(filter(is_alive, children() - before))) != 1:  # noqa: ASYNC110  the system starts and ends them
            await asyncio.sleep(0.02)
    return new.pop()


async def wait_until_noticed(pool: ReaderPool) -> None:
    """Returns when the event loop knows which of the pool's idle processes have ended: a thread reports each to it."""
    async with asyncio.timeout(WAIT_SECONDS):
        while any(reader.is_alive for reader in pool._idle):  # noqa: SLF001, ASYNC110  nothing else shows it
            await asyncio.sleep(0.02)


def read(pool: ReaderPool, task: LoadTask | ExportTask | DigestTask) -> tuple[dict[str, object], list[tuple[int, int]]]:
    """The result of a task, and the counts that it reported."""
    reported: list[tuple[int, int]] = []
    return RUNNER.run(pool.run(task, lambda *counts: reported.append(counts))), reported


async def start_reading(pool: ReaderPool, task: LoadTask) -> tuple[asyncio.Task[object], int]:
    """A task that has begun, and the process that does it."""
    before = children()
    reading = asyncio.create_task(pool.run(task, lambda *_: None))
    return reading, await wait_for_one(before)


def test_load_returns_version_and_counts(pool: ReaderPool, tmp_path: Path) -> None:
    done, reported = read(pool, load_task(tmp_path, shops("a", "b", "a")))
    assert (done["entity_type"], done["entities"], reported[-1]) == ("Shops", 2, (3, 1))
    assert (tmp_path / VERSION).exists()
    assert (tmp_path / FAILURES).read_text(encoding="utf-8").startswith("line 5, id a: ")


def test_a_file_and_its_version_have_one_digest(pool: ReaderPool, tmp_path: Path) -> None:
    loaded, _ = read(pool, load_task(tmp_path, shops("1", "2")))
    of_file, counts = read(pool, DigestTask(str(tmp_path), "csv", 200_000, 300 << 20))
    of_version, _ = read(pool, DigestTask(str(tmp_path), "csv", 200_000, 300 << 20, str(loaded["schema"])))
    assert of_file == of_version
    assert (of_file["entities"], of_file["failed"]) == (2, 0)
    assert counts[-1] == (2, 0)


def test_process_is_reused_until_a_large_task(pool: ReaderPool, tmp_path: Path) -> None:
    before = children()
    for number in range(3):
        (tmp_path / str(number)).mkdir()
        read(pool, load_task(tmp_path / str(number), shops("a")))
    (first,) = children() - before
    read(pool, load_task(tmp_path, shops(*map(str, range(40_000)), note="x" * 2_000)))
    assert RUNNER.run(wait_for_one(before)) != first


def test_slow_data_names_the_limit_and_kills_the_process(tmp_path: Path) -> None:
    before, pool = children(), ReaderPool(ReaderLimits(seconds=1, jobs=1))
    with pytest.raises(ReadingError, match=r"longer than PROXY_WORKER_JOB_SECONDS allows \(1 seconds\)\."):
        read(pool, load_task(tmp_path))
    ready = RUNNER.run(wait_for_one(before))  # for the next task
    RUNNER.run(pool.close())
    RUNNER.run(wait_for_end({ready}))


def test_data_beyond_the_memory_limit_names_it(tmp_path: Path) -> None:
    pool = ReaderPool(ReaderLimits(memory_mb=LITTLE_MEMORY_MB))
    task = load_task(tmp_path, shops(*map(str, range(50_000)), note="x" * 2_000))
    limit = rf"more memory than PROXY_WORKER_MEMORY_MB allows \({LITTLE_MEMORY_MB} MB\)\."
    with pytest.raises(ReadingError, match=limit):
        read(pool, task)
    RUNNER.run(pool.close())


@pytest.mark.parametrize(
    ("number", "error"),
    [(signal.SIGSEGV, ReadingError), (signal.SIGABRT, ReadingError), (signal.SIGKILL, ReaderKilledError)],
)
def test_crash_is_the_fault_of_the_data_and_a_kill_is_not(
    pool: ReaderPool, tmp_path: Path, number: signal.Signals, error: type[Exception]
) -> None:
    async def run() -> None:
        reading, reader = await start_reading(pool, load_task(tmp_path))
        async with asyncio.timeout(WAIT_SECONDS):
            while not has_signal(reader, "SigCgt", signal.SIGSEGV):  # noqa: ASYNC110  the process starts
                await asyncio.sleep(0.02)
        os.kill(reader, number)
        await reading

    with pytest.raises(error) as raised:
        RUNNER.run(run())
    assert str(number.value) not in str(raised.value)
    if isinstance(raised.value, ReadingError):
        assert f"status -{number.value}" in raised.value.details
        assert "reader.py" in raised.value.details


def test_process_killed_while_idle_is_replaced(pool: ReaderPool, tmp_path: Path) -> None:
    before = children()
    RUNNER.run(pool.warm())
    (idle,) = children() - before
    os.kill(idle, signal.SIGKILL)
    RUNNER.run(wait_for_end({idle}))
    RUNNER.run(wait_until_noticed(pool))
    assert read(pool, load_task(tmp_path, shops("a")))[0]["entities"] == 1


def test_cancellation_kills_the_process_in_any_state(pool: ReaderPool, tmp_path: Path) -> None:
    async def run() -> int:
        reading, reader = await start_reading(pool, load_task(tmp_path))
        os.kill(reader, signal.SIGSTOP)
        reading.cancel()
        await asyncio.wait({reading})
        return reader

    RUNNER.run(wait_for_end({RUNNER.run(run())}))


@pytest.mark.parametrize("form", ["nonsense", "export"])
def test_unforeseen_error_is_plain_for_owners_and_detailed_in_the_log(
    pool: ReaderPool, tmp_path: Path, form: str
) -> None:
    export = ExportTask(str(tmp_path), "{}", "Shops")
    task = load_task(tmp_path, b"", form) if form == "nonsense" else export
    with pytest.raises(ReadingError) as raised:
        read(pool, task)
    assert "Error" not in str(raised.value)
    assert "Traceback" in raised.value.details


def test_full_disk_is_not_the_fault_of_the_data(pool: ReaderPool, tmp_path: Path) -> None:
    task = load_task(tmp_path, shops("a"))
    (tmp_path / VERSION).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        read(pool, task)


def test_reader_has_no_secrets_and_writes_only_to_its_job(
    pool: ReaderPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTOSO_STORAGE", "AccountKey=c2VjcmV0")
    before = children()
    read(pool, load_task(tmp_path, shops("a")))
    (reader,) = children() - before
    assert b"c2VjcmV0" not in Path(f"/proc/{reader}/environ").read_bytes()
    # Libraries quote customers' data there.
    assert Path(f"/proc/{reader}/fd/2").readlink() == Path("/dev/null")
    code = "import sys, tempfile, proxy.worker.reader as r; r.do({'kind': 'none', 'folder': sys.argv[1]}, print)"
    command = [sys.executable, "-c", f"{code}; print(tempfile.gettempdir())", str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == str(tmp_path)


@pytest.mark.parametrize("line", ['{"processed": "many"}', "x" * 2_000_000])
def test_result_that_is_none_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """A file may have taken over a parser, so nothing that follows is trusted."""
    (tmp_path / "line").write_text(line, encoding="ascii")
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/line; echo\nexec sleep 60\n", encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    pool = ReaderPool(ReaderLimits(jobs=1))

    with pytest.raises(ReadingError) as raised:
        read(pool, load_task(tmp_path, b""))
    assert "no result of a reader" in raised.value.details
    RUNNER.run(pool.close())
