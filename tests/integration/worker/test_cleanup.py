"""The sweep: what nobody needs is deleted, never sooner, and lost messages are put again."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import cast

import pytest

from adapters.blobs.store import EXPORTS, UPLOADS, VERSIONS, BlobStore
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath, JobStatus, JobType
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.storage_clock import StorageClock
from adapters.tables.data_source_store import DataSource, DataSourceStore
from adapters.tables.leased_jobs import Claim
from adapters.tables.worker_rows import WorkerRow
from proxy.worker.cleanup import sweep
from proxy.worker.job import now
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops

DAY = 86_400 * PER_SECOND


SHOPS = DataSource(name="Shops", access_id="acc", created=Ticks(1))


async def content() -> AsyncIterator[bytes]:
    yield b"content"


async def write(desk: Desk, container: str, name: str) -> None:
    await desk.account.blobs.write(BlobPath(container, f"{desk.account.name}/{name}"), content())


async def put(desk: Desk, source: DataSource) -> None:
    await desk.account.data_sources.change(source.name, lambda _: source)


def at(days: float) -> Ticks:
    """A moment so many days from now."""
    return Ticks(int(now() + days * DAY))


def storage_is(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    """Lets storage's clock be so many days on, and with it what is written by it from now on."""
    hear = StorageClock.observe

    def later(clock: StorageClock, date: str | None) -> None:
        hear(clock, date)
        clock.told_at = Ticks(int((clock.told_at or 0) + days * DAY))

    monkeypatch.setattr(StorageClock, "observe", later)


