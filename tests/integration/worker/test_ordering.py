"""Jobs of one data source run in the order of their creation, whatever the order of their messages."""

from dataclasses import replace

import pytest

from adapters.job_queue import Lease
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import JobStatus, JobType
from adapters.model.ticks import PER_SECOND, Ticks
from proxy.worker.job import now
from proxy.worker.ordering import TURN_SECONDS, count_jobs_ahead
from tests.support.backlog import run_backlog
from tests.support.storage import Storage, ago
from tests.support.worker_desk import Desk, shops


async def test_last_created_job_runs_last(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.ordering.TURN_SECONDS", 0.01)
    await desk.load(shops("a"))
    first = await desk.receive()
    await desk.load(shops("b"), "incremental")
    last = await desk.load(shops("c"), "incremental")
    second = await desk.receive()
    await second.release()
    await first.release()
    await desk.work()
    assert set(await desk.published()) == {"a", "b", "c"}
    source = await desk.the_source()
    assert source.published is not None
    assert source.published.job_id == last


async def test_waiting_behind_an_older_job_costs_no_try(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    release, waits = Lease.release, list[float]()

    async def release_now(lease: Lease, after: float = 0) -> None:
        waits.append(after)
        await release(lease)

    monkeypatch.setattr(Lease, "release", release_now)
    older = await desk.create_row(JobType.ACCESS, public=True)
    younger = await desk.load(shops("a"))
    for _ in range(4):  # more than the allowed tries
        await desk.step(await desk.receive())
    assert waits == [TURN_SECONDS] * 4
    assert (await desk.record(younger)).status is JobStatus.PENDING
    await desk.account.queue.enqueue(older)
    await desk.work()
    assert (await desk.record(younger)).status is JobStatus.COMPLETED


async def test_job_waits_only_for_recent_jobs_of_its_data_source(desk: Desk, storage: Storage) -> None:
    storage.job(status="Pending", DataSourceName="Shops")  # another program's: it has no parameters
    storage.job("Geocode", "Pending")
    storage.job(status="Pending", DataSourceName="Shops", Work="{}", CreatedDate=ago(days=4))
    await desk.create_row(JobType.ACCESS, "Cafes", public=True)
    ended = await desk.create_row(JobType.ACCESS, public=True)
    await desk.account.jobs.complete(await desk.ended(ended))
    mine = await desk.create_row(JobType.ACCESS, public=True)
    next_one = await desk.create_row(JobType.ACCESS, public=True)
    assert await count_jobs_ahead(desk.account, await desk.record(mine)) == 0
    assert await count_jobs_ahead(desk.account, await desk.record(next_one)) == 1


@pytest.mark.slow
def test_long_backlog_costs_each_job_as_much_as_a_short_one(storage: Storage) -> None:
    short, long = run_backlog(storage, 6), run_backlog(storage, 24)
    assert long.calls < 1.5 * short.calls
    assert long.in_order


async def test_next_job_follows_when_a_worker_dies_in_between(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message of the ended job comes back before those of the waiting ones."""
    monkeypatch.setattr("proxy.worker.ordering.TURN_SECONDS", 3600.0)
    jobs = [await desk.load(shops(each), "incremental" if each != "a" else "complete") for each in "abc"]
    leases = [await desk.receive() for _ in jobs]
    for lease in leases[1:]:
        await desk.step(lease)  # hidden for an hour
    await desk.account.jobs.complete(await desk.ended(jobs[0], JobStatus.ABORTED))
    await leases[0].release()
    while (again := await desk.account.queue.receive()) is not None:
        await desk.step(again)
    assert [(await desk.record(job)).status for job in jobs[1:]] == [JobStatus.ABORTED] * 2  # nothing to update
    assert await desk.account.queue.approximate_length() == 2


async def test_job_enqueued_twice_is_begun_once(desk: Desk, storage: Storage) -> None:
    first, second = await desk.load(shops("a")), await desk.load(shops("b"))
    await desk.step(await desk.receive())
    one_of_two = await desk.receive()  # the second job has its own message, and that of its predecessor's end
    await desk.account.queue.enqueue(first)
    await desk.step(one_of_two)
    await desk.work()
    assert (await desk.record(second)).status is JobStatus.COMPLETED
    assert storage.table.get_entity(storage.account, second)["Attempts"] == 1


async def test_unconfirmed_job_neither_begins_nor_delays_others(desk: Desk, storage: Storage) -> None:
    unconfirmed = await desk.create(JobType.ACCESS, public=True)
    record = replace(await desk.record(unconfirmed), unconfirmed=True)
    storage.table.update_entity({"PartitionKey": storage.account, "RowKey": unconfirmed, "Unconfirmed": True})
    younger = await desk.create_row(JobType.ACCESS, public=True)
    await desk.account.queue.enqueue(younger)
    for _ in range(2):
        await desk.step(await desk.receive())
    assert await desk.record(unconfirmed) == record
    assert (await desk.record(younger)).status is JobStatus.ABORTED  # there is no data source
    assert await desk.account.jobs.confirm(record, '{"public":true}')
    await desk.work()
    assert (await desk.record(unconfirmed)).status is JobStatus.ABORTED


@pytest.mark.parametrize("skew", [-3600, 30])
async def test_job_id_follows_those_of_machines_with_a_wrong_clock(desk: Desk, skew: int) -> None:
    """The creator of the first job has a clock that is so many seconds off that of the second one's."""
    jobs = desk.account.jobs
    first = await desk.create_row(JobType.ACCESS, job_id=new_job_id(Ticks(now() + skew * PER_SECOND)))
    await jobs.list_created_since(Ticks(now() - 86_400 * PER_SECOND))
    assert jobs.ids.next(now()) > first
