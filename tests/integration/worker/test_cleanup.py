"""Clean-up: deletes unneeded data, never too early, and enqueues jobs with a lost message again."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import cast

import pytest

from adapters.blobs.store import EXPORTS, UPLOADS, VERSIONS, BlobStore
from adapters.model.data_sources import DataSource
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath, JobStatus, JobType
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.storage_clock import StorageClock
from adapters.tables.data_source_store import DataSourceStore
from adapters.tables.leased_jobs import Claim
from adapters.tables.worker_rows import WorkerRow
from proxy.worker.cleanup import clean_up
from proxy.worker.job import now
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, shops

DAY = 86_400 * PER_SECOND


SHOPS = DataSource(name="Shops", access_id="acc", created=Ticks(1))


async def content() -> AsyncIterator[bytes]:
    yield b"content"


async def write(desk: Desk, container: str, name: str) -> None:
    await desk.account.blobs.write(BlobPath(container, f"{desk.account.name}/{name}"), content())


async def store(desk: Desk, source: DataSource) -> None:
    await desk.account.data_sources.change(source.name, lambda _: source)


def at(days: float) -> Ticks:
    """A moment so many days from now."""
    return Ticks(int(now() + days * DAY))


def set_storage_clock(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    """Sets storage's clock so many days ahead."""
    observe = StorageClock.observe

    def later(clock: StorageClock, date: str | None) -> None:
        observe(clock, date)
        clock.last_date = Ticks(int((clock.last_date or 0) + days * DAY))

    monkeypatch.setattr(StorageClock, "observe", later)


