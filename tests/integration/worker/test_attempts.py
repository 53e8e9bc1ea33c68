"""Attempts of a job: a passing fault leads to another attempt, and no effect happens twice."""

import errno
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapters.blobs.store import BlobStore
from adapters.errors import ConflictError, StorageError, StorageErrorCode
from adapters.model.jobs import JobStatus, JobType
from adapters.model.versions import list_versions, publish_staged
from adapters.remote.fetch import FetchError
from adapters.tables.data_source_store import DataSourceStore
from adapters.tables.job_store import JobStore
from adapters.tables.leased_jobs import Claim
from proxy.worker.attempt import Attempt, UnfitError
from proxy.worker.job import RunningJob, now
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, shops


@pytest.fixture(autouse=True)
def _without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.attempt.MAX_RETRY_SECONDS", 0.0)
    monkeypatch.setattr("proxy.worker.ordering.TURN_SECONDS", 0.01)


def fail_calls(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, *errors: Exception | None) -> None:
    """Lets a method fail with these errors, one a call; None and whatever comes after is the method itself."""
    left, method = list(errors), getattr(owner, name)

    async def sometimes(self: object, *arguments: Any, **named: Any) -> object:
        error = left.pop(0) if left else None
        if error is not None:
            raise error
        return await method(self, *arguments, **named)

    monkeypatch.setattr(owner, name, sometimes)


KINDS = ("load", "update", "publish", "rollback", "delete", "delete staged", "download")

FAULT = StorageError(StorageErrorCode.TIMEOUT, "nothing within 5 s")


