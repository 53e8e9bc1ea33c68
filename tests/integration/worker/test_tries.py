"""Overlapping attempts of one job: after a worker slept for longer than its lease, only the last attempt counts."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapters.blobs.store import EXPORTS, VERSIONS, BlobStore
from adapters.job_queue import Lease
from adapters.model.jobs import JobStatus
from adapters.tables.data_source_store import DataSourceStore
from adapters.tables.job_rows import MAX_MESSAGE_UNITS
from adapters.tables.job_store import JobStore
from proxy.worker.cleanup import clean_up
from proxy.worker.job import JobAbortedError, RunningJob
from tests.integration.worker.test_attempts import FAULT, fail_calls
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, shops

Action = Callable[[], Awaitable[object]]


def run_before(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, action: Action) -> None:
    """Runs an action right before the next call of a method, whose caller sleeps meanwhile."""
    left, method = [action], getattr(owner, name)

    async def late(self: Any, *arguments: Any, **named: Any) -> Any:
        if left:
            await left.pop()()
        return await method(self, *arguments, **named)

    monkeypatch.setattr(owner, name, late)


async def take_over(desk: Desk, job_id: str) -> None:
    """Another worker does the job, as when the first one's lease is over."""
    await desk.account.jobs.release(job_id)
    await desk.account.queue.enqueue(job_id)
    lease = await desk.receive()
    assert lease.job_id == job_id
    await desk.step(lease)


async def change_upload(desk: Desk, job_id: str, data: bytes) -> None:
    """Changes the data of a load, as fetched data may change between two attempts."""
    held = await desk.account.jobs.get_held(job_id)
    assert held is not None
    container, _, name = json.loads(held.work or "")["upload"].partition("/")
    client = desk.account.blob_service()
    async with client:
        await client.get_blob_client(container, name).upload_blob(data, overwrite=True)


# The call before which the first worker sleeps.
SLEEPS: dict[str, tuple[type, str]] = {
    "upload": (BlobStore, "upload_file"),
    "progress": (JobStore, "update_progress"),
    "switch": (DataSourceStore, "change"),
    "reserve": (DataSourceStore, "_reserve"),
    "write": (DataSourceStore, "_write"),
    "finish": (JobStore, "complete"),
}


@pytest.mark.parametrize("sleep", SLEEPS)
@pytest.mark.parametrize("earlier", [True, False], ids=["another version", "first version"])
async def test_load_that_was_taken_over_changes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, sleep: str, *, earlier: bool
) -> None:
    if earlier:
        await desk.done(desk.load(shops("before")))
    job_id = await desk.load(shops("old", "old", note="old"))
    after_takeover: list[object] = []

    async def act_as_other_worker() -> None:
        await change_upload(desk, job_id, shops("new", "newer", note="new"))
        await take_over(desk, job_id)
        after_takeover.extend([await desk.record(job_id), await desk.source()])

    lease = await desk.receive()
    if sleep == "reserve" and earlier:
        return  # a row that is there is not reserved
    run_before(monkeypatch, *SLEEPS[sleep], act_as_other_worker)
    await desk.step(lease)
    job = await desk.record(job_id)
    assert [job, await desk.source()] == after_takeover
    if sleep != "finish":  # else the first one has made the switch, and the second one found it made
        assert (job.status, job.processed, job.failed, job.failed_blob) == (JobStatus.COMPLETED, 2, 0, None)
        assert await desk.published() == {"new": "new", "newer": "new"}
    source = await desk.the_source()
    assert source.published is not None
    assert len(await desk.notes(source.published)) == source.published.entities
    await clean_up(desk.account)
    assert len(await desk.blobs(VERSIONS)) == 1 + earlier
    assert len(await desk.blobs(EXPORTS)) == (job.failed_blob is not None)
    assert await desk.published() == await desk.notes(source.published)


@pytest.mark.parametrize(
    ("data", "owner", "name"),
    [(shops("old", "old", note="old"), BlobStore, "upload_file"), (b"nonsense", JobStore, "complete")],
    ids=["a switch", "an end"],
)
async def test_late_attempt_writes_nothing_beside_a_running_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, data: bytes, owner: type, name: str
) -> None:
    job_id, downloading, gate = await desk.load(data), asyncio.Event(), asyncio.Event()
    fetch, doing = BlobStore.download_file, list[asyncio.Task[None]]()

    async def wait(self: BlobStore, *arguments: Any) -> bool:
        downloading.set()
        await gate.wait()
        return await fetch(self, *arguments)

    async def act_as_other_worker() -> None:
        await change_upload(desk, job_id, shops("new", note="new"))
        await desk.account.jobs.release(job_id)
        await desk.account.queue.enqueue(job_id)
        monkeypatch.setattr(BlobStore, "download_file", wait)
        doing.append(asyncio.create_task(desk.step(await desk.receive())))
        await downloading.wait()

    lease = await desk.receive()
    run_before(monkeypatch, owner, name, act_as_other_worker)
    await desk.step(lease)
    job = await desk.record(job_id)
    assert (job.status, job.processed, job.failed) == (JobStatus.PENDING, 0, 0)
    assert await desk.source() is None
    gate.set()
    await doing[0]
    job = await desk.record(job_id)
    assert (job.status, job.processed, job.failed) == (JobStatus.COMPLETED, 1, 0)
    assert await desk.published() == {"new": "new"}