def set_worker_clock(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    """Sets the worker's own clock so many days off."""

    class Off(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Off":
            return cast("Off", datetime.now(tz) + timedelta(days=days))

    monkeypatch.setattr("adapters.storage_clock.datetime", Off)
    monkeypatch.setattr("proxy.worker.job.datetime", Off)


async def test_unreferenced_entities_and_old_uploads_are_deleted(desk: Desk) -> None:
    jobs = [await desk.done(desk.load(shops(each))) for each in "abcd"]
    staged = await desk.done(desk.load(shops("s"), "completeStaging"))
    published = await desk.done(desk.publish())  # its entities stay in the blob of the load
    assert (len(await desk.blobs(VERSIONS)), len(await desk.blobs(UPLOADS))) == (5, 5)
    await clean_up(desk.account)
    assert await desk.blobs(UPLOADS) == []
    retained = [jobs[2].row_key, jobs[3].row_key, staged.row_key]
    assert [name.partition("-")[0] for name in await desk.blobs(VERSIONS)] == [f"shops/{each}" for each in retained]
    assert published.row_key not in retained
    assert set(await desk.published()) == {"s"}


async def test_data_of_unfinished_or_unknown_jobs_stays(desk: Desk, storage: Storage) -> None:
    pending, rowless = await desk.create_row(JobType.COMPLETE), new_job_id(at(-40))
    finished = await desk.create_row(JobType.COMPLETE)
    await desk.account.jobs.complete(await desk.ended(finished))
    broken = storage.job("NoSuchType")
    retained, versions = {pending, rowless, broken}, set[str]()
    for job_id in (*retained, finished):
        await write(desk, UPLOADS, job_id)
        for name in (f"shops/{job_id}.parquet", f"shops/{job_id}-0123456789ab.parquet"):
            await write(desk, VERSIONS, name)
            versions |= {name} if job_id != finished else set()
    await write(desk, VERSIONS, "shops/whatever.parquet")
    await clean_up(desk.account)
    assert set(await desk.blobs(UPLOADS)) == retained
    assert set(await desk.blobs(VERSIONS)) == versions | {"shops/whatever.parquet"}


@pytest.mark.parametrize(("days", "stays"), [(0.9, True), (1.1, False)])
async def test_orphans_and_worker_rows_are_deleted_after_a_day(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, days: float, *, stays: bool
) -> None:
    rowless = new_job_id(at(0))
    await write(desk, UPLOADS, rowless)
    await write(desk, VERSIONS, f"shops/{rowless}-0123456789ab.parquet")
    await desk.account.workers.write(WorkerRow("host:7:a1b2c3", at(0), "0.1.0"))
    set_storage_clock(monkeypatch, days)
    await clean_up(desk.account)
    left = await desk.blobs(UPLOADS), await desk.blobs(VERSIONS), await desk.account.workers.list_all()
    assert [len(each) for each in left] == [stays] * 3


async def test_data_of_another_deployment_stays(desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = new_job_id(at(0))
    other = BlobStore(desk.account.blob_service(), "otherjobs")
    names = {
        UPLOADS: f"{storage.account}/{job_id}",
        VERSIONS: f"{storage.account}/shops/{job_id}-0123456789ab.parquet",
    }
    for container, name in names.items():
        await other.write(BlobPath(container, name), content())
    await store(desk, replace(SHOPS, deleting=job_id))
    await clean_up(desk.account)
    assert (await desk.the_source()).deleting == job_id
    set_storage_clock(monkeypatch, 1.1)
    await clean_up(desk.account)
    assert [storage.blob(*each) for each in names.items()] == [b"content"] * 2
    await other.close()


@pytest.mark.parametrize("days", [-40, 40])
async def test_cleanup_does_not_use_the_workers_clock(desk: Desk, monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    await desk.done(desk.load(shops("a")))
    await desk.done(desk.load(shops("b"), "completeStaging"))
    await clean_up(desk.account)
    await write(desk, UPLOADS, new_job_id(at(0)))
    lost = await desk.create_row(JobType.ACCESS, public=True)
    before = await desk.the_source(), await desk.blobs(UPLOADS), await desk.blobs(VERSIONS)
    set_worker_clock(monkeypatch, days)
    await clean_up(desk.account)
    assert (await desk.the_source(), await desk.blobs(UPLOADS), await desk.blobs(VERSIONS)) == before
    assert await desk.account.queue.approximate_length() == 0
    # What it does itself is dated like what others do.
    await desk.account.queue.enqueue(lost)
    staged = await desk.done(desk.load(shops("c"), "completeStaging"))
    monkeypatch.undo()
    assert at(29.9) < ((await desk.the_source()).staged_until or 0) < at(30.1)
    assert at(-0.1) < (staged.completed or 0) < at(0.1)


async def test_storage_without_a_clock_is_left_as_it_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StorageClock, "observe", lambda *_: None)
    set_worker_clock(monkeypatch, 40)
    await write(desk, UPLOADS, new_job_id(at(0)))
    await clean_up(desk.account)
    assert len(await desk.blobs(UPLOADS)) == 1


async def test_only_outputs_of_lost_attempts_are_deleted(desk: Desk) -> None:
    await desk.done(desk.load(shops("a", "a")))
    job = await desk.done(desk.download())
    pending, gone = await desk.create_row(JobType.DOWNLOAD, version=None), new_job_id(at(0))
    lost = f"{job.row_key}/0123456789ab/Shops.xml"
    retained = {
        f"{job.row_key}/Shops.xml",  # of another program
        f"{job.row_key}/0123456789ab/more/Shops.xml",
        f"{pending}/0123456789ab/Shops.xml",
        f"{gone}/0123456789ab/Shops.xml",
        "whatever/0123456789ab/Shops.xml",
    }
    before = set(await desk.blobs(EXPORTS))
    assert len(before) == 2  # an error log and a download
    for name in (lost, *retained):
        await write(desk, EXPORTS, name)
    await clean_up(desk.account)
    assert set(await desk.blobs(EXPORTS)) == before | retained


async def test_reservation_of_a_name_is_removed(desk: Desk, storage: Storage) -> None:
    storage.data_source_row("shops", **Storage.OF_A_DATA_SOURCE, Reserved=True)
    storage.data_source_row("cafes", **Storage.OF_A_DATA_SOURCE, Reserved=False)
    assert await desk.source() is None
    await clean_up(desk.account)
    with storage.datasources() as table:
        rows = table.query_entities(f"PartitionKey eq '{storage.account}'")
        assert [row["RowKey"] for row in rows] == ["cafes"]


async def test_versions_of_an_unreadable_row_stay(desk: Desk, storage: Storage) -> None:
    await desk.done(desk.load(shops("a")))
    before = await desk.blobs(VERSIONS)
    with storage.datasources() as table:
        table.update_entity({"PartitionKey": storage.account, "RowKey": "shops", "Published": "{broken"})
        await clean_up(desk.account)
        assert await desk.blobs(VERSIONS) == before


async def test_staged_versions_end_after_thirty_days(desk: Desk) -> None:
    await desk.done(desk.load(shops("a")))
    await desk.done(desk.load(shops("b"), "completeStaging"))
    await desk.done(desk.load(shops("c"), "completeStaging", name="Cafes"))
    for name in ("Shops", "Cafes"):
        source = await desk.source(name)
        assert source is not None
        assert at(29.9) < (source.staged_until or 0) < at(30.1)
        await store(desk, replace(source, staged_until=at(0)))
    await clean_up(desk.account)
    assert (await desk.the_source()).staged is None
    assert await desk.source("Cafes") is None
    assert len(await desk.blobs(VERSIONS)) == 1


async def test_mark_of_a_given_up_delete_is_removed(desk: Desk) -> None:
    await desk.done(desk.load(shops("a")))
    waiting, over = await desk.create_row(JobType.DELETE), await desk.create_row(JobType.DELETE)
    await desk.account.jobs.complete(await desk.ended(over, JobStatus.ABORTED))
    for deleting, after in ((waiting, waiting), (over, None)):
        await store(desk, replace(await desk.the_source(), deleting=deleting))
        await clean_up(desk.account)
        assert (await desk.the_source()).deleting == after


async def test_mark_of_a_newer_delete_stays(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.done(desk.load(shops("a")))
    over, newer = await desk.create_row(JobType.DELETE), await desk.create_row(JobType.DELETE)
    await desk.account.jobs.complete(await desk.ended(over, JobStatus.ABORTED))
    await store(desk, replace(await desk.the_source(), deleting=newer))
    stale = [replace(await desk.the_source(), deleting=over)]

    async def read(_: DataSourceStore) -> list[DataSource]:
        return stale

    monkeypatch.setattr(DataSourceStore, "list_all", read)
    await clean_up(desk.account)
    assert (await desk.the_source()).deleting == newer


async def test_job_with_a_lost_message_is_enqueued_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = await desk.create_row(JobType.ACCESS, "Lost", public=True)
    claim = Claim("the lost message", "0123456789ab", "worker", 1, at(0))
    held = await desk.account.jobs.get_held(lost)
    assert held is not None
    assert await desk.account.jobs.claim(held, claim)
    monkeypatch.setattr("proxy.worker.cleanup.ENQUEUE_GRACE", 0)
    await clean_up(desk.account)
    assert await desk.account.queue.approximate_length() == 1
    await clean_up(desk.account)  # now it has a message
    assert await desk.account.queue.approximate_length() == 1
    await desk.work()
    assert (await desk.record(lost)).status is JobStatus.ABORTED


async def test_young_job_is_not_enqueued_again(desk: Desk, storage: Storage) -> None:
    await desk.create_row(JobType.ACCESS, public=True, job_id=new_job_id(at(-0.5)))  # by a clock that is behind
    storage.job(status="Pending")
    await clean_up(desk.account)
    assert await desk.account.queue.approximate_length() == 0


async def test_job_never_confirmed_is_aborted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    record = await desk.record(await desk.create_row(JobType.COMPLETE))
    old, young = (replace(record, row_key=new_job_id(at(0))) for _ in range(2))
    for record, age in ((old, 0), (young, 60 * PER_SECOND)):
        await desk.account.jobs.create(replace(record, unconfirmed=True), "{}")
        await desk.account.queue.enqueue(record.row_key)
        monkeypatch.setattr("proxy.worker.cleanup.ENQUEUE_GRACE", age)
        await clean_up(desk.account)
    assert (await desk.record(old.row_key)).status is JobStatus.ABORTED
    assert "Create it again" in ((await desk.record(old.row_key)).error_message or "")
    assert (await desk.record(young.row_key)).status is JobStatus.PENDING
    assert not await desk.account.jobs.confirm(old, "{}")  # the late request fails
    assert await desk.account.jobs.confirm(young, "{}")
    assert await desk.account.jobs.confirm(young, "{}")
    assert await desk.record(young.row_key) == young


@pytest.mark.parametrize(("days", "stays"), [(0.9, True), (1.1, False)])
async def test_checkpoints_of_a_job_that_vanished_are_deleted_after_a_day(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, days: float, *, stays: bool
) -> None:
    folder = f"geocode/{new_job_id(at(0))}"
    for name in ("plan.json", "0123456789ab/0.jsonl", "0.jsonl"):
        await write(desk, UPLOADS, f"{folder}/{name}")
    await write(desk, UPLOADS, "geocode/of-another-program/plan.json")
    set_storage_clock(monkeypatch, days)
    await clean_up(desk.account)
    assert len(await desk.blobs(UPLOADS)) == (4 if stays else 1)


async def test_checkpoints_of_a_finished_job_are_deleted_and_of_a_pending_one_stay(
    desk: Desk, storage: Storage
) -> None:
    folders = [f"geocode/{storage.job('Geocode', status)}" for status in ("Pending", "Completed", "Aborted")]
    for folder in folders:
        await write(desk, UPLOADS, f"{folder}/plan.json")
        await write(desk, UPLOADS, f"{folder}/0123456789ab/0.jsonl")
    await clean_up(desk.account)
    assert sorted(await desk.blobs(UPLOADS)) == [f"{folders[0]}/0123456789ab/0.jsonl", f"{folders[0]}/plan.json"]


async def test_counters_of_old_days_go_and_those_of_other_accounts_stay(desk: Desk, storage: Storage) -> None:
    name = desk.account.name
    today = datetime.now(UTC).date()
    kept = [f"maps:{name}:{today - timedelta(days=days):%Y%m%d}" for days in (0, 1, 59)]
    others = [f"maps:{name}:1:20200101", f"maps:{name}x:20200101"]
    gone = [f"maps:{name}:{today - timedelta(days=days):%Y%m%d}" for days in (61, 400)]
    for key in (*kept, *others, *gone):
        storage.table.upsert_entity({"PartitionKey": "~counters", "RowKey": key, "Items": 1})
    await clean_up(desk.account)
    left = {row["RowKey"] for row in storage.table.query_entities("PartitionKey eq '~counters'")}
    assert left.issuperset({*kept, *others})
    assert not left.intersection(gone)
    for key in (*kept, *others):
        storage.table.delete_entity("~counters", key)
