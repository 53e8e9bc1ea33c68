"""Publishing, rolling back, making public, deleting, downloading: each as its owner sees it."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.blobs.store import VERSIONS
from adapters.model.jobs import JobStatus, JobType
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.tables.data_source_store import DataSource, DataSourceStore
from proxy.formats.loader import InputFormat
from proxy.worker.job import now
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, of_a_try, play, shops


def test_a_staged_version_is_published(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("staged"), "completeStaging"))
        assert (await desk.the_source()).published is None
        job = await desk.done(desk.publish())
        assert (job.status, job.access_id) == (JobStatus.COMPLETED, "acc")
        source = await desk.the_source()
        assert source.published is not None
        assert source.published.job_id == job.row_key
        assert source.staged is None
        assert set(await desk.published()) == {"staged"}

    play(storage, story)


def test_an_earlier_version_is_current_again(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        first, second, _ = [await desk.done(desk.load(shops(each))) for each in "abc"]
        job = await desk.done(desk.rollback(first.row_key))
        assert (job.status, job.access_id) == (JobStatus.COMPLETED, "acc")
        source = await desk.the_source()
        assert set(await desk.published()) == {"a"}
        assert [set(await desk.notes(version)) for version in source.earlier] == [{"c"}, {"b"}]
        # The next load shifts it like any other.
        await desk.done(desk.load(shops("d")))
        assert second.row_key not in {version.job_id for version in (await desk.the_source()).earlier}

    play(storage, story)


def test_what_is_not_there_aborts(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        for job in (
            desk.publish(),
            desk.rollback("0" * 32),
            desk.download(),
            desk.create(JobType.ACCESS, public=True),
            desk.delete(staging=True),
        ):
            record = await desk.done(job)
            assert (record.status, record.error_message) == (JobStatus.ABORTED, "There is no such data source.")
        await desk.done(desk.load(shops("a")))
        for job, reason in (
            (desk.publish(), "The data source has no staged version."),
            (desk.rollback("0" * 32), "The data source has no such earlier version."),
            (desk.download("0" * 32), "The data source has no such version."),
        ):
            record = await desk.done(job)
            assert (record.status, record.error_message) == (JobStatus.ABORTED, reason)

    play(storage, story)


def test_a_data_source_is_made_public_and_private(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))
        for public in (True, False):
            job = await desk.done(desk.create(JobType.ACCESS, public=public))
            assert (job.status, job.access_id) == (JobStatus.COMPLETED, "acc")
            assert (await desk.the_source()).is_public is public

    play(storage, story)


def test_a_deleted_data_source_leaves_nothing_and_may_be_made_anew(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))
        await desk.done(desk.load(shops("b"), "completeStaging"))
        await desk.done(desk.load(shops("other"), name="Shops2"))
        job = await desk.done(desk.delete())
        assert job.status is JobStatus.COMPLETED
        assert await desk.source() is None
        assert [name.split("/")[0] for name in await desk.blobs(VERSIONS)] == ["shops2"]
        await desk.done(desk.load(shops("c"), access_id="new"))
        source = await desk.the_source()
        assert (source.access_id, source.earlier, source.staged) == ("new", (), None)

    play(storage, story)


@pytest.mark.parametrize("skew", [-30, 0, 30])
@pytest.mark.parametrize("kind", ["delete", "delete staged", "publish", "rollback", "access", "download"])
def test_a_job_is_for_the_data_source_that_its_request_meant_whatever_the_clocks_say(
    storage: Storage, kind: str, skew: int
) -> None:
    """The data source was made by a machine whose clock is so many seconds off that of the job's."""

    async def story(desk: Desk) -> None:
        first, second = [await desk.done(desk.load(shops(each))) for each in "ab"]
        await desk.done(desk.load(shops("s"), "completeStaging"))
        there = replace(await desk.the_source(), created=Ticks(now() + skew * PER_SECOND))
        await desk.account.data_sources.change("Shops", lambda _: there)
        asked: dict[str, tuple[JobType, dict[str, Any]]] = {
            "delete": (JobType.DELETE, {"staging": False}),
            "delete staged": (JobType.DELETE, {"staging": True}),
            "publish": (JobType.PUBLISH, {}),
            "rollback": (JobType.ROLLBACK, {"version": first.row_key}),
            "access": (JobType.ACCESS, {"public": True}),
            "download": (JobType.DOWNLOAD, {"version": second.row_key}),
        }
        job_type, work = asked[kind]
        meant = replace(there, created=Ticks(there.created - 1))  # deleted since, and made anew under its name
        other = await desk.done(desk.create(job_type, **work, source=meant.identity))
        assert other.status is JobStatus.ABORTED
        assert str(other.error_message).startswith("The data source Shops that this job was created for is not there")
        assert await desk.source() == there
        same = await desk.done(desk.create(job_type, **work, source=there.identity))
        assert (same.status, same.error_message) == (JobStatus.COMPLETED, None)
        assert (await desk.source() is None) == (kind == "delete")
        assert await desk.source() != there or kind == "download"

    play(storage, story)


