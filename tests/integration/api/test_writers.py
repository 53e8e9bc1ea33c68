"""Several writers at once: rows and aliases stay true, and a fault is told as what it is."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

import adapters.tables.job_store
import adapters.tables.row_warnings
from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig
from adapters.errors import ConflictError, StorageError, StorageErrorCode
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import JobRecord, JobStatus, JobType
from adapters.model.ticks import PER_SECOND, Ticks, parse_ticks
from adapters.tables.job_store import JobStore
from tests.support.storage import BUSY_SECONDS, Storage

START = parse_ticks("2026-01-01T00:00:00Z")


def download(second: int) -> JobRecord:
    created = Ticks(START + second * PER_SECOND)
    return JobRecord(
        row_key=new_job_id(created),
        job_type=JobType.DOWNLOAD,
        status=JobStatus.COMPLETED,
        created=created,
        data_source_name="Coffee",
    )


def with_store(storage: Storage, work: Callable[[JobStore], Coroutine[Any, Any, None]], table: str = "") -> None:
    async def run() -> None:
        options = StorageOptions(table or storage.table_name, timedelta(hours=1), BUSY_SECONDS)
        async with AccountRegistry(
            {storage.account: ConnectionStringConfig(storage.connection_string)}, options
        ) as accounts:
            await work(accounts[storage.account].jobs)

    asyncio.run(run())


def test_the_newest_download_wins_however_many_write_at_once(storage: Storage) -> None:
    downloads = [download(second) for second in range(8)]

    async def work(store: JobStore) -> None:
        await asyncio.gather(*(store.upsert([record]) for record in reversed(downloads)))
        assert await store.get_newest_download("coffee") == downloads[-1]
        assert len(await store.list_created_since(START)) == len(downloads)

    with_store(storage, work)


def test_a_writer_that_always_loses_gets_an_error(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters.tables.job_store, "CHANGE_ATTEMPTS", 1)

    async def work(store: JobStore) -> None:
        records = [download(second) for second in range(8)]
        results = await asyncio.gather(*(store.upsert([record]) for record in records), return_exceptions=True)
        assert {type(result) for result in results} == {type(None), ConflictError}

    with_store(storage, work)


def test_a_missing_table_is_no_conflict(storage: Storage) -> None:
    async def work(store: JobStore) -> None:
        plain = download(0)
        with pytest.raises(StorageError) as caught:
            await store.upsert([plain])
        assert caught.value.code is StorageErrorCode.NO_TABLE

    with_store(storage, work, table="nowhere")


def test_a_transaction_that_storage_refuses_is_a_fault(storage: Storage) -> None:
    async def work(store: JobStore) -> None:
        twice = download(0)
        with pytest.raises(StorageError):
            await store.upsert([twice, twice])  # one row twice in one transaction

    with_store(storage, work)


def test_remarks_on_rows_are_bounded(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters.tables.row_warnings, "MAX_REMEMBERED", 3)
    for _ in range(5):
        storage.job(status="Resting")

    async def work(store: JobStore) -> None:
        assert len(await store.list_created_since(START)) == 5

    with_store(storage, work)
