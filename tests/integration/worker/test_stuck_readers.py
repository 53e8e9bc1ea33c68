"""A file that blocks its reader delays nothing else: lease, heartbeat, other accounts, the worker's end."""

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

from adapters.job_queue import Lease
from adapters.model.jobs import JobStatus
from proxy.worker.attempt import UnfitError
from proxy.worker.heartbeat import ABANDONED_SECONDS
from proxy.worker.reader_pool import ReaderLimits, ReaderPool
from proxy.worker.work_directory import keep_work_directory, work_directory
from proxy.worker.worker import Worker
from tests.integration.worker.test_readers import wait_for_end, wait_for_one
from tests.integration.worker.test_worker import ring_of, wait_for_jobs, wait_until, working
from tests.support.storage import BUSY_SECONDS, Storage
from tests.support.worker_desk import RUNNER, WAIT_SECONDS, Desk, shops
from tests.support.worker_processes import WorkerProcess, children, has_signal, worker_process


async def stop_reader(worker: WorkerProcess) -> int:
    """Stops the process that will read the next load. No file can do more to it."""
    (reader,) = children(worker.process.pid)
    async with asyncio.timeout(WAIT_SECONDS):
        while not has_signal(reader, "SigIgn", signal.SIGTERM):  # noqa: ASYNC110  the process starts
            await asyncio.sleep(0.02)
    os.kill(reader, signal.SIGSTOP)
    return reader


def found(folder: Path, pattern: str = "*") -> list[Path]:
    return list(folder.glob(pattern))