def machine_is(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    """Lets the worker's own clock be so many days off."""

    class Off(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Off":
            return cast("Off", datetime.now(tz) + timedelta(days=days))

    monkeypatch.setattr("adapters.storage_clock.datetime", Off)
    monkeypatch.setattr("proxy.worker.job.datetime", Off)


def test_what_no_version_refers_to_is_deleted(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        jobs = [await desk.done(desk.load(shops(each))) for each in "abcd"]
        staged = await desk.done(desk.load(shops("s"), "completeStaging"))
        published = await desk.done(desk.publish())  # its entities lie where the load has put them
        assert len(await desk.blobs(VERSIONS)) == 5
        await sweep(desk.account)
        kept = [jobs[2].row_key, jobs[3].row_key, staged.row_key]
        assert [name.partition("-")[0] for name in await desk.blobs(VERSIONS)] == [f"shops/{each}" for each in kept]
        assert published.row_key not in kept
        assert set(await desk.published()) == {"s"}

    play(storage, story)


def test_what_a_job_may_still_need_stays(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        pending, rowless = await desk.create_row(JobType.COMPLETE), new_job_id(at(-40))
        finished = await desk.create_row(JobType.COMPLETE)
        await desk.account.jobs.complete(await desk.ended(finished))
        broken = storage.job("NoSuchType")
        kept, versions = {pending, rowless, broken}, set[str]()
        for job_id in (*kept, finished):
            await write(desk, UPLOADS, job_id)
            for name in (f"shops/{job_id}.parquet", f"shops/{job_id}-0123456789ab.parquet"):
                await write(desk, VERSIONS, name)
                versions |= {name} if job_id != finished else set()
        await write(desk, VERSIONS, "shops/whatever.parquet")
        await sweep(desk.account)
        assert set(await desk.blobs(UPLOADS)) == kept
        assert set(await desk.blobs(VERSIONS)) == versions | {"shops/whatever.parquet"}

    play(storage, story)


@pytest.mark.parametrize(("days", "is_kept"), [(0.9, True), (1.1, False)])
def test_data_without_a_job_s_row_goes_when_its_blob_is_a_day_old_by_storage_s_clock(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, days: float, *, is_kept: bool
) -> None:
    async def story(desk: Desk) -> None:
        rowless = new_job_id(at(0))
        await write(desk, UPLOADS, rowless)
        await write(desk, VERSIONS, f"shops/{rowless}-0123456789ab.parquet")
        storage_is(monkeypatch, days)
        await sweep(desk.account)
        assert (len(await desk.blobs(UPLOADS)), len(await desk.blobs(VERSIONS))) == (is_kept, is_kept)

    play(storage, story)


def test_the_data_of_a_deployment_whose_jobs_lie_in_another_table_stays(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(desk: Desk) -> None:
        job_id = new_job_id(at(0))
        other = BlobStore(desk.account.blob_service(), "otherjobs")
        names = {
            UPLOADS: f"{storage.account}/{job_id}",
            VERSIONS: f"{storage.account}/shops/{job_id}-0123456789ab.parquet",
        }
        for container, name in names.items():
            await other.write(BlobPath(container, name), content())
        await put(desk, replace(SHOPS, deleting=job_id))
        await sweep(desk.account)
        assert (await desk.the_source()).deleting == job_id
        storage_is(monkeypatch, 1.1)
        await sweep(desk.account)
        assert [storage.blob(*each) for each in names.items()] == [b"content"] * 2
        await other.close()

    play(storage, story)


@pytest.mark.parametrize("days", [-40, 40])
def test_a_worker_whose_clock_is_weeks_wrong_sweeps_like_any_other(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, days: float
) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))
        await desk.done(desk.load(shops("b"), "completeStaging"))
        await write(desk, UPLOADS, new_job_id(at(0)))
        lost = await desk.create_row(JobType.ACCESS, public=True)
        before = await desk.the_source(), await desk.blobs(UPLOADS), await desk.blobs(VERSIONS)
        machine_is(monkeypatch, days)
        await sweep(desk.account)
        assert (await desk.the_source(), await desk.blobs(UPLOADS), await desk.blobs(VERSIONS)) == before
        assert await desk.account.queue.length() == 0
        # What it does itself is dated like what others do.
        await desk.account.queue.enqueue(lost)
        staged = await desk.done(desk.load(shops("c"), "completeStaging"))
        monkeypatch.undo()
        assert at(29.9) < ((await desk.the_source()).staged_until or 0) < at(30.1)
        assert at(-0.1) < (staged.completed or 0) < at(0.1)

    play(storage, story)


def test_storage_that_does_not_tell_its_time_is_left_as_it_is(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StorageClock, "observe", lambda *_: None)
    machine_is(monkeypatch, 40)

    async def story(desk: Desk) -> None:
        await write(desk, UPLOADS, new_job_id(at(0)))
        await sweep(desk.account)
        assert len(await desk.blobs(UPLOADS)) == 1

    play(storage, story)


def test_what_lost_tries_have_handed_out_goes_and_nothing_else(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a", "a")))
        job = await desk.done(desk.download())
        pending, gone = await desk.create_row(JobType.DOWNLOAD, version=None), new_job_id(at(0))
        lost = f"{job.row_key}/0123456789ab/Shops.xml"
        kept = {
            f"{job.row_key}/Shops.xml",  # as a version of this program before tries had names, or somebody else
            f"{job.row_key}/0123456789ab/more/Shops.xml",
            f"{pending}/0123456789ab/Shops.xml",
            f"{gone}/0123456789ab/Shops.xml",
            "whatever/0123456789ab/Shops.xml",
        }
        before = set(await desk.blobs(EXPORTS))
        assert len(before) == 2  # an error log and a download
        for name in (lost, *kept):
            await write(desk, EXPORTS, name)
        await sweep(desk.account)
        assert set(await desk.blobs(EXPORTS)) == before | kept

    play(storage, story)


def test_the_name_of_a_data_source_that_nobody_made_after_all_is_free_again(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        storage.data_source_row("shops", **Storage.OF_A_DATA_SOURCE, Reserved=True)
        storage.data_source_row("cafes", **Storage.OF_A_DATA_SOURCE, Reserved=False)
        assert await desk.source() is None
        await sweep(desk.account)
        with storage.datasources() as table:
            rows = table.query_entities(f"PartitionKey eq '{storage.account}'")
            assert [row["RowKey"] for row in rows] == ["cafes"]

    play(storage, story)


@pytest.mark.parametrize(("days", "is_kept"), [(0.9, True), (1.1, False)])
def test_the_row_of_a_worker_that_is_gone_is_deleted_after_a_day(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, days: float, *, is_kept: bool
) -> None:
    async def story(desk: Desk) -> None:
        await desk.account.workers.write(WorkerRow("host:7:a1b2c3", at(0), "0.1.0"))
        storage_is(monkeypatch, days)
        await sweep(desk.account)
        assert len(await desk.account.workers.all()) == is_kept

    play(storage, story)


def test_versions_of_a_row_that_can_not_be_read_stay(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))
        before = await desk.blobs(VERSIONS)
        with storage.datasources() as table:
            table.update_entity({"PartitionKey": storage.account, "RowKey": "shops", "Published": "{broken"})
            await sweep(desk.account)
            assert await desk.blobs(VERSIONS) == before

    play(storage, story)


def test_staged_versions_end_after_thirty_days(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))
        await desk.done(desk.load(shops("b"), "completeStaging"))
        await desk.done(desk.load(shops("c"), "completeStaging", name="Cafes"))
        for name in ("Shops", "Cafes"):
            source = await desk.source(name)
            assert source is not None
            assert at(29.9) < (source.staged_until or 0) < at(30.1)
            await put(desk, replace(source, staged_until=at(0)))
        await sweep(desk.account)
        assert (await desk.the_source()).staged is None
        assert await desk.source("Cafes") is None
        assert len(await desk.blobs(VERSIONS)) == 1

    play(storage, story)


def test_a_data_source_whose_delete_was_given_up_is_free_again(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))
        waiting, over = await desk.create_row(JobType.DELETE), await desk.create_row(JobType.DELETE)
        await desk.account.jobs.complete(await desk.ended(over, JobStatus.ABORTED))
        for deleting, after in ((waiting, waiting), (over, None)):
            await put(desk, replace(await desk.the_source(), deleting=deleting))
            await sweep(desk.account)
            assert (await desk.the_source()).deleting == after

    play(storage, story)


def test_what_came_after_a_given_up_delete_is_not_freed(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))
        over, newer = await desk.create_row(JobType.DELETE), await desk.create_row(JobType.DELETE)
        await desk.account.jobs.complete(await desk.ended(over, JobStatus.ABORTED))
        await put(desk, replace(await desk.the_source(), deleting=newer))
        stale = [replace(await desk.the_source(), deleting=over)]

        async def read(_: DataSourceStore) -> list[DataSource]:
            return stale

        monkeypatch.setattr(DataSourceStore, "all", read)
        await sweep(desk.account)
        assert (await desk.the_source()).deleting == newer

    play(storage, story)


def test_a_job_whose_message_was_lost_gets_another(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        lost = await desk.create_row(JobType.ACCESS, "Lost", public=True)
        claim = Claim("the lost message", "0123456789ab", "worker", 1, at(0))
        held = await desk.account.jobs.get_held(lost)
        assert held is not None
        assert await desk.account.jobs.claim(held, claim)
        monkeypatch.setattr("proxy.worker.cleanup.ENQUEUE_GRACE", 0)
        await sweep(desk.account)
        assert await desk.account.queue.length() == 1
        await sweep(desk.account)  # now it has a message
        assert await desk.account.queue.length() == 1
        await desk.work()
        assert (await desk.record(lost)).status is JobStatus.ABORTED

    play(storage, story)


def test_a_job_that_is_just_being_created_has_no_message_yet(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        await desk.create_row(JobType.ACCESS, public=True, job_id=new_job_id(at(-0.5)))  # by a clock that is behind
        storage.job(status="Pending")
        await sweep(desk.account)
        assert await desk.account.queue.length() == 0

    play(storage, story)


def test_a_job_that_was_never_confirmed_is_ended_and_not_done(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(desk: Desk) -> None:
        record = await desk.record(await desk.create_row(JobType.COMPLETE))
        old, young = (replace(record, row_key=new_job_id(at(0))) for _ in range(2))
        for record, age in ((old, 0), (young, 60 * PER_SECOND)):
            await desk.account.jobs.create(replace(record, unconfirmed=True), "{}")
            await desk.account.queue.enqueue(record.row_key)
            monkeypatch.setattr("proxy.worker.cleanup.ENQUEUE_GRACE", age)
            await sweep(desk.account)
        assert (await desk.record(old.row_key)).status is JobStatus.ABORTED
        assert "Create it again" in ((await desk.record(old.row_key)).error_message or "")
        assert (await desk.record(young.row_key)).status is JobStatus.PENDING
        assert not await desk.account.jobs.confirm(old, "{}")  # who wakes up late is told
        assert await desk.account.jobs.confirm(young, "{}")
        assert await desk.account.jobs.confirm(young, "{}")
        assert await desk.record(young.row_key) == young

    play(storage, story)
