"""Tries of a job: what goes wrong for a while is tried again, and what was done already is not done twice."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

import proxy.worker.attempt
import proxy.worker.jobs.load
from adapters.blobs.store import UPLOADS, BlobStore
from adapters.errors import ConflictError, StorageError, StorageErrorCode
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import JobStatus, JobType
from adapters.model.versions import publish_staged, versions
from adapters.remote.fetch import FetchError
from adapters.tables.data_source_store import DataSourceStore
from adapters.tables.job_store import JobStore
from adapters.tables.leased_jobs import Claim
from proxy.worker.job import RunningJob, now
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.attempt.LONGEST_WAIT", 0.0)
    monkeypatch.setattr("proxy.worker.ordering.TURN_SECONDS", 0.01)


def failing(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, *errors: Exception | None) -> None:
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


def test_a_fault_is_tried_again(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        failing(monkeypatch, BlobStore, "upload_file", FAULT, ConflictError("others"))
        job = await desk.done(desk.load(shops("a")))
        assert job.status is JobStatus.COMPLETED
        assert (job.processed, len((await desk.the_source()).earlier)) == (1, 0)

    play(storage, story)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FAULT, "Storage: timeout: nothing within 5 s."),
        (ValueError("AccountKey=secret"), "Internal error (ValueError)."),
        (FetchError("the data location can't be reached: OSError", passing=True), "The data location can't be "),
    ],
)
def test_what_always_fails_aborts_after_the_last_try(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    async def story(desk: Desk) -> None:
        failing(monkeypatch, BlobStore, "upload_file", *([error] * 3))
        job = await desk.done(desk.load(shops("a")))
        assert job.status is JobStatus.ABORTED
        assert str(job.error_message).startswith("The job was given up after 3 tries. The last one failed: " + reason)
        assert "secret" not in str(job.error_message)
        assert await desk.source() is None
        assert await desk.blobs(UPLOADS) == []
        assert await desk.account.queue.length() == 0

    play(storage, story)


def test_a_job_whose_workers_all_die_is_given_up(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        job_id = await desk.load(shops("a"))
        for _ in range(3):
            lease = await desk.account.queue.receive()
            assert lease is not None
            held = await desk.account.jobs.get_held(job_id)
            assert held is not None
            claim = Claim(lease.message_id, "a try", "a worker", held.next_try(lease.message_id), now())
            assert await desk.account.jobs.claim(held, claim)
            await lease.release()  # as the lease of who dies ends, only sooner
        await desk.work()
        job = await desk.record(job_id)
        assert job.status is JobStatus.ABORTED
        assert job.error_message == "The job was given up: 3 workers that tried it ended without a word."

    play(storage, story)


def test_a_job_whose_row_could_not_be_read_for_a_while_has_lost_no_try(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        job_id = await desk.load(shops("a"))
        with pytest.MonkeyPatch.context() as patch:
            failing(patch, JobStore, "get_held", *[FAULT] * 4)  # more than there are tries
            for _ in range(4):
                lease = await desk.account.queue.receive()
                assert lease is not None
                with pytest.raises(StorageError):
                    await desk.step(lease)
                await lease.release()
        await desk.work()
        assert (await desk.record(job_id)).status is JobStatus.COMPLETED
        assert storage.table.get_entity(storage.account, job_id)["Attempts"] == 1

    play(storage, story)


def meanwhile(monkeypatch: pytest.MonkeyPatch, happen: Callable[[], Awaitable[object]]) -> None:
    """Lets something happen right before a load makes its switch, once."""
    left, confirm = [happen], RunningJob.confirm

    async def late(self: RunningJob) -> None:
        await confirm(self)
        while left:
            await left.pop()()

    monkeypatch.setattr(RunningJob, "confirm", late)


def test_an_update_is_done_again_when_its_base_has_changed(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))
        staged = await desk.done(desk.load(shops("b"), "completeStaging"))

        async def publish() -> None:
            await desk.account.data_sources.change(
                "Shops", lambda source: None if source is None else publish_staged(source, staged.row_key, now())
            )

        job_id = await desk.load(shops("c"), "incremental")
        meanwhile(monkeypatch, publish)
        await desk.work()
        assert (await desk.record(job_id)).status is JobStatus.COMPLETED
        assert set(await desk.published()) == {"b", "c"}

    play(storage, story)


def test_two_workers_on_one_job_switch_once(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        job_id = await desk.load(shops("a"))
        second = await desk.account.queue.receive()
        assert second is not None
        await desk.account.queue.enqueue(job_id)  # as the sweep may
        first = await desk.account.queue.receive()
        assert first is not None
        meanwhile(monkeypatch, lambda: desk.step(second))
        await desk.step(first)
        source = await desk.the_source()
        assert [version.job_id for version in versions(source)] == [job_id]
        assert (await desk.record(job_id)).status is JobStatus.COMPLETED

    play(storage, story)


def test_entities_that_are_gone_are_told_as_they_are(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))
        published = (await desk.the_source()).published
        assert published is not None
        await desk.account.blobs.delete(published.blob)
        for job in (desk.download(), desk.load(shops("b"), "incremental")):
            record = await desk.done(job)
            assert record.status is JobStatus.ABORTED
            assert str(record.error_message).endswith("The version's entities are gone.")

    play(storage, story)


def test_what_no_worker_understands_aborts(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        job_id = await desk.create_row(JobType.ROLLBACK)
        storage.table.update_entity({"PartitionKey": storage.account, "RowKey": job_id, "Work": "[nonsense"})
        await desk.account.queue.enqueue(job_id)
        await desk.work()
        assert (await desk.record(job_id)).status is JobStatus.ABORTED

    play(storage, story)


# Where a worker may die: before each step that others could see, and after the switch.
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
def test_a_job_done_again_after_its_worker_died_has_the_same_effect_as_once(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, kind: str, owner: type, name: str, calls: int
) -> None:
    async def story(desk: Desk) -> None:
        first = await desk.done(desk.load(shops("a")))
        second = await desk.done(desk.load(shops("b", "b")))
        await desk.done(desk.load(shops("s"), "completeStaging"))
        begun: dict[str, Callable[[], Awaitable[str]]] = {
            "load": lambda: desk.load(shops("c", "c")),
            "update": lambda: desk.load(shops("c", "c"), "incremental"),
            "publish": desk.publish,
            "rollback": lambda: desk.rollback(first.row_key),
            "delete": desk.delete,
            "delete staged": lambda: desk.delete(staging=True),
            "download": desk.download,
        }
        job_id = await begun[kind]()
        failing(monkeypatch, owner, name, *([None] * calls), FAULT)
        lease = await desk.account.queue.receive()
        assert lease is not None
        try:
            await proxy.worker.attempt.attempt_job(desk.account, lease, desk.place)
        except StorageError:
            await lease.release()
        await desk.work()
        job = await desk.record(job_id)
        assert job.status is JobStatus.COMPLETED, job.error_message
        source = await desk.source()
        ids = None if source is None else [each.job_id for each in versions(source) if each != source.staged]
        kept = [second.row_key, first.row_key]
        assert (
            ids
            == {
                "load": [job_id, *kept],
                "update": [job_id, *kept],
                "publish": [job_id, *kept],
                "rollback": [first.row_key, second.row_key],
                "delete": None,
                "delete staged": kept,
                "download": kept,
            }[kind]
        )
        if kind in {"load", "update"}:
            assert (job.total, job.processed, job.failed) == (2, 2, 1)
            assert await desk.text(job.failed_blob)
        assert source is None or (source.staged is None) == (kind in {"publish", "delete staged"})

    play(storage, story)


def test_a_job_that_is_not_confirmed_yet_waits_and_is_done_then(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        confirmed = await desk.record(await desk.create_row(JobType.DELETE, staging=False))
        record = replace(confirmed, row_key=new_job_id(now()))
        await desk.account.jobs.complete(await desk.ended(confirmed.row_key))
        await desk.account.jobs.create(replace(record, unconfirmed=True), '{"staging":false}')
        await desk.account.queue.enqueue(record.row_key)
        lease = await desk.account.queue.receive()
        assert lease is not None
        await desk.step(lease)
        assert (await desk.record(record.row_key)).status is JobStatus.PENDING
        assert await desk.account.jobs.confirm(record, '{"staging":false}')
        await desk.work()
        assert (await desk.record(record.row_key)).status is JobStatus.COMPLETED

    play(storage, story)
