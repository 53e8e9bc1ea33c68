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
from adapters.credentials.table_auth import TableAuth
from adapters.errors import ConflictError, StorageError, StorageErrorCode
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import PER_SECOND, Ticks, parse_ticks
from adapters.tables.job_store import JobStore
from adapters.tables.properties import MalformedRowError
from adapters.tables.reader import TableReader
from tests.support.opened_account import OTHER_KEY, SECONDS, run
from tests.support.storage import Storage

pytestmark = pytest.mark.anyio

START = parse_ticks("2026-01-01T00:00:00Z")


def job(job_type: JobType = JobType.COMPLETE, second: int = 0, **values: Any) -> JobRecord:
    created = Ticks(START + second * PER_SECOND)
    members: dict[str, Any] = {"status": JobStatus.PENDING, "data_source_name": "Shops", "description": "Test"} | values
    return JobRecord(row_key=new_job_id(created), job_type=job_type, created=created, **members)


def ended(record: JobRecord, status: JobStatus = JobStatus.COMPLETED) -> JobRecord:
    return replace(record, status=status, completed=Ticks(START + 5), total=2**40, processed=7, failed=1)


async def test_created_job_is_read_with_its_payload(account: AccountStorage) -> None:
    record = job()
    await account.jobs.create(record, '{"operation": "complete"}')
    assert await account.jobs.get(record.row_key) == record
    assert await account.jobs.get_with_payload(record.row_key) == (record, '{"operation": "complete"}')


async def test_payload_is_none_without_work(account: AccountStorage, storage: Storage) -> None:
    written, odd, bad = storage.job(), storage.job(Work=5), storage.job("Unknown")
    for row_key in (written, odd):
        found = await account.jobs.get_with_payload(row_key)
        assert found is not None
        assert found[1] is None
    assert await account.jobs.get_with_payload(job().row_key) is None
    with pytest.raises(MalformedRowError):
        await account.jobs.get_with_payload(bad)


async def test_create_of_an_existing_id_conflicts(account: AccountStorage) -> None:
    record = job(JobType.DOWNLOAD)
    await account.jobs.create(record, "first")
    with pytest.raises(ConflictError):
        await account.jobs.create(ended(record), "second")
    assert await account.jobs.get_with_payload(record.row_key) == (record, "first")


async def test_concurrent_creations_leave_the_newest_download(account: AccountStorage) -> None:
    downloads = [job(JobType.DOWNLOAD, second) for second in range(8)]
    await asyncio.gather(*(account.jobs.create(record, "{}") for record in reversed(downloads)))
    assert await account.jobs.get_newest_download("shops") == downloads[-1]
    assert len(await account.jobs.list_created_since(START)) == len(downloads)


async def test_create_that_loses_the_alias_leaves_no_job(
    account: AccountStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters.tables.job_store, "CHANGE_ATTEMPTS", 1)
    monkeypatch.setattr(adapters.sdk_calls, "LONGEST_WAIT", 0.01)
    lost = [False]
    for more in range(20):  # until they meet
        downloads = [job(JobType.DOWNLOAD, 8 * more + second) for second in range(8)]
        creations = (account.jobs.create(record, "{}") for record in downloads)
        results = await asyncio.gather(*creations, return_exceptions=True)
        lost = [isinstance(result, ConflictError) for result in results]
        found = [await account.jobs.get(record.row_key) for record in downloads]
        assert [record is None for record in found] == lost
        if any(lost):
            break
    assert any(lost)


async def test_progress_keeps_the_payload(account: AccountStorage) -> None:
    record = job()
    await account.jobs.create(record, "work")
    await account.jobs.update_progress(record.row_key, 10, 5, 1)
    now = replace(record, total=10, processed=5, failed=1)
    assert await account.jobs.get_with_payload(record.row_key) == (now, "work")


async def test_finished_job_does_not_change(account: AccountStorage) -> None:
    record = job()
    await account.jobs.create(record, "work")
    end = replace(ended(record), output_blob=BlobPath("exports", "a.xml"), failed_blob=BlobPath("exports", "a.txt"))
    await account.jobs.complete(end)
    assert await account.jobs.get_with_payload(record.row_key) == (end, "work")
    await account.jobs.complete(record)
    await account.jobs.complete(ended(record, JobStatus.ABORTED))
    await account.jobs.update_progress(record.row_key, 1, 1, 1)
    assert await account.jobs.get_with_payload(record.row_key) == (end, "work")


async def test_missing_job_is_not_created_by_a_change(account: AccountStorage) -> None:
    record = job()
    await account.jobs.complete(ended(record))
    await account.jobs.update_progress(record.row_key, 1, 1, 1)
    assert await account.jobs.get_with_payload(record.row_key) is None


async def test_concurrent_progress_never_changes_a_finished_job(account: AccountStorage) -> None:
    for _ in range(5):
        record = job()
        await account.jobs.create(record, "work")
        progress = (account.jobs.update_progress(record.row_key, count, count, 0) for count in range(4))
        await asyncio.gather(*progress, account.jobs.complete(ended(record)))
        assert await account.jobs.get(record.row_key) == ended(record)


async def test_change_that_conflicts_each_time_raises(account: AccountStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters.tables.job_changes, "CHANGE_ATTEMPTS", 1)
    monkeypatch.setattr(adapters.sdk_calls, "LONGEST_WAIT", 0.01)

    record = job()
    await account.jobs.create(record, "work")
    kinds: set[type] = set()
    for _ in range(20):  # until they meet
        progress = (account.jobs.update_progress(record.row_key, count, count, 0) for count in range(8))
        kinds |= {type(result) for result in await asyncio.gather(*progress, return_exceptions=True)}
        if ConflictError in kinds:
            break
    assert kinds == {type(None), ConflictError}


def test_read_only_credential_raises_access_denied(storage: Storage) -> None:
    credential = parse_connection_string(storage.connection_string)
    refused = storage.connection_string.replace(EMULATOR_KEY, OTHER_KEY)
    row_key = storage.job(status="Pending")

    async def work(_: AccountStorage) -> None:
        table = storage.table_name
        reads = TableReader(credential.table_url, table, TableAuth(credential, table), SECONDS)
        store = JobStore(storage.account, reads, TableClient.from_connection_string(refused, table), SECONDS)
        for call in (store.update_progress(row_key, 1, 1, 1), store.create(job(), "{}")):
            with pytest.raises(StorageError) as caught:
                await call
            assert caught.value.code is StorageErrorCode.ACCESS_DENIED
        await store.close()

    run(storage, work)
