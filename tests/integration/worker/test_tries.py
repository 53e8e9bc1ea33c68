"""Tries of one job that overlap: of workers that were stopped for longer than a lease only the last try counts."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapters.blobs.store import EXPORTS, VERSIONS, BlobStore
from adapters.job_queue import Lease
from adapters.model.jobs import JobStatus
from adapters.tables.data_source_store import DataSourceStore
from adapters.tables.job_rows import MESSAGE_LENGTH
from adapters.tables.job_store import JobStore
from proxy.worker.attempt import UNWRITABLE
from proxy.worker.cleanup import sweep
from proxy.worker.job import JobAbortedError, RunningJob
from tests.integration.worker.test_attempts import FAULT, failing
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops

Happen = Callable[[], Awaitable[object]]


def once_before(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, happen: Happen, calls: int = 0) -> None:
    """Lets something happen right before a method is called, after so many calls: who calls it sleeps meanwhile."""
    left, method = [happen], getattr(owner, name)
    count = 0

    async def late(self: Any, *arguments: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count > calls and left:
            await left.pop()()
        return await method(self, *arguments, **named)

    monkeypatch.setattr(owner, name, late)


async def take(desk: Desk) -> Lease:
    lease = await desk.account.queue.receive()
    assert lease is not None
    return lease


async def taken_over(desk: Desk, job_id: str) -> None:
    """Another worker does the job, as when the first one's lease is over."""
    await desk.account.jobs.release(job_id)
    await desk.account.queue.enqueue(job_id)
    lease = await take(desk)
    assert lease.job_id == job_id
    await desk.step(lease)


async def change_upload(desk: Desk, job_id: str, data: bytes) -> None:
    """Changes the data of a load, as data that lies elsewhere may change between two tries."""
    held = await desk.account.jobs.get_held(job_id)
    assert held is not None
    container, _, name = json.loads(held.work or "")["upload"].partition("/")
    client = desk.account.blob_service()
    async with client:
        await client.get_blob_client(container, name).upload_blob(data, overwrite=True)


# Where the first worker sleeps: before it sends, before it asks whether its try still counts, before the switch.
SLEEPS: dict[str, tuple[type, str, int]] = {
    "send": (BlobStore, "upload_file", 0),
    "progress": (JobStore, "update_progress", 0),
    "switch": (DataSourceStore, "change", 0),
    "reserve": (DataSourceStore, "_reserve", 0),
    "write": (DataSourceStore, "_write", 0),
    "finish": (JobStore, "complete", 0),
}


@pytest.mark.parametrize("sleep", SLEEPS)
@pytest.mark.parametrize("earlier", [True, False], ids=["another version", "first version"])
def test_a_load_that_was_taken_over_changes_nothing_any_more(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, sleep: str, *, earlier: bool
) -> None:
    async def story(desk: Desk) -> None:
        if earlier:
            await desk.done(desk.load(shops("before")))
        job_id = await desk.load(shops("old", "old", note="old"))
        seen: list[object] = []

        async def others() -> None:
            await change_upload(desk, job_id, shops("new", "newer", note="new"))
            await taken_over(desk, job_id)
            seen.extend([await desk.record(job_id), await desk.source()])

        lease = await take(desk)
        owner, name, calls = SLEEPS[sleep]
        if sleep == "reserve" and earlier:
            return  # a row that is there is not reserved
        once_before(monkeypatch, owner, name, others, calls)
        await desk.step(lease)
        job = await desk.record(job_id)
        assert [job, await desk.source()] == seen
        if sleep != "finish":  # else the first one has made the switch, and the second one found it made
            assert (job.status, job.processed, job.failed, job.failed_blob) == (JobStatus.COMPLETED, 2, 0, None)
            assert await desk.published() == {"new": "new", "newer": "new"}
        source = await desk.the_source()
        assert source.published is not None
        assert len(await desk.notes(source.published)) == source.published.entities
        await sweep(desk.account)
        assert len(await desk.blobs(VERSIONS)) == 1 + earlier
        assert len(await desk.blobs(EXPORTS)) == (job.failed_blob is not None)
        assert await desk.published() == await desk.notes(source.published)

    play(storage, story)


@pytest.mark.parametrize(
    ("data", "owner", "name"),
    [(shops("old", "old", note="old"), BlobStore, "upload_file"), (b"nonsense", JobStore, "complete")],
    ids=["a switch", "an end"],
)
def test_a_try_that_wakes_up_while_another_is_under_way_says_nothing_any_more(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, data: bytes, owner: type, name: str
) -> None:
    async def story(desk: Desk) -> None:
        job_id, going, gate = await desk.load(data), asyncio.Event(), asyncio.Event()
        fetch, doing = BlobStore.download_file, list[asyncio.Task[None]]()

        async def wait(self: BlobStore, *arguments: Any) -> bool:
            going.set()
            await gate.wait()
            return await fetch(self, *arguments)

        async def others() -> None:
            await change_upload(desk, job_id, shops("new", note="new"))
            await desk.account.jobs.release(job_id)
            await desk.account.queue.enqueue(job_id)
            monkeypatch.setattr(BlobStore, "download_file", wait)
            doing.append(asyncio.create_task(desk.step(await take(desk))))
            await going.wait()

        lease = await take(desk)
        once_before(monkeypatch, owner, name, others)
        await desk.step(lease)
        job = await desk.record(job_id)
        assert (job.status, job.processed, job.failed) == (JobStatus.PENDING, 0, 0)
        assert await desk.source() is None
        gate.set()
        await doing[0]
        job = await desk.record(job_id)
        assert (job.status, job.processed, job.failed) == (JobStatus.COMPLETED, 1, 0)
        assert await desk.published() == {"new": "new"}

    play(storage, story)