async def test_passing_fault_leads_to_another_attempt(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_calls(monkeypatch, BlobStore, "upload_file", FAULT, ConflictError("others"))
    job = await desk.done(desk.load(shops("a")))
    assert job.status is JobStatus.COMPLETED
    assert (job.processed, len((await desk.the_source()).earlier)) == (1, 0)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FAULT, "Storage: timeout: nothing within 5 s."),
        (ValueError("AccountKey=secret"), "Internal error (ValueError)."),
        (FetchError("the data location can't be reached: OSError", is_transient=True), "The data location can't be "),
    ],
)
async def test_lasting_fault_aborts_after_the_last_try(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    fail_calls(monkeypatch, BlobStore, "upload_file", *([error] * 3))
    job = await desk.done(desk.load(shops("a")))
    assert job.status is JobStatus.ABORTED
    assert str(job.error_message).startswith("The job was given up after 3 tries. The last one failed: " + reason)
    assert "secret" not in str(job.error_message)
    assert await desk.source() is None
    assert await desk.account.queue.approximate_length() == 0


async def test_job_whose_workers_all_die_is_given_up(desk: Desk) -> None:
    job_id = await desk.load(shops("a"))
    for _ in range(3):
        lease = await desk.receive()
        held = await desk.account.jobs.get_held(job_id)
        assert held is not None
        claim = Claim(lease.message_id, "a try", "a worker", held.next_attempt(lease.message_id), now())
        assert await desk.account.jobs.claim(held, claim)
        await lease.release()  # as the lease of who dies ends, only sooner
    await desk.work()
    job = await desk.record(job_id)
    assert job.status is JobStatus.ABORTED
    assert job.error_message == "The job was given up: 3 workers that tried it ended without a word."


async def test_unreadable_row_costs_no_try(desk: Desk, storage: Storage) -> None:
    job_id = await desk.load(shops("a"))
    with pytest.MonkeyPatch.context() as patch:
        fail_calls(patch, JobStore, "get_held", *[FAULT] * 4)  # more than there are tries
        for _ in range(4):
            lease = await desk.receive()
            with pytest.raises(StorageError):
                await desk.step(lease)
            await lease.release()
    await desk.work()
    assert (await desk.record(job_id)).status is JobStatus.COMPLETED
    assert storage.table.get_entity(storage.account, job_id)["Attempts"] == 1


async def test_full_disk_gives_the_job_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.attempt.UNFIT_SECONDS", 0.0)
    fail_calls(monkeypatch, BlobStore, "download_file", OSError(errno.ENOSPC, "No space left on device"))
    job_id = await desk.load(shops("a"))
    with pytest.raises(UnfitError, match="No space left on device"):
        await desk.step(await desk.receive())
    lease = await desk.receive()
    assert (lease.job_id, await desk.next_try(lease)) == (job_id, 1)


def before_switch(monkeypatch: pytest.MonkeyPatch, action: Callable[[], Awaitable[object]]) -> None:
    """Runs an action right before a load makes its switch, once."""
    left, confirm = [action], RunningJob.confirm

    async def late(self: RunningJob) -> None:
        await confirm(self)
        while left:
            await left.pop()()

    monkeypatch.setattr(RunningJob, "confirm", late)


async def test_update_is_repeated_when_its_base_has_changed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.done(desk.load(shops("a")))
    staged = await desk.done(desk.load(shops("b"), "completeStaging"))

    async def publish() -> None:
        await desk.account.data_sources.change(
            "Shops", lambda source: None if source is None else publish_staged(source, staged.row_key, now())
        )

    job_id = await desk.load(shops("c"), "incremental")
    before_switch(monkeypatch, publish)
    await desk.work()
    assert (await desk.record(job_id)).status is JobStatus.COMPLETED
    assert set(await desk.published()) == {"b", "c"}


async def test_two_workers_with_one_job_switch_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = await desk.load(shops("a"))
    second = await desk.receive()
    await desk.account.queue.enqueue(job_id)  # as the clean-up may
    first = await desk.receive()
    before_switch(monkeypatch, lambda: desk.step(second))
    await desk.step(first)
    source = await desk.the_source()
    assert [version.job_id for version in list_versions(source)] == [job_id]
    assert await desk.account.queue.approximate_length() == 0
    assert (await desk.record(job_id)).status is JobStatus.COMPLETED


async def test_missing_entities_abort_with_that_reason(desk: Desk) -> None:
    await desk.done(desk.load(shops("a")))
    published = (await desk.the_source()).published
    assert published is not None
    await desk.account.blobs.delete(published.blob)
    for job in (desk.download(), desk.load(shops("b"), "incremental")):
        record = await desk.done(job)
        assert record.status is JobStatus.ABORTED
        assert str(record.error_message).endswith("The version's entities are gone.")


async def test_job_with_malformed_parameters_aborts(desk: Desk, storage: Storage) -> None:
    job_id = await desk.create_row(JobType.ROLLBACK)
    storage.table.update_entity({"PartitionKey": storage.account, "RowKey": job_id, "Work": "[nonsense"})
    await desk.account.queue.enqueue(job_id)
    await desk.work()
    assert (await desk.record(job_id)).status is JobStatus.ABORTED


# The call in which the worker dies: one before each step that others could see, and one after the switch.
@pytest.mark.parametrize(
    ("kind", "owner", "name", "calls"),
    [
        *((kind, JobStore, "complete", 0) for kind in KINDS),
        *((kind, BlobStore, "upload_file", 0) for kind in ("load", "download")),
        ("update", DataSourceStore, "change", 0),
        ("delete", DataSourceStore, "change", 1),
        ("delete staged", BlobStore, "delete", 0),
    ],
)
async def test_job_repeated_after_a_death_has_the_effect_of_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, kind: str, owner: type, name: str, calls: int
) -> None:
    first = await desk.done(desk.load(shops("a")))
    second = await desk.done(desk.load(shops("b", "b")))
    await desk.done(desk.load(shops("s"), "completeStaging"))
    create: dict[str, Callable[[], Awaitable[str]]] = {
        "load": lambda: desk.load(shops("c", "c")),
        "update": lambda: desk.load(shops("c", "c"), "incremental"),
        "publish": desk.publish,
        "rollback": lambda: desk.rollback(first.row_key),
        "delete": desk.delete,
        "delete staged": lambda: desk.delete(staging=True),
        "download": desk.download,
    }
    job_id = await create[kind]()
    fail_calls(monkeypatch, owner, name, *([None] * calls), FAULT)
    lease = await desk.receive()
    try:
        await Attempt(desk.account, lease, desk.context).run()
    except StorageError:
        await lease.release()
    await desk.work()
    job = await desk.record(job_id)
    assert job.status is JobStatus.COMPLETED, job.error_message
    source = await desk.source()
    ids = None if source is None else [each.job_id for each in list_versions(source) if each != source.staged]
    before = [second.row_key, first.row_key]
    expected = {"rollback": before[::-1], "delete": None, "delete staged": before, "download": before}
    assert ids == expected.get(kind, [job_id, *before])
    if kind in {"load", "update"}:
        assert (job.total, job.processed, job.failed) == (2, 2, 1)
        assert await desk.text(job.failed_blob)
    assert source is None or (source.staged is None) == (kind in {"publish", "delete staged"})
