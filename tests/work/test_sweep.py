"""The sweep: what nobody needs is deleted, never sooner, and lost messages are put again."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.datasources import DataSource, DataSourceStore
from adapters.files import UPLOADS, VERSIONS
from adapters.ids import new_job_id
from adapters.records import BlobPath, JobStatus, JobType
from adapters.ticks import PER_SECOND, Ticks
from proxy.work.job import now
from proxy.work.sweep import sweep
from tests.storage import Storage
from tests.work.desk import Desk, play, shops

DAY = 86_400 * PER_SECOND


async def write(desk: Desk, container: str, name: str) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"content"

    await desk.account.files.write(BlobPath(container, f"{desk.account.name}/{name}"), content())


async def put(desk: Desk, source: DataSource) -> None:
    await desk.account.datasources.change(source.name, lambda _: source)


def at(days: float) -> Ticks:
    """A moment so many days from now."""
    return Ticks(int(now() + days * DAY))


def test_what_no_version_refers_to_is_deleted(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        jobs = [await desk.done(desk.load(shops(each))) for each in "abcd"]
        staged = await desk.done(desk.load(shops("s"), "completeStaging"))
        published = await desk.done(desk.publish())  # its entities lie where the load has put them
        assert len(await desk.blobs(VERSIONS)) == 5
        await sweep(desk.account)
        kept = [jobs[2].row_key, jobs[3].row_key, staged.row_key]
        assert await desk.blobs(VERSIONS) == [f"shops/{job_id}.parquet" for job_id in kept]
        assert published.row_key not in kept
        assert set(await desk.published()) == {"s"}

    play(storage, story)


def test_what_a_job_may_still_need_stays(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        pending = await desk.create_row(JobType.COMPLETE)
        young, old = new_job_id(at(-0.9)), new_job_id(at(-1.1))
        finished = await desk.create_row(JobType.COMPLETE)
        await desk.account.jobs.finish(await desk.ended(finished))
        broken = storage.job("NoSuchType")
        for job_id in (pending, young, old, finished, broken):
            await write(desk, UPLOADS, job_id)
            await write(desk, VERSIONS, f"shops/{job_id}.parquet")
        await write(desk, VERSIONS, "shops/whatever.parquet")
        await sweep(desk.account)
        kept = {pending, young, broken}
        assert set(await desk.blobs(UPLOADS)) == kept
        kept_versions = {f"shops/{name}.parquet" for name in (*kept, "whatever")}
        assert set(await desk.blobs(VERSIONS)) == kept_versions

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
        await desk.account.jobs.finish(await desk.ended(over, JobStatus.ABORTED))
        for deleting, after in ((waiting, waiting), (over, None)):
            await put(desk, replace(await desk.the_source(), deleting=deleting))
            await sweep(desk.account)
            assert (await desk.the_source()).deleting == after

    play(storage, story)


def test_what_came_after_a_given_up_delete_is_not_freed(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))
        over, newer = await desk.create_row(JobType.DELETE), await desk.create_row(JobType.DELETE)
        await desk.account.jobs.finish(await desk.ended(over, JobStatus.ABORTED))
        await put(desk, replace(await desk.the_source(), deleting=newer))
        stale = [replace(await desk.the_source(), deleting=over)]

        async def read(_: DataSourceStore) -> list[DataSource]:
            return stale

        monkeypatch.setattr(DataSourceStore, "all", read)
        await sweep(desk.account)
        assert (await desk.the_source()).deleting == newer

    play(storage, story)


def test_a_job_whose_message_was_lost_gets_another(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        lost = await desk.create_row(JobType.ACCESS, "Lost", job_id=new_job_id(at(-0.01)), public=True)
        await sweep(desk.account)
        assert await desk.account.queue.length() == 1
        await sweep(desk.account)  # now it has a message
        assert await desk.account.queue.length() == 1
        await desk.work()
        assert (await desk.record(lost)).status is JobStatus.ABORTED

    play(storage, story)


def test_a_job_that_is_just_being_created_has_no_message_yet(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        await desk.create_row(JobType.ACCESS, public=True)
        storage.job(status="Pending")
        await sweep(desk.account)
        assert await desk.account.queue.length() == 0

    play(storage, story)


def test_a_job_that_was_never_confirmed_is_ended_and_not_done(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        record = await desk.record(await desk.create_row(JobType.COMPLETE))
        old, young = (replace(record, row_key=new_job_id(at(days))) for days in (-0.01, 0))
        for record in (old, young):
            await desk.account.jobs.create(replace(record, unconfirmed=True), "{}")
            await desk.account.queue.put(record.row_key)
        await sweep(desk.account)
        assert (await desk.record(old.row_key)).status is JobStatus.ABORTED
        assert "Create it again" in ((await desk.record(old.row_key)).error_message or "")
        assert (await desk.record(young.row_key)).status is JobStatus.PENDING
        assert not await desk.account.jobs.confirm(old, "{}")  # who wakes up late is told
        assert await desk.account.jobs.confirm(young, "{}")
        assert await desk.account.jobs.confirm(young, "{}")
        assert await desk.record(young.row_key) == young

    play(storage, story)
