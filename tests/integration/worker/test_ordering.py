"""Jobs of one data source are done in the order of their creation, whatever order their messages have."""

import asyncio

import pytest

from adapters.model.jobs import JobStatus, JobType
from proxy.worker.ordering import count_jobs_ahead
from tests.support.storage import Storage, ago
from tests.support.worker_desk import Desk, play, shops


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.ordering.TURN_SECONDS", 0.01)


def test_the_last_job_has_the_last_word(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        first = await desk.load(shops("a"))
        held = await desk.account.queue.receive()
        assert held is not None
        await desk.load(shops("b"), "incremental")
        last = await desk.load(shops("c"), "incremental")
        lease = await desk.account.queue.receive()
        assert lease is not None
        assert lease.job_id != first
        await lease.release()
        await held.release()
        await desk.work()
        assert set(await desk.published()) == {"a", "b", "c"}
        source = await desk.the_source()
        assert source.published is not None
        assert source.published.job_id == last

    play(storage, story)


def test_waiting_for_an_older_job_is_no_try(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        older = await desk.create_row(JobType.ACCESS, public=True)
        younger = await desk.load(shops("a"))
        async with asyncio.timeout(30):
            for _ in range(4):  # more than there are tries
                while (lease := await desk.account.queue.receive()) is None:  # noqa: ASYNC110 - it is storage that changes
                    await asyncio.sleep(0.1)
                assert lease.attempts == 1
                await desk.step(lease)
        assert (await desk.record(younger)).status is JobStatus.PENDING
        await desk.account.queue.enqueue(older)
        await desk.work()
        assert (await desk.record(younger)).status is JobStatus.COMPLETED

    play(storage, story)


def test_only_jobs_for_workers_of_the_same_data_source_are_waited_for(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        storage.job(status="Pending", DataSourceName="Shops")  # somebody else's: it has no work text
        storage.job("Geocode", "Pending")
        await desk.create_row(JobType.ACCESS, "Cafes", public=True)
        finished = await desk.create_row(JobType.ACCESS, public=True)
        await desk.account.jobs.complete(await desk.ended(finished))
        mine = await desk.create_row(JobType.ACCESS, public=True)
        await desk.create_row(JobType.ACCESS, public=True)
        assert await count_jobs_ahead(desk.account, await desk.record(mine)) == 0

    play(storage, story)


def test_a_job_that_is_days_old_holds_nobody_up(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        storage.job(status="Pending", DataSourceName="Shops", Work="{}", CreatedDate=ago(days=4))
        mine = await desk.create_row(JobType.ACCESS, public=True)
        assert await count_jobs_ahead(desk.account, await desk.record(mine)) == 0

    play(storage, story)
