"""A backlog of one data source costs each of its jobs the same, however long it is, and keeps its order."""

import asyncio
from dataclasses import replace

import pytest

from adapters.model.job_ids import new_job_id
from adapters.model.jobs import JobStatus, JobType
from adapters.model.ticks import PER_SECOND, Ticks
from proxy.worker.job import now
from proxy.worker.ordering import LONGEST_TURN_SECONDS, seconds_to_wait
from tests.support.backlog import run_backlog
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops


def test_a_long_backlog_costs_each_of_its_jobs_as_much_as_a_short_one(storage: Storage) -> None:
    short, long = run_backlog(storage, 6), run_backlog(storage, 24)
    assert long.calls < 1.5 * short.calls
    assert long.in_order


def test_the_turn_goes_on_where_a_worker_died_between_an_end_and_the_next_job(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message of the ended job comes back before those that wait do."""
    monkeypatch.setattr("proxy.worker.ordering.TURN_SECONDS", 3600.0)

    async def story(desk: Desk) -> None:
        jobs = [await desk.load(shops(each), "incremental" if each != "a" else "complete") for each in "abc"]
        leases = [await desk.account.queue.receive() for _ in jobs]
        for lease in leases[1:]:
            assert lease is not None
            await desk.step(lease)  # they wait for an hour
        await desk.account.jobs.complete(await desk.ended(jobs[0], JobStatus.ABORTED))
        assert leases[0] is not None
        await leases[0].release()
        async with asyncio.timeout(30):
            while (lease := await desk.account.queue.receive()) is not None:
                await desk.step(lease)
        assert [(await desk.record(job)).status for job in jobs[1:]] == [JobStatus.ABORTED] * 2  # nothing to update
        assert await desk.account.queue.length() == 2

    play(storage, story)


def test_a_job_that_has_begun_is_not_handed_on(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        first, second = await desk.load(shops("a")), await desk.load(shops("b"))
        lease = await desk.account.queue.receive()
        assert lease is not None
        await desk.step(lease)
        lease = await desk.account.queue.receive()  # the second one's own message, or the one it was handed on by
        assert lease is not None
        await desk.account.queue.enqueue(first)
        following = await desk.account.queue.receive()
        assert following is not None
        await desk.step(lease)
        await desk.step(following)
        assert (await desk.record(second)).status is JobStatus.COMPLETED
        await desk.work()
        assert storage.table.get_entity(storage.account, second)["Attempts"] == 1

    play(storage, story)


@pytest.mark.parametrize(("ahead", "seconds"), [(0, 0), (1, 30), (2, 60), (200, LONGEST_TURN_SECONDS)])
def test_a_job_waits_for_longer_the_more_there_are_ahead_of_it(ahead: int, seconds: float) -> None:
    assert seconds_to_wait(ahead) == seconds


def test_a_job_that_is_not_confirmed_holds_up_nobody_and_is_not_begun(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        unconfirmed = await desk.create(JobType.ACCESS, public=True)
        record = replace(await desk.record(unconfirmed), unconfirmed=True)
        storage.table.update_entity({"PartitionKey": storage.account, "RowKey": unconfirmed, "Unconfirmed": True})
        younger = await desk.create_row(JobType.ACCESS, public=True)
        await desk.account.queue.enqueue(younger)
        for _ in range(2):
            lease = await desk.account.queue.receive()
            assert lease is not None
            await desk.step(lease)
        assert await desk.record(unconfirmed) == record
        assert (await desk.record(younger)).status is JobStatus.ABORTED

    play(storage, story)


@pytest.mark.parametrize("skew", [-3600, -30, 30, 3600])
def test_a_job_created_by_a_machine_whose_clock_is_off_comes_after_those_that_it_has_seen(
    storage: Storage, skew: int
) -> None:
    """The first job's maker has a clock that is so many seconds off that of the second one's."""

    async def story(desk: Desk) -> None:
        jobs = desk.account.jobs
        first = await desk.create_row(JobType.ACCESS, job_id=new_job_id(Ticks(now() + skew * PER_SECOND)))
        await jobs.created_since(Ticks(now() - 86_400 * PER_SECOND))
        assert jobs.ids.next(now()) > first

    play(storage, story)