@pytest.mark.parametrize("sleep", ["reserve", "write"])
def test_a_load_that_sleeps_before_it_makes_a_data_source_does_not_bring_a_deleted_one_back(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, sleep: str
) -> None:
    async def story(desk: Desk) -> None:
        job_id = await desk.load(shops("a"))

        async def others() -> None:
            await taken_over(desk, job_id)
            deleting = await desk.delete()
            await desk.step(await take(desk))
            assert (await desk.record(deleting)).status is JobStatus.COMPLETED

        lease = await take(desk)
        owner, name, calls = SLEEPS[sleep]
        once_before(monkeypatch, owner, name, others, calls)
        await desk.step(lease)
        assert await desk.source() is None
        assert await desk.account.data_sources.all() == []
        await sweep(desk.account)
        with storage.datasources() as table:
            assert list(table.query_entities(f"PartitionKey eq '{storage.account}'")) == []
        assert await desk.blobs(VERSIONS) == []

    play(storage, story)


def test_a_try_that_sleeps_before_its_switch_makes_none_after_the_job_was_aborted(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("before")))
        before = await desk.the_source()
        job_id = await desk.load(shops("old"))

        async def others() -> None:
            await change_upload(desk, job_id, b"nonsense")
            await taken_over(desk, job_id)
            assert (await desk.record(job_id)).status is JobStatus.ABORTED

        lease = await take(desk)
        once_before(monkeypatch, DataSourceStore, "_write", others)
        await desk.step(lease)
        assert (await desk.record(job_id)).status is JobStatus.ABORTED
        assert await desk.the_source() == before
        assert set(await desk.published()) == {"before"}

    play(storage, story)


def test_a_try_that_sleeps_before_its_switch_fails_where_the_sweep_has_taken_its_entities(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job was ended by somebody else, whatever that was; no row may refer to what is gone."""

    async def story(desk: Desk) -> None:
        await desk.done(desk.load(shops("before")))
        job_id = await desk.load(shops("old"))

        async def others() -> None:
            await desk.account.jobs.complete(await desk.ended(job_id, JobStatus.ABORTED))
            assert len(await desk.blobs(VERSIONS)) == 2
            await sweep(desk.account)
            assert len(await desk.blobs(VERSIONS)) == 1

        lease = await take(desk)
        once_before(monkeypatch, DataSourceStore, "_write", others)
        await desk.step(lease)
        assert set(await desk.published()) == {"before"}

    play(storage, story)


def test_of_two_messages_of_a_job_only_the_one_that_began_it_counts(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        job_id = await desk.load(shops("a"))
        await desk.account.queue.enqueue(job_id)
        first, second = await take(desk), await take(desk)
        held = await desk.account.jobs.get_held(job_id)
        assert held is not None
        gate, going = asyncio.Event(), asyncio.Event()
        send = BlobStore.upload_file

        async def wait(self: BlobStore, *arguments: Any) -> None:
            going.set()
            await gate.wait()
            await send(self, *arguments)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BlobStore, "upload_file", wait)
            doing = asyncio.create_task(desk.step(first))
            await going.wait()
            await desk.step(second)
            assert (await desk.record(job_id)).status is JobStatus.PENDING
            gate.set()
            await doing
        assert (await desk.record(job_id)).status is JobStatus.COMPLETED
        assert await desk.account.queue.length() == 0

    play(storage, story)


def test_a_job_s_row_says_when_it_was_begun_how_often_and_by_whom(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        job_id = await desk.load(shops("a"))
        with pytest.MonkeyPatch.context() as patch:
            failing(patch, BlobStore, "upload_file", FAULT)
            await desk.work()
        row = storage.table.get_entity(storage.account, job_id)
        assert (row["Attempts"], row["Worker"]) == (2, "worker")
        assert row["StartedDate"].tzinfo is not None
        assert (row["StartedDate"] - row["CreatedDate"]).total_seconds() < 60

    play(storage, story)


@pytest.mark.parametrize("text", ["x" * 120_000, "\N{GRINNING FACE}" * 40_000, "\ud800" * 5_000])
def test_a_reason_that_is_too_long_for_a_row_is_cut(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    async def fail(_: RunningJob) -> None:
        raise JobAbortedError(text)

    async def story(desk: Desk) -> None:
        monkeypatch.setattr(RunningJob, "confirm", fail)
        job = await desk.done(desk.load(shops("a")))
        assert job.status is JobStatus.ABORTED
        units = len(str(job.error_message).encode("utf-16-le")) // 2
        assert MESSAGE_LENGTH - 4 <= units <= MESSAGE_LENGTH

    play(storage, story)


def test_an_end_that_storage_refuses_aborts_the_job_at_once(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_: RunningJob) -> None:
        raise JobAbortedError("x" * 120_000)

    async def story(desk: Desk) -> None:
        monkeypatch.setattr("adapters.tables.job_rows._cut", lambda text, *_: text)
        monkeypatch.setattr(RunningJob, "confirm", fail)
        job = await desk.done(desk.load(shops("a")))
        assert (job.status, job.error_message) == (JobStatus.ABORTED, UNWRITABLE)
        assert storage.table.get_entity(storage.account, job.row_key)["Attempts"] == 1

    play(storage, story)
