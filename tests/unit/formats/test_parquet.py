"""A version's Parquet file, as we and others read it."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from proxy.formats.parquet import GROUP, PIECE_BYTES, EntityWriter, read_entities, value_bytes

SCHEMA = pa.schema(
    [
        ("Id", pa.string()),
        ("Count", pa.int64()),
        ("Open", pa.bool_()),
        ("Latitude", pa.float64()),
        ("Since", pa.int64()),
        ("Place", pa.binary()),
    ]
)


def point(number: int) -> bytes:
    return struct.pack("<BIdd", 1, 1, number % 180, number % 90)


def batch(first: int, count: int) -> pa.RecordBatch:
    numbers = range(first, first + count)
    columns: list[list[Any]] = [
        [f"id{number}" for number in numbers],
        [None if number % 7 == 0 else number * 2**40 for number in numbers],
        [number % 2 == 0 for number in numbers],
        [number / 3 for number in numbers],
        [633_000_000_000_000_001 + number for number in numbers],
        [None if number % 5 == 0 else point(number) for number in numbers],
    ]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


def write(file: Path, batches: Iterator[pa.RecordBatch] | list[pa.RecordBatch], geography: str | None = None) -> Path:
    with EntityWriter(file, SCHEMA, geography) as writer:
        for entities in batches:
            writer.write(entities)
    return file


@pytest.mark.parametrize("geography", [None, "Place"])
@pytest.mark.parametrize("sizes", [(), (0,), (1,), (3, 4), (GROUP, 1), (7000, 7000, 7000), (2 * GROUP + 5,)])
def test_entities_come_back_in_their_order(tmp_path: Path, sizes: tuple[int, ...], geography: str | None) -> None:
    batches = [batch(sum(sizes[:index]), size) for index, size in enumerate(sizes)]
    found = list(read_entities(write(tmp_path / "a.parquet", batches, geography)))
    assert all(entities.schema.equals(SCHEMA, check_metadata=True) for entities in found)
    assert pa.Table.from_batches(found, SCHEMA).equals(pa.Table.from_batches(batches, SCHEMA))


def test_a_file_is_compressed_and_names_its_geography(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", [batch(0, 10)], "Place")
    metadata = pq.read_metadata(file)
    assert {metadata.row_group(0).column(index).compression for index in range(6)} == {"ZSTD"}
    # https://geoparquet.org/releases/v1.0.0/: these members are required.
    geo = json.loads(metadata.metadata[b"geo"])
    assert geo == {
        "version": "1.0.0",
        "primary_column": "Place",
        "columns": {"Place": {"encoding": "WKB", "geometry_types": []}},
    }


def test_entities_without_a_geography_are_plain_parquet(tmp_path: Path) -> None:
    assert b"geo" not in (pq.read_metadata(write(tmp_path / "a.parquet", [])).metadata or {})


def test_a_schema_keeps_its_own_metadata(tmp_path: Path) -> None:
    schema = SCHEMA.with_metadata({b"entity": b"Shop"})
    file = tmp_path / "a.parquet"
    with EntityWriter(file, schema, "Place") as writer:
        writer.write(batch(0, 3).replace_schema_metadata(schema.metadata))
    (found,) = read_entities(file)
    assert found.schema.metadata == {b"entity": b"Shop"}


def test_an_error_while_writing_is_raised_and_the_file_closed(tmp_path: Path) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield batch(0, 5)
        raise KeyError

    with pytest.raises(KeyError):
        write(tmp_path / "a.parquet", broken())
    assert list(read_entities(tmp_path / "a.parquet")) == []


def test_memory_stays_bounded_both_ways(tmp_path: Path) -> None:
    before = pa.total_allocated_bytes()
    most = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal most
        for index in range(20):
            most = max(most, pa.total_allocated_bytes() - before)
            yield batch(index * 5000, 5000)

    file = write(tmp_path / "a.parquet", batches())
    assert pq.read_metadata(file).row_group(0).num_rows == GROUP
    for _ in read_entities(file):
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < 3 * GROUP * 100  # an entity takes some 60 bytes; all of them are 100,000


def test_row_groups_and_pieces_are_bounded_by_bytes(tmp_path: Path) -> None:
    """An entity may have a megabyte; its geography more."""
    schema = pa.schema([("Id", pa.string()), ("Text", pa.string()), ("Place", pa.binary())])
    entities = pa.RecordBatch.from_pylist(
        [{"Id": str(number), "Text": "x" * 1_000_000, "Place": bytes(500_000)} for number in range(5)], schema
    )
    file = tmp_path / "a.parquet"
    with EntityWriter(file, schema, "Place") as writer:
        for _ in range(10):
            writer.write(entities)
    metadata = pq.read_metadata(file)
    rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    assert rows == [15, 15, 15, 5]
    assert metadata.serialized_size < 20_000  # no statistics that repeat the texts
    found = list(read_entities(file))
    assert sum(batch.num_rows for batch in found) == 50
    assert max(batch.nbytes for batch in found) <= PIECE_BYTES


def test_value_bytes_leave_out_missing_values() -> None:
    entities = pa.RecordBatch.from_pylist(
        [
            {"Id": "ab", "Count": 1, "Open": True, "Place": bytes(21)},
            {"Id": "ä", "Count": None, "Open": None, "Place": None},
        ],
        pa.schema([("Id", pa.string()), ("Count", pa.int64()), ("Open", pa.bool_()), ("Place", pa.binary())]),
    )
    assert value_bytes(entities) == 2 + 2 + 8 + 1 + 21
    assert value_bytes(entities.slice(1)) == 2


def test_a_file_that_is_not_parquet_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"<xml/>")
    with pytest.raises(pa.ArrowInvalid):
        list(read_entities(tmp_path / "a.parquet"))
