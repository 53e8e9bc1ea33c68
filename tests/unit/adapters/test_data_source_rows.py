"""Data source rows: written and read back, and read where another writer made mistakes."""

from dataclasses import replace
from typing import Any

import pytest
from azure.data.tables import EntityProperty

from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath
from adapters.model.ticks import Ticks, parse_ticks
from adapters.tables.data_source_rows import MAX_APPLIED, read_data_source, write_data_source
from adapters.tables.properties import MalformedRowError

CREATED = parse_ticks("2026-01-02T03:04:05.0000006Z")
JOB = new_job_id(CREATED)


def version(entities: int) -> DataSourceVersion:
    return DataSourceVersion(
        job_id=new_job_id(CREATED),
        blob=BlobPath("datasources", f"contoso/shops/{entities}.parquet"),
        entity_type="Shop",
        schema=f'{{"name":"Shöp {entities}"}}',
        entities=entities,
        updated=Ticks(CREATED + entities),
    )


FULL = DataSource(
    name="Shops",
    access_id="a1b2",
    created=CREATED,
    is_public=True,
    master_key="sha256:1",
    query_key="sha256:2",
    published=version(1),
    earlier=(version(2), version(3)),
    staged=version(4),
    staged_until=Ticks(CREATED + 1),
    applied=("b", "a"),
    deleting=JOB,
)
BARE = DataSource(name="Shops", access_id="a1b2", created=CREATED)


def stored(record: DataSource) -> dict[str, Any]:
    """The row as storage's JSON has it."""
    row: dict[str, Any] = {}
    for name, value in write_data_source("contoso", "shops", record).items():
        row[name] = value.value if isinstance(value, EntityProperty) else value
        if isinstance(value, EntityProperty):
            row[f"{name}@odata.type"] = "Edm.DateTime"
    return row


def read(row: dict[str, Any]) -> tuple[DataSource, list[str]]:
    remarks: list[str] = []
    return read_data_source(row, remarks.append), remarks


@pytest.mark.parametrize("record", [FULL, BARE, replace(FULL, earlier=(version(2),))])
def test_written_row_is_read_unchanged(record: DataSource) -> None:
    assert read(stored(record)) == (record, [])


def test_missing_newer_version_keeps_the_older_one() -> None:
    row = stored(FULL)
    del row["Earlier1"]
    assert read(row)[0].earlier == FULL.earlier[1:]


def test_applied_keeps_the_newest_ids_in_any_order() -> None:
    ids = [f"{number:032x}" for number in range(MAX_APPLIED + 5)]
    for order in (ids, ids[::-1]):
        applied = read(stored(replace(BARE, applied=tuple(order))))[0].applied
        assert applied == tuple(job_id for job_id in order if job_id in ids[5:])


@pytest.mark.parametrize(
    "change",
    [
        {"Name": None},
        {"Name": 5},
        {"AccessId": ""},
        {"Created": "yesterday"},
        {"Created@odata.type": "Edm.String"},
        {"Published": 5},
        {"Published": ""},
        {"Published": "{"},
        {"Published": "[]"},
        {"Published": "[" * 100_000},
        {"Published": "{}"},
        {"PublishedSchema": None},
        {"StagedSchema": 5},
        {"Earlier2": "null"},
    ],
    ids=lambda change: repr(change)[:40],
)
def test_malformed_row_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedRowError, match=next(iter(change)).removesuffix("@odata.type")):
        read(stored(FULL) | change)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ('"entities":1', '"entities":true'),
        ('"entities":1', '"entities":-1'),
        ('"entities":1', '"entities":"1"'),
        ('"entityType":"Shop"', '"entityType":1'),
        ('"job":"', '"job":"x'),
        ('"blob":"', '"blob":"/'),
        ('"updated":"', '"updated":"x'),
    ],
)
def test_malformed_version_is_refused(member: str, value: str) -> None:
    row = stored(FULL)
    assert member in row["Published"]
    with pytest.raises(MalformedRowError, match="Published is not a version"):
        read(row | {"Published": row["Published"].replace(member, value)})


def test_odd_optional_property_is_skipped_with_a_warning() -> None:
    odd = {"IsPublic": "yes", "MasterKey": 1, "StagedUntil": "soon", "Applied": 3, "Deleting": False}
    record, remarks = read(stored(FULL) | odd)
    assert record == replace(FULL, is_public=False, master_key=None, staged_until=None, applied=(), deleting=None)
    assert [remark.split()[0] for remark in remarks] == list(odd)
