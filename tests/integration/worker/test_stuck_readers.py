"""A file that holds up what reads it holds up nothing else: lease, signs of life, other accounts, the worker's end."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.model.jobs import JobStatus
from proxy.worker.attempt import UnfitError
from proxy.worker.reader_pool import ReaderLimits, ReaderPool
from proxy.worker.work_directory import read_heartbeats
from proxy.worker.worker import Worker
from tests.integration.worker.test_readers import SECONDS, eventually
from tests.integration.worker.test_worker import finished, ring_of, until, working
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops
from tests.support.worker_processes import WorkerProcess, children, minds, worker_process


async def stuck(worker: WorkerProcess) -> int:
    """Stops the process that will read the next load: whatever a file does, it can't do less."""
    (reader,) = children(worker.process.pid)
    async with asyncio.timeout(SECONDS):
        while not minds(reader, "SigIgn", signal.SIGTERM):  # noqa: ASYNC110 - it is the process that starts
            await asyncio.sleep(0.02)
    os.kill(reader, signal.SIGSTOP)
    return reader


def found(folder: Path, pattern: str = "*") -> list[Path]:
    return list(folder.glob(pattern))


async def begun(folder: Path, pattern: str = "*/*/data") -> None:
    """Returns when the worker has the data of a job."""
    async with asyncio.timeout(SECONDS):
        while not found(folder, pattern):  # noqa: ASYNC110 - it is the worker that writes it
            await asyncio.sleep(0.02)


