"""Leases: a job under way is held however long it takes, let go when it is lost, given back when the worker stops."""

import asyncio
from typing import Any, NoReturn

import pytest

from adapters.blobs.store import BlobStore
from adapters.errors import StorageError, StorageErrorCode
from adapters.job_queue import Lease
from adapters.model.jobs import JobStatus, JobType
from proxy.worker.lease import run_leased_job
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops


def slow(monkeypatch: pytest.MonkeyPatch, seconds: float) -> asyncio.Event:
    """Lets every job take so long before it sends something; the event tells that one is there."""
    there, send = asyncio.Event(), BlobStore.upload_file

    async def later(self: BlobStore, *arguments: Any) -> None:
        there.set()
        await asyncio.sleep(seconds)
        await send(self, *arguments)

    monkeypatch.setattr(BlobStore, "upload_file", later)
    return there


async def take(desk: Desk) -> Lease:
    lease = await desk.account.queue.receive()
    assert lease is not None
    return lease


def test_a_job_that_takes_longer_than_its_lease_is_held(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        slow(monkeypatch, 2.2)
        job_id = await desk.load(shops("a"))
        doing = asyncio.create_task(desk.step(await take(desk)))
        while not doing.done():
            assert await desk.account.queue.receive() is None
            await asyncio.sleep(0.1)
        assert (await desk.record(job_id)).status is JobStatus.COMPLETED

    play(storage, story, lease_seconds=1)


def test_progress_is_told_while_a_job_is_under_way(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        there = slow(monkeypatch, 0.5)
        monkeypatch.setattr("proxy.worker.attempt.PROGRESS_SECONDS", 0.05)
        job_id = await desk.load(shops("a", "b", "a"))
        doing = asyncio.create_task(desk.step(await take(desk)))
        await there.wait()
        async with asyncio.timeout(20):
            while not (job := await desk.record(job_id)).processed:  # noqa: ASYNC110 - it is storage that changes
                await asyncio.sleep(0.05)
        assert (job.status, job.processed, job.failed) == (JobStatus.PENDING, 3, 1)
        await doing

    play(storage, story)


def test_a_job_whose_lease_is_lost_ends_without_an_effect(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        there = slow(monkeypatch, 60)
        job_id = await desk.load(shops("a"))
        lease = await take(desk)
        doing = asyncio.create_task(desk.step(lease))
        await there.wait()
        await lease.complete()  # as if another worker had done the job
        await doing
        assert (await desk.record(job_id)).status is JobStatus.PENDING
        assert await desk.source() is None
        assert list(desk.place.folder.iterdir()) == []

    play(storage, story, lease_seconds=1)


def test_a_lease_that_can_not_be_renewed_in_time_is_lost(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_: Lease) -> NoReturn:
        raise StorageError(StorageErrorCode.UNREACHABLE)

    async def story(desk: Desk) -> None:
        slow(monkeypatch, 60)
        monkeypatch.setattr(Lease, "renew", fail)
        job_id = await desk.load(shops("a"))
        await desk.step(await take(desk))
        assert (await desk.record(job_id)).status is JobStatus.PENDING

    play(storage, story, lease_seconds=1)


def test_a_worker_that_stops_gives_back_what_it_holds(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        there, stop = slow(monkeypatch, 60), asyncio.Event()
        monkeypatch.setattr("proxy.worker.lease.STOP_SECONDS", 0.1)
        job_id = await desk.load(shops("a"))
        doing = asyncio.create_task(run_leased_job(desk.account, await take(desk), desk.place, stop))
        await there.wait()
        stop.set()
        await doing
        lease = await take(desk)
        assert (lease.job_id, lease.attempts) == (job_id, 1)
        assert await desk.account.queue.length() == 1

    play(storage, story)


def test_a_worker_that_stops_finishes_what_is_nearly_done(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        there, stop = slow(monkeypatch, 0.2), asyncio.Event()
        job_id = await desk.load(shops("a"))
        doing = asyncio.create_task(run_leased_job(desk.account, await take(desk), desk.place, stop))
        await there.wait()
        stop.set()
        await doing
        assert (await desk.record(job_id)).status is JobStatus.COMPLETED

    play(storage, story)


def test_a_worker_that_wakes_up_late_changes_nothing(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had the data before others finished the job and deleted the data source."""

    async def story(desk: Desk) -> None:
        there = slow(monkeypatch, 0.3)
        job_id = await desk.load(shops("a"))
        doing = asyncio.create_task(desk.step(await take(desk)))
        await there.wait()
        await desk.account.jobs.complete(await desk.ended(job_id))
        await doing
        assert await desk.source() is None
        assert await desk.account.queue.length() == 0

    play(storage, story)


def test_messages_of_jobs_that_are_done_or_gone_are_thrown_away(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        done = await desk.create(JobType.ACCESS, public=True)
        await desk.account.jobs.complete(await desk.ended(done))
        for job_id in ("0" * 32, storage.job(status="Pending"), storage.job("NoSuchType", "Pending", Work="{}")):
            await desk.account.queue.enqueue(job_id)
        await desk.work()
        assert await desk.account.queue.length() == 0
        assert (await desk.record(done)).error_message is None

    play(storage, story)