@pytest.mark.parametrize("sleep", ["reserve", "write"])
async def test_late_load_does_not_restore_a_deleted_data_source(
    desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch, sleep: str
) -> None:
    job_id = await desk.load(shops("a"))

    async def act_as_other_worker() -> None:
        await take_over(desk, job_id)
        deleting = await desk.delete()
        await desk.step(await desk.receive())
        assert (await desk.record(deleting)).status is JobStatus.COMPLETED

    lease = await desk.receive()
    run_before(monkeypatch, *SLEEPS[sleep], act_as_other_worker)
    await desk.step(lease)
    assert await desk.source() is None
    assert await desk.account.data_sources.list_all() == []
    await clean_up(desk.account)
    with storage.datasources() as table:
        assert list(table.query_entities(f"PartitionKey eq '{storage.account}'")) == []
    assert await desk.blobs(VERSIONS) == []


async def test_late_attempt_of_an_aborted_job_does_not_switch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.done(desk.load(shops("before")))
    before = await desk.the_source()
    job_id = await desk.load(shops("old"))

    async def act_as_other_worker() -> None:
        await change_upload(desk, job_id, b"nonsense")
        await take_over(desk, job_id)
        assert (await desk.record(job_id)).status is JobStatus.ABORTED

    lease = await desk.receive()
    run_before(monkeypatch, DataSourceStore, "_write", act_as_other_worker)
    await desk.step(lease)
    assert (await desk.record(job_id)).status is JobStatus.ABORTED
    assert await desk.the_source() == before
    assert set(await desk.published()) == {"before"}


async def test_late_attempt_fails_after_its_entities_were_deleted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program has ended the job. No row may refer to deleted entities."""
    await desk.done(desk.load(shops("before")))
    job_id = await desk.load(shops("old"))

    async def act_as_other_worker() -> None:
        await desk.account.jobs.complete(await desk.ended(job_id, JobStatus.ABORTED))
        assert len(await desk.blobs(VERSIONS)) == 2
        await clean_up(desk.account)
        assert len(await desk.blobs(VERSIONS)) == 1

    lease = await desk.receive()
    run_before(monkeypatch, DataSourceStore, "_write", act_as_other_worker)
    await desk.step(lease)
    assert set(await desk.published()) == {"before"}


async def test_row_stores_start_attempts_and_worker(desk: Desk, storage: Storage) -> None:
    job_id = await desk.load(shops("a"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("proxy.worker.attempt.MAX_RETRY_SECONDS", 0.0)
        fail_calls(patch, BlobStore, "upload_file", FAULT)
        await desk.work()
    row = storage.table.get_entity(storage.account, job_id)
    assert (row["Attempts"], row["Worker"]) == (2, "worker")
    assert row["StartedDate"].tzinfo is not None
    assert (row["StartedDate"] - row["CreatedDate"]).total_seconds() < 600


async def test_each_failed_attempt_hides_the_message_for_longer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    release, delays = Lease.release, list[float]()

    async def release_now(lease: Lease, after: float = 0) -> None:
        delays.append(after)
        await release(lease)

    fail_calls(monkeypatch, BlobStore, "upload_file", *[FAULT] * 4)
    monkeypatch.setattr(Lease, "release", release_now)
    job = await desk.done(desk.load(shops("a")), tries=5)
    assert (job.status, delays) == (JobStatus.COMPLETED, [1, 5, 25, 125])


@pytest.mark.parametrize("text", ["x" * 120_000, "\N{GRINNING FACE}" * 40_000, "\ud800" * 5_000])
async def test_reason_too_long_for_a_row_is_cut(desk: Desk, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    async def fail(_: RunningJob) -> None:
        raise JobAbortedError(text)

    monkeypatch.setattr(RunningJob, "confirm", fail)
    job = await desk.done(desk.load(shops("a")))
    assert job.status is JobStatus.ABORTED
    units = len(str(job.error_message).encode("utf-16-le")) // 2
    assert MAX_MESSAGE_UNITS - 4 <= units <= MAX_MESSAGE_UNITS