async def wait_for_data(folder: Path, pattern: str = "*/data") -> None:
    """Returns when the worker has downloaded the data of a job."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not found(folder, pattern):  # noqa: ASYNC110  the worker downloads it
            await asyncio.sleep(0.02)


@pytest.mark.slow
async def test_killed_worker_leaves_no_reader_and_its_successor_no_files(
    desk: Desk, storage: Storage, tmp_path: Path
) -> None:
    with worker_process(storage, tmp_path) as worker:
        await asyncio.to_thread(worker.wait_until_ready)
        reader = await stop_reader(worker)
        job_id = await desk.load(shops("a"))
        await wait_for_data(tmp_path, "*/*/data")
        worker.kill()
        await wait_for_end({reader})
    (left,) = found(tmp_path)
    long_ago = time.time() - ABANDONED_SECONDS - 1
    os.utime(left, (long_ago, long_ago))
    await desk.account.jobs.release(job_id)
    await desk.account.queue.enqueue(job_id)  # as the lease of a dead worker ends, only sooner
    with worker_process(storage, tmp_path) as worker:
        await wait_for_jobs(desk, job_id)
        await asyncio.to_thread(worker.wait_until_ready)
        await asyncio.to_thread(worker.end)
    assert (await desk.record(job_id)).status is JobStatus.COMPLETED
    assert found(tmp_path) == []


@pytest.fixture
def stuck(request: pytest.FixtureRequest) -> Iterator[tuple[ReaderPool, int]]:
    """A pool whose first reader is stopped, and that reader."""
    before, pool = children(), ReaderPool(getattr(request, "param", ReaderLimits(jobs=2)))
    RUNNER.run(pool.warm())
    first = RUNNER.run(wait_for_one(before))
    os.kill(first, signal.SIGSTOP)
    yield pool, first
    RUNNER.run(pool.close())


async def test_stuck_reader_delays_neither_lease_nor_heartbeat_nor_end(
    desk: Desk, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stuck: tuple[ReaderPool, int]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("proxy.worker.lease.STOP_SECONDS", 0.1)
    monkeypatch.setattr("proxy.worker.work_directory.BEAT_SECONDS", 0.1)
    renew, renewals, beats = Lease.renew, list[bool](), set[float]()

    async def count(lease: Lease) -> bool:
        renewals.append(await renew(lease))
        return renewals[-1]

    async def live_on() -> bool:
        beats.add(folder.stat().st_mtime)
        return len(renewals) >= 2 and len(beats) > 3

    monkeypatch.setattr(Lease, "renew", count)
    ring = ring_of(storage, BUSY_SECONDS, 4)
    with work_directory() as folder:
        beating = asyncio.create_task(keep_work_directory(folder))
        worker = replace(desk, context=replace(desk.context, readers=stuck[0], folder=folder))
        async with ring.accounts, working(worker, ring):
            job_id = await desk.load(shops("a"))
            await wait_for_data(folder)
            await wait_until(live_on)
        beating.cancel()
        await asyncio.wait({beating})
    assert all(renewals)
    await wait_for_end({stuck[1]})
    lease = await desk.receive()
    assert (lease.job_id, await desk.next_try(lease)) == (job_id, 1)
    assert found(tmp_path) == []


@pytest.mark.parametrize("accounts", [1, 2])
async def test_stuck_job_leaves_a_slot_to_other_accounts_or_jobs(
    desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch, stuck: tuple[ReaderPool, int], accounts: int
) -> None:
    monkeypatch.setattr("proxy.worker.lease.STOP_SECONDS", 0.1)
    desk = replace(desk, context=replace(desk.context, readers=stuck[0]))
    ring = ring_of(storage, **({"other": storage.connection_string} if accounts == 2 else {}))
    other = replace(desk, account=ring.accounts["other"]) if accounts == 2 else desk
    await other.account.queue.create()
    async with ring.accounts, working(desk, ring):
        pending = [await desk.load(shops("a"))]
        await wait_for_data(desk.context.folder)
        if accounts == 2:
            pending.append(await desk.load(shops("a"), name="Second"))
        await wait_for_jobs(other, *[await other.load(shops("a"), name=f"Shops{number}") for number in range(3)])
        assert {(await desk.record(job_id)).status for job_id in pending} == {JobStatus.PENDING}


@pytest.mark.parametrize("stuck", [ReaderLimits(seconds=1, jobs=1)], indirect=True)
async def test_data_beyond_the_time_limit_aborts_at_the_first_try(desk: Desk, stuck: tuple[ReaderPool, int]) -> None:
    slow = replace(desk, context=replace(desk.context, readers=stuck[0]))
    job = await slow.done(desk.load(shops("a")))
    assert job.status is JobStatus.ABORTED
    assert job.error_message == "Reading the data takes longer than PROXY_WORKER_JOB_SECONDS allows (1 seconds)."


async def test_job_of_a_killed_reader_is_tried_again(
    desk: Desk, stuck: tuple[ReaderPool, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.worker.attempt.MAX_RETRY_SECONDS", 0.0)
    desk = replace(desk, context=replace(desk.context, readers=stuck[0]))
    doing = asyncio.create_task(desk.done(desk.load(shops("a"))))
    await wait_for_data(desk.context.folder)
    os.kill(stuck[1], signal.SIGKILL)
    assert (await doing).status is JobStatus.COMPLETED


@pytest.mark.slow
async def test_worker_ends_with_1_when_its_directory_is_gone(desk: Desk, storage: Storage, tmp_path: Path) -> None:
    with worker_process(storage, tmp_path) as worker:
        await asyncio.to_thread(worker.wait_until_ready)
        for folder in found(tmp_path):
            shutil.rmtree(folder)
        job_id = await desk.load(shops("a"))
        log = (await asyncio.to_thread(worker.process.communicate, timeout=WAIT_SECONDS))[1].decode()
    assert worker.process.returncode == 1, log
    (line,) = (line for line in log.splitlines() if "the worker ends" in line)
    assert f"the work directory ({tmp_path}/" in line
    assert "can't be used: No such file or directory" in line
    assert "Traceback" not in log
    assert (await desk.record(job_id)).status is JobStatus.PENDING
    assert await desk.account.queue.approximate_length() == 1


async def test_unfit_worker_gives_its_job_back(desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.attempt.UNFIT_SECONDS", 0.0)
    job_id = await desk.load(shops("a"))
    context = replace(desk.context, folder=desk.context.folder / "none")
    ring = ring_of(storage)
    with pytest.raises(UnfitError):
        async with ring.accounts, asyncio.timeout(WAIT_SECONDS):
            await Worker(ring, context).run(asyncio.Event())
    lease = await desk.receive()
    assert (lease.job_id, await desk.next_try(lease)) == (job_id, 1)