def test_a_delete_that_is_completed_has_deleted(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody takes its mark away before it has deleted, once."""

    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))
        change, calls = DataSourceStore.change, 0

        async def meddled(store: DataSourceStore, *arguments: Any) -> DataSource | None:
            nonlocal calls
            calls += 1
            if calls == 2:
                await change(store, "Shops", lambda source: source and replace(source, deleting=None))
            return await change(store, *arguments)

        monkeypatch.setattr(DataSourceStore, "change", meddled)
        monkeypatch.setattr("proxy.worker.attempt.LONGEST_WAIT", 0.0)
        job = await desk.done(desk.delete())
        assert (job.status, await desk.source()) == (JobStatus.COMPLETED, None)

    play(storage, story)


def test_a_staged_delete_done_again_after_it_deleted_all_there_was_is_completed(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("b"), "completeStaging"))
        meant = (await desk.the_source()).identity
        for _ in range(2):
            job = await desk.done(desk.create(JobType.DELETE, staging=True, source=meant))
            assert (job.status, await desk.source()) == (JobStatus.COMPLETED, None)

    play(storage, story)


@pytest.mark.parametrize("published", [True, False])
def test_a_staged_version_is_deleted_alone(storage: Storage, *, published: bool) -> None:
    async def story(desk: Desk) -> None:
        if published:
            await desk.done(desk.load(shops("a")))
        await desk.done(desk.load(shops("b"), "completeStaging"))
        job = await desk.done(desk.delete(staging=True))
        assert job.status is JobStatus.COMPLETED
        assert len(await desk.blobs(VERSIONS)) == published
        source = await desk.source()
        assert (source is not None) == published
        assert source is None or source.staged is None

    play(storage, story)


def test_nothing_is_done_to_a_data_source_that_is_being_deleted(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))
        await desk.account.data_sources.change(
            "Shops", lambda source: None if source is None else replace(source, deleting="0" * 32)
        )
        for create in (desk.load(shops("b")), desk.create(JobType.ACCESS, public=True)):
            job = await desk.done(create)
            assert (job.status, job.error_message) == (JobStatus.ABORTED, "The data source is being deleted.")

    play(storage, story)


def test_a_download_is_what_a_load_takes(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        first = await desk.done(desk.load(shops("a", note='"<é>"')))
        await desk.done(desk.load(shops("b", "c"), "complete"))
        job = await desk.done(desk.download())
        assert (job.status, job.access_id, job.total, job.processed) == (JobStatus.COMPLETED, "acc", 2, 2)
        assert of_a_try(job.output_blob, f"exports/{storage.account}/{job.row_key}/{{}}/Shops.xml")
        newest = await desk.account.jobs.newest_download("shops")
        assert newest == job
        job = await desk.done(desk.download(first.row_key))
        xml = (await desk.text(job.output_blob)).encode()
        again = await desk.done(desk.load(xml, input=InputFormat.XML.value))
        assert again.status is JobStatus.COMPLETED
        assert await desk.published() == {"a": "<é>"}

    play(storage, story)


def test_a_staged_and_an_earlier_version_are_downloaded_by_their_ids(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        earlier = await desk.done(desk.load(shops("earlier")))
        await desk.done(desk.load(shops("b")))
        staged = await desk.done(desk.load(shops("staged"), "completeStaging"))
        for version, text in ((earlier, ">earlier<"), (staged, ">staged<")):
            job = await desk.done(desk.download(version.row_key))
            assert text in await desk.text(job.output_blob)

    play(storage, story)
