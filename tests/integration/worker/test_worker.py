"""The worker's loops: many accounts, several workers, a key ring that changes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NoReturn

import pytest

from adapters.account import AccountStorage, StorageOptions
from adapters.accounts import AccountRegistry
from adapters.blobs.store import BlobStore
from adapters.credentials.config import ConnectionStringConfig
from adapters.errors import StorageError, StorageErrorCode
from adapters.model.jobs import JobStatus
from adapters.tables.job_store import JobStore
from adapters.tables.worker_rows import WorkerRows
from proxy.keyring.keyring import KeyRing
from proxy.keyring.reload import ActiveKeyRing
from proxy.worker.slots import Slots
from proxy.worker.worker import Worker
from tests.integration.worker.test_attempts import fail_calls
from tests.support.storage import BUSY_SECONDS, Storage
from tests.support.worker_desk import WAIT_SECONDS, Desk, shops

LEFT = "a job is left to its next try: refused"
UNREACHABLE = (
    "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a;"
    "QueueEndpoint=http://127.0.0.1:1/a"
)


@asynccontextmanager
async def working(desk: Desk, ring: ActiveKeyRing, count: int = 1) -> AsyncIterator[list[Worker]]:
    """Workers as long as the context lasts."""
    stop, workers = asyncio.Event(), [Worker(ring, desk.context) for _ in range(count)]
    tasks = [asyncio.create_task(worker.run(stop)) for worker in workers]
    try:
        yield workers
    finally:
        stop.set()
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.gather(*tasks)


def ring_of(
    storage: Storage, timeout: float = BUSY_SECONDS, lease_seconds: float = 30, /, **others: str
) -> ActiveKeyRing:
    options = StorageOptions(storage.table_name, timedelta(hours=1), timeout, lease_seconds=lease_seconds)
    entries = {storage.account: ConnectionStringConfig(storage.connection_string)}
    entries |= {name: ConnectionStringConfig(text) for name, text in others.items()}
    return ActiveKeyRing(KeyRing(entries, {}), AccountRegistry(entries, options))


async def wait_until(is_true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not await is_true():  # noqa: ASYNC110  storage changes
            await asyncio.sleep(0.05)


async def wait_for_jobs(desk: Desk, *jobs: str) -> None:
    async def are_done() -> bool:
        return JobStatus.PENDING not in {(await desk.record(job)).status for job in jobs}

    await wait_until(are_done)


async def test_several_workers_do_each_job_once(desk: Desk, storage: Storage) -> None:
    names = [f"Shops{number}" for number in range(4)]
    jobs = [await desk.load(shops("a"), name=name) for name in names]
    jobs += [await desk.load(shops("b"), "incremental", name=name) for name in names]
    ring = ring_of(storage)
    async with ring.accounts, working(desk, ring, count=3):
        await wait_for_jobs(desk, *jobs)
    for name, first in zip(names, jobs, strict=False):
        source = await desk.source(name)
        assert source is not None
        assert set(await desk.notes(source.published)) == {"a", "b"}
        assert [version.job_id for version in source.earlier] == [first]


async def test_broken_account_delays_no_other(desk: Desk, storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    ring = ring_of(storage, 2, broken=UNREACHABLE, unusable="nonsense")

    async def is_logged() -> bool:
        logged = [record.getMessage() for record in caplog.records if vars(record).get("account") == "broken"]
        # A busy machine may meet the deadline before it meets the closed port.
        return any(
            text.startswith(("jobs can't be taken: unreachable", "jobs can't be taken: timeout")) for text in logged
        )

    async with ring.accounts, working(desk, ring):
        await wait_for_jobs(desk, await desk.load(shops("a")))
        await wait_until(is_logged)
    assert "c2VjcmV0" not in caplog.text


async def test_worker_without_access_to_rows_leaves_the_queue(
    desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fault = StorageError(StorageErrorCode.ACCESS_DENIED, "HTTP 403, AuthorizationFailure")
    for number in range(12):
        await desk.load(shops("a"), name=f"Shops{number}")
    ring = ring_of(storage)

    async def has_failed() -> bool:
        return LEFT in caplog.text

    async with ring.accounts:
        with monkeypatch.context() as patch:
            fail_calls(patch, JobStore, "get_held", *[fault] * 100)
            async with working(desk, ring):
                await wait_until(has_failed)
                await asyncio.sleep(1)
    assert await desk.account.queue.receive() is not None
    assert caplog.text.count(LEFT) < 8


async def test_worker_follows_the_key_ring(desk: Desk, storage: Storage) -> None:
    entry = {storage.account: ConnectionStringConfig(storage.connection_string)}
    ring = ActiveKeyRing(
        KeyRing({}, {}), AccountRegistry({}, StorageOptions(storage.table_name, timedelta(hours=1), BUSY_SECONDS))
    )
    async with working(desk, ring) as (worker,):

        async def has_let_go() -> bool:
            return not worker._loops and not worker._leaving  # noqa: SLF001  nothing else shows it

        first = await desk.load(shops("a"))
        ring.replace(KeyRing(entry, {}))
        await wait_for_jobs(desk, first)
        removed = ring.replace(KeyRing({}, {}))
        await wait_until(has_let_go)
        second = await desk.load(shops("b"))
        await asyncio.sleep(0.5)
        assert (await desk.record(second)).status is JobStatus.PENDING
    for each in removed:
        await each.close()


async def test_cleanup_continues_after_unforeseen_errors(
    desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed_twice = asyncio.Event()

    async def fail(_account: AccountStorage, _days: int) -> NoReturn:
        if caplog.records:
            failed_twice.set()
        raise ValueError("AccountKey=secret")

    monkeypatch.setattr("proxy.worker.worker.clean_up", fail)
    monkeypatch.setattr("proxy.worker.worker.FIRST_CLEANUP_SECONDS", 0.05)
    monkeypatch.setattr("proxy.worker.worker.CLEANUP_SECONDS", 0.05)
    ring = ring_of(storage)
    async with ring.accounts, working(desk, ring), asyncio.timeout(WAIT_SECONDS):
        await failed_twice.wait()
    assert "the clean-up is incomplete: ValueError" in {record.getMessage() for record in caplog.records}


async def test_job_goes_back_when_its_slot_is_taken(
    desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, try_acquire = [False], Slots.try_acquire
    monkeypatch.setattr(Slots, "try_acquire", lambda *both: answers.pop() if answers else try_acquire(*both))
    ring, job_id = ring_of(storage), await desk.load(shops("a"))
    async with ring.accounts, working(desk, ring):
        await wait_for_jobs(desk, job_id)
    assert answers == []


async def test_missing_queue_is_created_again(desk: Desk, storage: Storage) -> None:
    await desk.account.queue._client.delete_queue()  # noqa: SLF001  the program deletes no queues
    ring = ring_of(storage)

    async def is_there() -> bool:
        try:
            return await desk.account.queue.approximate_length() == 0
        except StorageError:
            return False

    assert not await is_there()
    async with ring.accounts, working(desk, ring):
        await wait_until(is_there)


async def test_worker_row_names_the_running_jobs(desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.worker.WORKER_ROW_SECONDS", 0.1)
    sending, gate, send = asyncio.Event(), asyncio.Event(), BlobStore.upload_file

    async def wait(self: BlobStore, *arguments: Any) -> None:
        sending.set()
        await gate.wait()
        await send(self, *arguments)

    monkeypatch.setattr(BlobStore, "upload_file", wait)
    job_id, ring = await desk.load(shops("a")), ring_of(storage)

    async def is_row_of(*jobs: str) -> bool:
        rows = await desk.account.workers.list_live()
        return [(row.name, row.jobs) for row in rows] == [(desk.context.worker, jobs)]

    async with ring.accounts, working(desk, ring):
        await sending.wait()
        await wait_until(lambda: is_row_of(job_id))
        gate.set()
        await wait_until(is_row_of)
    row = storage.table.get_entity(f"~workers:{storage.account}", desk.context.worker)
    assert (row["Version"], row["StartedAt"].tzinfo is not None) == ("", True)


async def test_worker_without_access_to_its_row_logs_it_once(
    desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(*_: object) -> NoReturn:
        raise StorageError(StorageErrorCode.ACCESS_DENIED, "HTTP 403")

    monkeypatch.setattr("proxy.worker.worker.WORKER_ROW_SECONDS", 0.01)
    monkeypatch.setattr(WorkerRows, "write", refuse)
    ring = ring_of(storage)
    async with ring.accounts, working(desk, ring):
        await wait_for_jobs(desk, await desk.load(shops("a")))
    assert sum("the worker's row can't be written" in record.getMessage() for record in caplog.records) == 1


async def test_backlog_of_a_data_source_delays_no_other(
    desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [await desk.load(shops("0"))]
    other = await desk.load(shops("a"), name="Cafes")
    jobs += [await desk.load(shops("1"), "incremental") for _ in range(8)]
    monkeypatch.setattr(Slots, "_may_acquire", lambda slots, _: slots._free == desk.context.readers.limits.jobs)  # noqa: SLF001  one job at a time
    ring = ring_of(storage)
    async with ring.accounts, working(desk, ring):
        await wait_for_jobs(desk, other, *jobs)
    ended = {job: (await desk.record(job)).completed or 0 for job in (other, *jobs)}
    assert ended[other] < ended[jobs[4]]
