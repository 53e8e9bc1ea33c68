"""Leases: a running job keeps its lease, ends when it is lost, and goes back when the worker stops."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, NoReturn, Self

import pytest

from adapters.blobs.store import BlobStore
from adapters.errors import StorageError, StorageErrorCode
from adapters.job_queue import Lease
from adapters.model.jobs import JobStatus, JobType
from proxy.worker.lease import run_leased_job
from tests.support.storage import Storage
from tests.support.worker_desk import WAIT_SECONDS, Desk, shops


@dataclass(frozen=True)
class HeldUploads:
    """Uploads that wait: `begun` is set when one begins, and all go on once `go_on` is set."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def patch(cls, monkeypatch: pytest.MonkeyPatch) -> Self:
        """Holds every upload."""
        held, send = cls(), BlobStore.upload_file

        async def wait(self: BlobStore, *arguments: Any) -> None:
            held.begun.set()
            await held.go_on.wait()
            await send(self, *arguments)

        monkeypatch.setattr(BlobStore, "upload_file", wait)
        return held

    async def until_begun(self, doing: asyncio.Task[None]) -> None:
        """Waits until one begins, or the job ends without: a stall may lose a short lease before."""
        beginning = asyncio.create_task(self.begun.wait())
        await asyncio.wait({beginning, doing}, return_when=asyncio.FIRST_COMPLETED)
        beginning.cancel()


# Not shorter: a lease must outlast a stall between two renewals.
@pytest.mark.parametrize("lease_seconds", [4])
async def test_job_longer_than_its_lease_keeps_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    held, renew, renewals = HeldUploads.patch(monkeypatch), Lease.renew, list[bool]()

    async def count(lease: Lease) -> bool:
        renewals.append(await renew(lease))
        if len(renewals) == 2:
            held.go_on.set()
        return renewals[-1]

    monkeypatch.setattr(Lease, "renew", count)
    job_id = await desk.load(shops("a"))
    lease = await desk.receive()
    until = lease._message.next_visible_on  # noqa: SLF001  nothing else shows how long it is hidden
    await desk.step(lease)
    assert renewals == [True, True]
    hidden = lease._message.next_visible_on  # noqa: SLF001  the same
    assert until is not None
    assert hidden is not None
    assert hidden > until
    assert (await desk.record(job_id)).status is JobStatus.COMPLETED


async def test_progress_is_stored_while_a_job_runs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    held = HeldUploads.patch(monkeypatch)
    monkeypatch.setattr("proxy.worker.lease.PROGRESS_SECONDS", 0.05)
    job_id = await desk.load(shops("a", "b", "a"))
    doing = asyncio.create_task(desk.step(await desk.receive()))
    async with asyncio.timeout(WAIT_SECONDS):
        while not (job := await desk.record(job_id)).processed:  # noqa: ASYNC110 - it is storage that changes
            await asyncio.sleep(0.05)
    assert (job.status, job.processed, job.failed) == (JobStatus.PENDING, 3, 1)
    held.go_on.set()
    await doing


@pytest.mark.parametrize("lease_seconds", [1])
async def test_job_with_a_lost_lease_has_no_effect(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    held = HeldUploads.patch(monkeypatch)
    job_id = await desk.load(shops("a"))
    lease = await desk.receive()
    doing = asyncio.create_task(desk.step(lease))
    await held.until_begun(doing)
    await lease.complete()  # as if another worker had done the job
    await doing
    assert (await desk.record(job_id)).status is JobStatus.PENDING
    assert await desk.source() is None
    assert list(desk.context.folder.iterdir()) == []


@pytest.mark.parametrize("lease_seconds", [1])
async def test_lease_not_renewed_in_time_is_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_: Lease) -> NoReturn:
        raise StorageError(StorageErrorCode.UNREACHABLE)

    HeldUploads.patch(monkeypatch)
    monkeypatch.setattr(Lease, "renew", fail)
    job_id = await desk.load(shops("a"))
    await desk.step(await desk.receive())
    assert (await desk.record(job_id)).status is JobStatus.PENDING


async def test_stopping_worker_gives_a_long_job_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    held, stop = HeldUploads.patch(monkeypatch), asyncio.Event()
    monkeypatch.setattr("proxy.worker.lease.STOP_SECONDS", 0.1)
    job_id = await desk.load(shops("a"))
    doing = asyncio.create_task(run_leased_job(desk.account, await desk.receive(), desk.context, stop))
    await held.begun.wait()
    stop.set()
    await doing
    lease = await desk.receive()
    assert (lease.job_id, await desk.next_try(lease)) == (job_id, 1)
    assert await desk.account.queue.approximate_length() == 1


async def test_stopping_worker_finishes_a_short_job(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    held, stop = HeldUploads.patch(monkeypatch), asyncio.Event()
    monkeypatch.setattr("proxy.worker.lease.STOP_SECONDS", WAIT_SECONDS)
    job_id = await desk.load(shops("a"))
    doing = asyncio.create_task(run_leased_job(desk.account, await desk.receive(), desk.context, stop))
    await held.begun.wait()
    stop.set()
    held.go_on.set()
    await doing
    assert (await desk.record(job_id)).status is JobStatus.COMPLETED


async def test_worker_that_wakes_up_late_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had the data before others finished the job and deleted the data source."""
    held = HeldUploads.patch(monkeypatch)
    job_id = await desk.load(shops("a"))
    doing = asyncio.create_task(desk.step(await desk.receive()))
    await held.begun.wait()
    await desk.account.jobs.complete(await desk.ended(job_id))
    held.go_on.set()
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
