"""Publishing, rolling back, making public, deleting, downloading: each as its owner sees it."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.blobs.store import VERSIONS
from adapters.model.data_sources import DataSource
from adapters.model.jobs import JobStatus, JobType
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.tables.data_source_store import DataSourceStore
from proxy.formats.loader import InputFormat
from proxy.worker.job import now
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, is_try_blob, shops


async def test_staged_version_is_published(desk: Desk) -> None:
    await desk.done(desk.load(shops("staged"), "completeStaging"))
    assert (await desk.the_source()).published is None
    job = await desk.done(desk.publish())
    assert (job.status, job.access_id) == (JobStatus.COMPLETED, "acc")
    source = await desk.the_source()
    assert source.published is not None
    assert source.published.job_id == job.row_key
    assert source.staged is None
    assert set(await desk.published()) == {"staged"}


async def test_rollback_makes_an_earlier_version_current(desk: Desk) -> None:
    first, second, _ = [await desk.done(desk.load(shops(each))) for each in "abc"]
    job = await desk.done(desk.rollback(first.row_key))
    assert (job.status, job.access_id) == (JobStatus.COMPLETED, "acc")
    source = await desk.the_source()
    assert set(await desk.published()) == {"a"}
    assert [set(await desk.notes(version)) for version in source.earlier] == [{"c"}, {"b"}]
    # The next load shifts it like any other.
    await desk.done(desk.load(shops("d")))
    assert second.row_key not in {version.job_id for version in (await desk.the_source()).earlier}


async def test_missing_data_source_or_version_aborts(desk: Desk) -> None:
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


async def test_deleted_data_source_can_be_created_again(desk: Desk) -> None:
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


@pytest.mark.parametrize("kind", ["delete", "delete staged", "publish", "rollback", "access", "download"])
async def test_job_aborts_for_a_later_data_source_of_the_same_name(desk: Desk, kind: str) -> None:
    first, second = [await desk.done(desk.load(shops(each))) for each in "ab"]
    await desk.done(desk.load(shops("s"), "completeStaging"))
    # Another machine, whose clock is ahead, created it.
    there = replace(await desk.the_source(), created=Ticks(now() + 30 * PER_SECOND))
    await desk.account.data_sources.change("Shops", lambda _: there)
    jobs: dict[str, tuple[JobType, dict[str, Any]]] = {
        "delete": (JobType.DELETE, {"staging": False}),
        "delete staged": (JobType.DELETE, {"staging": True}),
        "publish": (JobType.PUBLISH, {}),
        "rollback": (JobType.ROLLBACK, {"version": first.row_key}),
        "access": (JobType.ACCESS, {"public": True}),
        "download": (JobType.DOWNLOAD, {"version": second.row_key}),
    }
    job_type, work = jobs[kind]
    meant = replace(there, created=Ticks(there.created - 1))  # deleted since, and created again
    other = await desk.done(desk.create(job_type, **work, source=meant.identity))
    assert other.status is JobStatus.ABORTED
    assert str(other.error_message).startswith("The data source Shops that this job was created for is not there")
    assert await desk.source() == there
    same = await desk.done(desk.create(job_type, **work, source=there.identity))
    assert (same.status, same.error_message) == (JobStatus.COMPLETED, None)
    assert (await desk.source() is None) == (kind == "delete")
    assert await desk.source() != there or kind == "download"


async def test_delete_is_repeated_after_its_mark_was_removed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another writer removes the mark once, before the delete."""
    await desk.done(desk.load(shops("a")))
    change, calls = DataSourceStore.change, 0

    async def interfere(store: DataSourceStore, *arguments: Any) -> DataSource | None:
        nonlocal calls
        calls += 1
        if calls == 2:
            await change(store, "Shops", lambda source: source and replace(source, deleting=None))
        return await change(store, *arguments)

    monkeypatch.setattr(DataSourceStore, "change", interfere)
    monkeypatch.setattr("proxy.worker.attempt.MAX_RETRY_SECONDS", 0.0)
    job = await desk.done(desk.delete())
    assert (job.status, await desk.source()) == (JobStatus.COMPLETED, None)


async def test_staged_delete_is_completed_when_repeated(desk: Desk) -> None:
    await desk.done(desk.load(shops("b"), "completeStaging"))
    meant = (await desk.the_source()).identity
    for _ in range(2):
        job = await desk.done(desk.create(JobType.DELETE, staging=True, source=meant))
        assert (job.status, await desk.source()) == (JobStatus.COMPLETED, None)


@pytest.mark.parametrize("published", [True, False])
async def test_staged_version_is_deleted_alone(desk: Desk, *, published: bool) -> None:
    if published:
        await desk.done(desk.load(shops("a")))
    await desk.done(desk.load(shops("b"), "completeStaging"))
    job = await desk.done(desk.delete(staging=True))
    assert job.status is JobStatus.COMPLETED
    assert len(await desk.blobs(VERSIONS)) == published
    source = await desk.source()
    assert (source is not None) == published
    assert source is None or source.staged is None


async def test_jobs_of_a_data_source_being_deleted_abort(desk: Desk) -> None:
    await desk.done(desk.load(shops("a")))
    await desk.account.data_sources.change(
        "Shops", lambda source: None if source is None else replace(source, deleting="0" * 32)
    )
    for create in (desk.load(shops("b")), desk.create(JobType.ACCESS, public=True)):
        job = await desk.done(create)
        assert (job.status, job.error_message) == (JobStatus.ABORTED, "The data source is being deleted.")


async def test_downloads_of_any_version_can_be_loaded_again(desk: Desk, storage: Storage) -> None:
    first = await desk.done(desk.load(shops("a", note='"<é>"')))
    await desk.done(desk.load(shops("b", "c"), "complete"))
    job = await desk.done(desk.download())
    assert (job.status, job.access_id, job.total, job.processed) == (JobStatus.COMPLETED, "acc", 2, 2)
    assert is_try_blob(job.output_blob, f"exports/{storage.account}/{job.row_key}/{{}}/Shops.xml")
    assert await desk.account.jobs.get_newest_download("shops") == job
    staged = await desk.done(desk.load(shops("s"), "completeStaging"))
    for version, entities in ((first, {"a": "<é>"}), (staged, {"s": None})):
        job = await desk.done(desk.download(version.row_key))
        again = await desk.done(desk.load(await desk.content(job.output_blob), input=InputFormat.XML.value))
        assert again.status is JobStatus.COMPLETED
        assert await desk.published() == entities