def test_a_reader_that_is_stuck_holds_up_neither_lease_nor_signs_of_life_nor_the_end(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(desk: Desk) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        with worker_process(storage, tmp_path, worker_lease=1) as worker:
            await asyncio.to_thread(worker.wait_until_ready)
            reader = await stuck(worker)
            job_id = await desk.load(shops("a"))
            await begun(tmp_path)
            later = time.monotonic() + 2.5
            while time.monotonic() < later:
                assert await desk.account.queue.receive() is None
                await asyncio.sleep(0.1)
            (beat,) = read_heartbeats()
            assert time.time() - beat < SECONDS
            status, said = await asyncio.to_thread(worker.end)
        assert status == 0, said
        await eventually({reader})
        lease = await desk.account.queue.receive()
        assert lease is not None
        assert (lease.job_id, lease.attempts) == (job_id, 1)
        assert found(tmp_path) == []

    play(storage, story)


def test_a_reader_dies_with_its_worker_and_leaves_nothing(storage: Storage, tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        with worker_process(storage, tmp_path, worker_lease=1) as worker:
            await asyncio.to_thread(worker.wait_until_ready)
            reader = await stuck(worker)
            job_id = await desk.load(shops("a"))
            await begun(tmp_path)
            worker.kill()
            await eventually({reader})
        with worker_process(storage, tmp_path, worker_lease=1) as worker:
            await finished(desk, job_id)
            await asyncio.to_thread(worker.wait_until_ready)
            await asyncio.to_thread(worker.end)
        assert (await desk.record(job_id)).status is JobStatus.COMPLETED
        assert found(tmp_path) == []

    play(storage, story)


@pytest.fixture
def readers() -> Iterator[ReaderPool]:
    """A pool whose first reader is stuck."""
    before, pool = children(), ReaderPool(ReaderLimits(jobs=2))
    pool.warm()
    (first,) = children() - before
    os.kill(first, signal.SIGSTOP)
    yield pool
    pool.close()


def test_a_job_that_is_stuck_holds_up_no_other_account(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, readers: ReaderPool
) -> None:
    monkeypatch.setattr("proxy.worker.lease.STOP_SECONDS", 0.1)

    async def story(desk: Desk) -> None:
        desk = replace(desk, place=replace(desk.place, readers=readers))
        ring = ring_of(storage, other=storage.connection_string)
        other = replace(desk, account=ring.accounts["other"])
        await other.account.queue.create()
        async with ring.accounts, working(desk, ring):
            heavy = await desk.load(shops("a"))
            await begun(desk.place.folder, "*/data")
            waits = await desk.load(shops("a"), name="Second")
            await finished(other, *[await other.load(shops("a"), name=f"Shops{number}") for number in range(3)])
            for job_id in (heavy, waits):
                assert (await desk.record(job_id)).status is JobStatus.PENDING

    play(storage, story)


def test_the_jobs_of_a_single_account_are_done_side_by_side(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, readers: ReaderPool
) -> None:
    monkeypatch.setattr("proxy.worker.lease.STOP_SECONDS", 0.1)

    async def story(desk: Desk) -> None:
        desk = replace(desk, place=replace(desk.place, readers=readers))
        ring = ring_of(storage)
        async with ring.accounts, working(desk, ring):
            heavy = await desk.load(shops("a"))
            await begun(desk.place.folder, "*/data")
            await finished(desk, await desk.load(shops("a"), name="Second"))
            assert (await desk.record(heavy)).status is JobStatus.PENDING

    play(storage, story)


def test_data_that_takes_too_long_aborts_at_the_first_try(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        before, pool = children(), ReaderPool(ReaderLimits(seconds=1, jobs=1))
        pool.warm()
        (reader,) = children() - before
        os.kill(reader, signal.SIGSTOP)
        slow = replace(desk, place=replace(desk.place, readers=pool))
        job = await slow.done(desk.load(shops("a")))
        assert job.status is JobStatus.ABORTED
        assert job.error_message == "Reading the data takes longer than PROXY_WORKER_JOB_SECONDS allows (1 seconds)."
        pool.close()

    play(storage, story)


def test_a_reader_that_was_killed_is_no_reason_to_abort(
    storage: Storage, readers: ReaderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.worker.attempt.LONGEST_WAIT", 0.0)

    async def story(desk: Desk) -> None:
        before = children()
        desk = replace(desk, place=replace(desk.place, readers=readers))
        (stuck_one,) = (pid for pid in before if _is_stopped(pid))
        doing = asyncio.create_task(desk.done(desk.load(shops("a"))))
        await begun(desk.place.folder, "*/data")
        os.kill(stuck_one, signal.SIGKILL)
        job = await doing
        assert job.status is JobStatus.COMPLETED

    play(storage, story)


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"


def test_a_worker_whose_folder_is_gone_puts_the_job_back_and_ends(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.worker.attempt.UNFIT_SECONDS", 0.0)

    async def story(desk: Desk) -> None:
        with worker_process(storage, tmp_path) as worker:
            await asyncio.to_thread(worker.wait_until_ready)
            for folder in found(tmp_path):
                shutil.rmtree(folder)
            job_id = await desk.load(shops("a"))
            said = (await asyncio.to_thread(worker.process.communicate, timeout=SECONDS))[1].decode()
        assert worker.process.returncode == 1, said
        (line,) = (line for line in said.splitlines() if "the worker ends" in line)
        assert f"the folder for files ({tmp_path}/" in line
        assert "can't be used: No such file or directory" in line
        assert "Traceback" not in said
        assert (await desk.record(job_id)).status is JobStatus.PENDING
        leases = []

        async def is_back() -> bool:
            leases.append(await desk.account.queue.receive())
            return leases[-1] is not None

        await until(is_back)
        assert leases[-1] is not None
        assert (leases[-1].job_id, leases[-1].attempts) == (job_id, 1)

    play(storage, story)


def test_a_worker_without_room_gives_back_what_others_do_too(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.lease.STOP_SECONDS", 0.1)
    monkeypatch.setattr("proxy.worker.attempt.UNFIT_SECONDS", 0.0)

    async def story(desk: Desk) -> None:
        job_id = await desk.load(shops("a"))
        place = replace(desk.place, folder=desk.place.folder / "none")
        ring = ring_of(storage)
        with pytest.raises(UnfitError):
            async with ring.accounts, asyncio.timeout(SECONDS):
                await Worker(ring, place).run(asyncio.Event())
        lease = await desk.account.queue.receive()
        assert lease is not None
        assert (lease.job_id, lease.attempts) == (job_id, 1)
        assert await desk.account.queue.length() == 1

    play(storage, story)
