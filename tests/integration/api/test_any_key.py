"""Any text as a key finds exactly the row that was written under it, or nothing."""

import asyncio
from collections.abc import Iterator

import pytest
from azure.data.tables.aio import TableClient
from hypothesis import given, settings

from adapters.credentials.connection_string import parse_connection_string
from adapters.credentials.table_auth import TableAuth
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import JobRecord, JobStatus, JobType
from adapters.model.ticks import parse_ticks
from adapters.tables.job_store import JobStore
from adapters.tables.reader import TableReader
from tests.support.key_strategies import keys, neighbours
from tests.support.storage import BUSY_SECONDS, Storage, ago, date

CREATED = parse_ticks(ago(hours=1))


@pytest.fixture(scope="module")
def reads(shared_storage: Storage, loop: asyncio.Runner) -> Iterator[TableReader]:
    """Reads of the real table."""
    credential = parse_connection_string(shared_storage.connection_string)
    name = shared_storage.table_name
    opened = TableReader(credential.table_url, name, TableAuth(credential, name), BUSY_SECONDS)
    yield opened
    loop.run(opened.close())


@pytest.fixture(scope="module")
def writes(shared_storage: Storage, loop: asyncio.Runner) -> Iterator[TableClient]:
    """Writes to the same table."""
    client = TableClient.from_connection_string(shared_storage.connection_string, shared_storage.table_name)
    yield client
    loop.run(client.close())


def _write(storage: Storage, partition: str, row_key: str) -> None:
    storage.table.upsert_entity({"PartitionKey": partition, "RowKey": row_key, "Said": f"{partition} {row_key}"})


@settings(max_examples=20)
@given(text=keys)
def test_a_point_read_finds_its_own_row_by_any_key(
    shared_storage: Storage, reads: TableReader, loop: asyncio.Runner, text: str
) -> None:
    for other in neighbours(text):
        _write(shared_storage, "points", other)
        _write(shared_storage, other, "points")
    assert loop.run(reads.row("nobody", text)) is None
    for partition, row_key in (("points", text), (text, "points")):
        _write(shared_storage, partition, row_key)
        row = loop.run(reads.row(partition, row_key))
        assert row is not None
        assert row["Said"] == f"{partition} {row_key}"


@settings(max_examples=25)
@given(account=keys)
def test_an_account_of_any_name_has_its_own_jobs(
    shared_storage: Storage, reads: TableReader, writes: TableClient, loop: asyncio.Runner, account: str
) -> None:
    for other in neighbours(account):
        job = {"JobType": "Geocode", "Status": "Pending", "CreatedDate": date(ago(hours=1))}
        shared_storage.table.upsert_entity({"PartitionKey": other, "RowKey": new_job_id(CREATED)} | job)
    record = JobRecord(
        row_key=new_job_id(CREATED),
        job_type=JobType.DOWNLOAD,
        status=JobStatus.PENDING,
        created=CREATED,
        data_source_name="Shop",
        legacy_id="Old",
    )
    store = JobStore(account, reads, writes, BUSY_SECONDS)
    loop.run(store.delete_all())
    loop.run(store.upsert([record]))
    assert loop.run(store.list_created_since(CREATED)) == [record]
    assert loop.run(store.get_newest_download("shop")) == record
    assert loop.run(store.get("OLD")) == record
    assert loop.run(store.get(record.row_key.upper())) == record
