"""Leases: a running job keeps its lease, ends when it is lost, and goes back when the worker stops."""

import asyncio
from typing import Any, NoReturn

import pytest

from adapters.blobs.store import BlobStore
from adapters.errors import StorageError, StorageErrorCode
from adapters.job_queue import Lease
from adapters.model.jobs import JobStatus, JobType
from proxy.worker.lease import run_leased_job
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, shops


def delay_uploads(monkeypatch: pytest.MonkeyPatch, seconds: float) -> asyncio.Event:
    """Delays every upload by so many seconds; the event is set when one begins."""
    sending, send = asyncio.Event(), BlobStore.upload_file

    async def later(self: BlobStore, *arguments: Any) -> None:
        sending.set()
        await asyncio.sleep(seconds)
        await send(self, *arguments)

    monkeypatch.setattr(BlobStore, "upload_file", later)
    return sending


@pytest.mark.parametrize("lease_seconds", [1])
async def test_job_longer_than_its_lease_keeps_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    delay_uploads(monkeypatch, 2.2)
    job_id = await desk.load(shops("a"))
    doing = asyncio.create_task(desk.step(await desk.receive()))
    while not doing.done():
        assert await desk.account.queue.receive() is None
        await asyncio.sleep(0.1)
    assert (await desk.record(job_id)).status is JobStatus.COMPLETED


async def test_progress_is_stored_while_a_job_runs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sending = delay_uploads(monkeypatch, 0.5)
    monkeypatch.setattr("proxy.worker.lease.PROGRESS_SECONDS", 0.05)
    job_id = await desk.load(shops("a", "b", "a"))
    doing = asyncio.create_task(desk.step(await desk.receive()))
    await sending.wait()
    async with asyncio.timeout(20):
        while not (job := await desk.record(job_id)).processed:  # noqa: ASYNC110 - it is storage that changes
            await asyncio.sleep(0.05)
    assert (job.status, job.processed, job.failed) == (JobStatus.PENDING, 3, 1)
    await doing


@pytest.mark.parametrize("lease_seconds", [1])
async def test_job_with_a_lost_lease_has_no_effect(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sending = delay_uploads(monkeypatch, 60)
    job_id = await desk.load(shops("a"))
    lease = await desk.receive()
    doing = asyncio.create_task(desk.step(lease))
    await sending.wait()
    await lease.complete()  # as if another worker had done the job
    await doing
    assert (await desk.record(job_id)).status is JobStatus.PENDING
    assert await desk.source() is None
    assert list(desk.context.folder.iterdir()) == []


@pytest.mark.parametrize("lease_seconds", [1])
async def test_lease_not_renewed_in_time_is_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_: Lease) -> NoReturn:
        raise StorageError(StorageErrorCode.UNREACHABLE)

    delay_uploads(monkeypatch, 60)
    monkeypatch.setattr(Lease, "renew", fail)
    job_id = await desk.load(shops("a"))
    await desk.step(await desk.receive())
    assert (await desk.record(job_id)).status is JobStatus.PENDING


async def test_stopping_worker_gives_a_long_job_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sending, stop = delay_uploads(monkeypatch, 60), asyncio.Event()
    monkeypatch.setattr("proxy.worker.lease.STOP_SECONDS", 0.1)
    job_id = await desk.load(shops("a"))
    doing = asyncio.create_task(run_leased_job(desk.account, await desk.receive(), desk.context, stop))
    await sending.wait()
    stop.set()
    await doing
    lease = await desk.receive()
    assert (lease.job_id, await desk.next_try(lease)) == (job_id, 1)
    assert await desk.account.queue.approximate_length() == 1


async def test_stopping_worker_finishes_a_short_job(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sending, stop = delay_uploads(monkeypatch, 0.2), asyncio.Event()
    job_id = await desk.load(shops("a"))
    doing = asyncio.create_task(run_leased_job(desk.account, await desk.receive(), desk.context, stop))
    await sending.wait()
    stop.set()
    await doing
    assert (await desk.record(job_id)).status is JobStatus.COMPLETED


async def test_worker_that_wakes_up_late_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had the data before others finished the job and deleted the data source."""
    sending = delay_uploads(monkeypatch, 0.3)
    job_id = await desk.load(shops("a"))
    doing = asyncio.create_task(desk.step(await desk.receive()))
    await sending.wait()
    await desk.account.jobs.complete(await desk.ended(job_id))
    await doing
    assert await desk.source() is None
    assert await desk.account.queue.approximate_length() == 0


async def test_messages_of_ended_or_missing_jobs_are_deleted(desk: Desk, storage: Storage) -> None:
    done = await desk.create(JobType.ACCESS, public=True)
    await desk.account.jobs.complete(await desk.ended(done))
    for job_id in ("0" * 32, storage.job(status="Pending"), storage.job("NoSuchType", "Pending", Work="{}")):
        await desk.account.queue.enqueue(job_id)
    await desk.work()
    assert await desk.account.queue.approximate_length() == 0
    assert (await desk.record(done)).error_message is None
