"""A job's row from its creation by a request to its end by a worker."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from azure.data.tables.aio import TableClient

import adapters.sdk_calls
import adapters.tables.job_changes
import adapters.tables.job_store
from adapters.account import AccountStorage
from adapters.credentials.connection_string import EMULATOR_KEY, parse_connection_string
from adapters.credentials.table_auth import SasTableAuth
from adapters.errors import ConflictError, StorageError, StorageErrorCode
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import PER_SECOND, Ticks, parse
from adapters.tables.job_store import JobStore
from adapters.tables.properties import MalformedRowError
from adapters.tables.reader import TableReader
from tests.support.opened_account import OTHER_KEY, run
from tests.support.storage import Storage

START = parse("2026-01-01T00:00:00Z")


def job(job_type: JobType = JobType.COMPLETE, second: int = 0, **values: Any) -> JobRecord:
    created = Ticks(START + second * PER_SECOND)
    members: dict[str, Any] = {"status": JobStatus.PENDING, "data_source_name": "Shops", "description": "Test"} | values
    return JobRecord(row_key=new_job_id(created), job_type=job_type, created=created, **members)


def ended(record: JobRecord, status: JobStatus = JobStatus.COMPLETED) -> JobRecord:
    return replace(record, status=status, completed=Ticks(START + 5), total=2**40, processed=7, failed=1)


def test_a_created_job_is_found_at_once_with_its_work(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        record = job()
        await account.jobs.create(record, '{"operation": "complete"}')
        assert await account.jobs.job(record.row_key) == record
        assert await account.jobs.get_with_payload(record.row_key) == (record, '{"operation": "complete"}')

    run(storage, work)


def test_a_job_without_work_and_no_job_are_told_apart(storage: Storage) -> None:
    written, odd, bad = storage.job(), storage.job(Work=5), storage.job("Unknown")

    async def work(account: AccountStorage) -> None:
        for row_key in (written, odd):
            found = await account.jobs.get_with_payload(row_key)
            assert found is not None
            assert found[1] is None
        assert await account.jobs.get_with_payload(job().row_key) is None
        with pytest.raises(MalformedRowError):
            await account.jobs.get_with_payload(bad)

    run(storage, work)


def test_a_job_is_created_once(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        record = job(JobType.DOWNLOAD)
        await account.jobs.create(record, "first")
        with pytest.raises(ConflictError):
            await account.jobs.create(ended(record), "second")
        assert await account.jobs.get_with_payload(record.row_key) == (record, "first")

    run(storage, work)


def test_the_newest_download_wins_however_many_are_created_at_once(storage: Storage) -> None:
    downloads = [job(JobType.DOWNLOAD, second) for second in range(8)]

    async def work(account: AccountStorage) -> None:
        await asyncio.gather(*(account.jobs.create(record, "{}") for record in reversed(downloads)))
        assert await account.jobs.newest_download("shops") == downloads[-1]
        assert len(await account.jobs.created_since(START)) == len(downloads)

    run(storage, work)


def test_who_loses_the_alias_every_time_is_told_and_leaves_no_job(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters.tables.job_store, "TRIES", 1)
    monkeypatch.setattr(adapters.sdk_calls, "LONGEST_WAIT", 0.01)
    downloads = [job(JobType.DOWNLOAD, second) for second in range(8)]

    async def work(account: AccountStorage) -> None:
        creations = (account.jobs.create(record, "{}") for record in downloads)
        results = await asyncio.gather(*creations, return_exceptions=True)
        lost = [isinstance(result, ConflictError) for result in results]
        assert any(lost)
        found = [await account.jobs.job(record.row_key) for record in downloads]
        assert [record is None for record in found] == lost

    run(storage, work)


def test_progress_shows_while_a_job_runs_and_its_work_stays(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        record = job()
        await account.jobs.create(record, "work")
        await account.jobs.update_progress(record.row_key, 10, 5, 1)
        now = replace(record, total=10, processed=5, failed=1)
        assert await account.jobs.get_with_payload(record.row_key) == (now, "work")

    run(storage, work)


def test_a_finished_job_keeps_its_work_and_its_first_end(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        record = job()
        await account.jobs.create(record, "work")
        end = replace(ended(record), output_blob=BlobPath("exports", "a.xml"), failed_blob=BlobPath("exports", "a.txt"))
        await account.jobs.complete(end)
        assert await account.jobs.get_with_payload(record.row_key) == (end, "work")
        await account.jobs.complete(record)
        await account.jobs.complete(ended(record, JobStatus.ABORTED))
        await account.jobs.update_progress(record.row_key, 1, 1, 1)
        assert await account.jobs.get_with_payload(record.row_key) == (end, "work")

    run(storage, work)


def test_a_job_that_is_gone_is_not_made_again(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        record = job()
        await account.jobs.complete(ended(record))
        await account.jobs.update_progress(record.row_key, 1, 1, 1)
        assert await account.jobs.get_with_payload(record.row_key) is None

    run(storage, work)


def test_progress_written_at_the_same_time_as_the_end_never_changes_it(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        for _ in range(5):
            record = job()
            await account.jobs.create(record, "work")
            progress = (account.jobs.update_progress(record.row_key, count, count, 0) for count in range(4))
            await asyncio.gather(*progress, account.jobs.complete(ended(record)))
            assert await account.jobs.job(record.row_key) == ended(record)

    run(storage, work)


def test_who_is_overtaken_each_time_is_told(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters.tables.job_changes, "TRIES", 1)
    monkeypatch.setattr(adapters.sdk_calls, "LONGEST_WAIT", 0.01)

    async def work(account: AccountStorage) -> None:
        record = job()
        await account.jobs.create(record, "work")
        kinds: set[type] = set()
        for _ in range(20):  # until they meet
            progress = (account.jobs.update_progress(record.row_key, count, count, 0) for count in range(8))
            kinds |= {type(result) for result in await asyncio.gather(*progress, return_exceptions=True)}
            if ConflictError in kinds:
                break
        assert kinds == {type(None), ConflictError}

    run(storage, work)


def test_who_may_read_and_not_write_is_told(storage: Storage) -> None:
    credential = parse_connection_string(storage.connection_string)
    refused = storage.connection_string.replace(EMULATOR_KEY, OTHER_KEY)
    row_key = storage.job(status="Pending")

    async def work(_: AccountStorage) -> None:
        table = storage.table_name
        reads = TableReader(credential.table_url, table, SasTableAuth(credential, table), 5)
        store = JobStore(storage.account, reads, TableClient.from_connection_string(refused, table), 5)
        for call in (store.update_progress(row_key, 1, 1, 1), store.create(job(), "{}")):
            with pytest.raises(StorageError) as caught:
                await call
            assert caught.value.fault is StorageErrorCode.ACCESS_DENIED
        await store.close()

    run(storage, work)
