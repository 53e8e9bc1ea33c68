"""The worker's loop: many accounts, several workers, a ring that changes, an end in order."""

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
from adapters.tables.worker_rows import live_workers
from proxy.keyring.keyring import KeyRing
from proxy.keyring.reload import ActiveKeyRing
from proxy.worker.slots import Slots
from proxy.worker.worker import Worker
from tests.integration.worker.test_attempts import failing
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops

UNREACHABLE = (
    "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a;"
    "QueueEndpoint=http://127.0.0.1:1/a"
)
SECONDS = 20


@asynccontextmanager
async def working(desk: Desk, ring: ActiveKeyRing, count: int = 1) -> AsyncIterator[None]:
    """Workers as long as the context lasts."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(Worker(ring, desk.place).run(stop)) for _ in range(count)]
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(*tasks)


def ring_of(storage: Storage, **others: str) -> ActiveKeyRing:
    options = StorageOptions(storage.table_name, timedelta(hours=1), 5)
    entries = {storage.account: ConnectionStringConfig(storage.connection_string)}
    entries |= {name: ConnectionStringConfig(text) for name, text in others.items()}
    return ActiveKeyRing(KeyRing(entries, {}), AccountRegistry(entries, options))


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS):
        while not await true():  # noqa: ASYNC110 - it is storage that changes
            await asyncio.sleep(0.05)


async def finished(desk: Desk, *jobs: str) -> None:
    async def are() -> bool:
        return JobStatus.PENDING not in {(await desk.record(job)).status for job in jobs}

    await until(are)


def test_several_workers_do_each_job_once(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        names = [f"Shops{number}" for number in range(4)]
        jobs = [await desk.load(shops("a"), name=name) for name in names]
        jobs += [await desk.load(shops("b"), "incremental", name=name) for name in names]
        ring = ring_of(storage)
        async with ring.accounts, working(desk, ring, count=3):
            await finished(desk, *jobs)
        for name, first in zip(names, jobs, strict=False):
            source = await desk.source(name)
            assert source is not None
            assert set(await desk.notes(source.published)) == {"a", "b"}
            assert [version.job_id for version in source.earlier] == [first]

    play(storage, story)


def test_a_broken_account_holds_up_nobody_else(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    async def story(desk: Desk) -> None:
        ring = ring_of(storage, broken=UNREACHABLE, unusable="nonsense")
        async with ring.accounts, working(desk, ring):
            await finished(desk, await desk.load(shops("a")))
        told = {record.getMessage() for record in caplog.records if vars(record).get("account") == "broken"}
        assert any(text.startswith("jobs can't be taken: unreachable") for text in told)
        assert "c2VjcmV0" not in caplog.text

    play(storage, story)


def test_a_worker_that_can_read_no_rows_leaves_the_queue_to_others(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fault = StorageError(StorageErrorCode.ACCESS_DENIED, "HTTP 403, AuthorizationFailure")

    async def story(desk: Desk) -> None:
        for number in range(12):
            await desk.load(shops("a"), name=f"Shops{number}")
        ring = ring_of(storage)
        async with ring.accounts:
            with monkeypatch.context() as patch:
                failing(patch, JobStore, "get_held", *[fault] * 100)
                async with working(desk, ring):
                    await asyncio.sleep(1)
        assert await desk.account.queue.receive() is not None
        assert 0 < caplog.text.count("a job is left to its next try: refused") < 8

    play(storage, story)


def test_accounts_come_and_go_with_the_ring(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        entry = {storage.account: ConnectionStringConfig(storage.connection_string)}
        ring = ActiveKeyRing(
            KeyRing({}, {}), AccountRegistry({}, StorageOptions(storage.table_name, timedelta(hours=1), 5))
        )
        async with working(desk, ring):
            first = await desk.load(shops("a"))
            ring.replace(KeyRing(entry, {}))
            await finished(desk, first)
            (left,) = ring.replace(KeyRing({}, {}))
            await asyncio.sleep(1.2)
            second = await desk.load(shops("b"))
            await asyncio.sleep(0.5)
            assert (await desk.record(second)).status is JobStatus.PENDING
        await left.close()

    play(storage, story)


def test_the_sweep_goes_on_after_what_nobody_foresaw(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    swept = asyncio.Event()

    async def fail(_: AccountStorage) -> NoReturn:
        if caplog.records:
            swept.set()
        raise ValueError("AccountKey=secret")

    async def story(desk: Desk) -> None:
        monkeypatch.setattr("proxy.worker.worker.sweep", fail)
        monkeypatch.setattr("proxy.worker.worker.FIRST_SWEEP_SECONDS", 0.05)
        monkeypatch.setattr("proxy.worker.worker.SWEEP_SECONDS", 0.05)
        ring = ring_of(storage)
        async with ring.accounts, working(desk, ring), asyncio.timeout(SECONDS):
            await swept.wait()
        assert "not all was swept: ValueError" in {record.getMessage() for record in caplog.records}

    play(storage, story)


def test_a_queue_that_is_gone_is_made_again(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        await desk.account.queue._client.delete_queue()  # noqa: SLF001 - nothing of ours deletes queues
        ring = ring_of(storage)

        async def is_there() -> bool:
            try:
                return await desk.account.queue.length() == 0
            except StorageError:
                return False

        assert not await is_there()
        async with ring.accounts, working(desk, ring):
            await until(is_there)

    play(storage, story)


def test_a_worker_gives_signs_of_life_with_the_jobs_that_it_has_in_hand(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(desk: Desk) -> None:
        monkeypatch.setattr("proxy.worker.worker.LIFE_SECONDS", 0.1)
        there, gate, send = asyncio.Event(), asyncio.Event(), BlobStore.upload_file

        async def wait(self: BlobStore, *arguments: Any) -> None:
            there.set()
            await gate.wait()
            await send(self, *arguments)

        monkeypatch.setattr(BlobStore, "upload_file", wait)
        job_id, ring = await desk.load(shops("a")), ring_of(storage)

        async def seen(*jobs: str) -> bool:
            rows = await live_workers(desk.account)
            return [(row.name, row.jobs) for row in rows] == [(desk.place.worker, jobs)]

        async with ring.accounts, working(desk, ring):
            await there.wait()
            await until(lambda: seen(job_id))
            gate.set()
            await until(seen)
        row = storage.table.get_entity(f"~workers:{storage.account}", desk.place.worker)
        assert (row["Version"], row["StartedAt"].tzinfo is not None) == ("", True)

    play(storage, story)


def test_a_worker_that_may_not_tell_of_itself_says_so_once_and_goes_on(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(*_: object) -> NoReturn:
        raise StorageError(StorageErrorCode.ACCESS_DENIED, "HTTP 403")

    async def story(desk: Desk) -> None:
        monkeypatch.setattr("proxy.worker.worker.LIFE_SECONDS", 0.01)
        monkeypatch.setattr("proxy.worker.worker.write_worker_row", refuse)
        ring = ring_of(storage)
        async with ring.accounts, working(desk, ring):
            await finished(desk, await desk.load(shops("a")))
        assert sum("no signs of life can be written" in record.getMessage() for record in caplog.records) == 1

    play(storage, story)


def test_a_backlog_of_one_data_source_holds_up_no_other_of_its_account(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(desk: Desk) -> None:
        jobs = [await desk.load(shops("0"))]
        other = await desk.load(shops("a"), name="Cafes")
        jobs += [await desk.load(shops("1"), "incremental") for _ in range(8)]
        monkeypatch.setattr(Slots, "_may", lambda slots, _: slots._free == desk.place.readers.limits.jobs)  # noqa: SLF001 - one job at a time
        ring = ring_of(storage)
        async with ring.accounts, working(desk, ring):
            await finished(desk, other, *jobs)
        ended = {job: (await desk.record(job)).completed or 0 for job in (other, *jobs)}
        assert ended[other] < ended[jobs[4]]

    play(storage, story)
