"""A version's Parquet blob to the file that queries read: rows in the order of their ids, and columns that save work.

A row's number is the rank of its id, the last criterion of every order (query-api.md, section 2.6).
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from adapters.model.versions import DamagedVersionError
from proxy.formats.columns.buffers import offsets
from proxy.query import columns
from proxy.query.distance import Numbers
from proxy.query.schema import LATITUDE, LONGITUDE, PropertyType, Schema
from proxy.query.version_file import VersionFileWriter

_ARROW = {
    PropertyType.STRING: pa.string(),
    PropertyType.INT64: pa.int64(),
    PropertyType.BOOLEAN: pa.bool_(),
    PropertyType.DOUBLE: pa.float64(),
    PropertyType.DATETIME: pa.int64(),
    PropertyType.GEOGRAPHY: pa.binary(),
}

_SHAPE_BYTES = 4 * 1024 * 1024
"""Bytes of WKB that are shapes of the library at a time; a shape takes several times as many."""


def convert_blob(blob: Path, file: Path, source: str, schema: Schema) -> None:
    """Writes the file of a version. Memory: some two times the largest column.

    Args:
        blob: the version's Parquet file (proxy/formats/parquet.py).
        file: the file to write, whole or not at all.
        source: see `VersionFile`.
        schema: the version's entity type.

    Raises:
        DamagedVersionError: the blob is no Parquet, is cut or damaged, or has other columns than the entity type.
        OSError: the file can't be written.
    """
    try:
        with pq.ParquetFile(blob, pre_buffer=False) as parquet:
            _check(parquet.schema_arrow, schema)
            with VersionFileWriter(file, source) as writer:
                _write_columns(parquet, schema, writer)
    except pa.ArrowException as error:
        raise DamagedVersionError(f"{blob.name} can't be read as Parquet: {str(error)[:500]}") from error
    finally:
        pa.default_memory_pool().release_unused()


def _check(found: pa.Schema, schema: Schema) -> None:
    names, types = [each.name for each in schema.properties], [_ARROW[each.type] for each in schema.properties]
    if found.names != names or found.types != types:
        raise DamagedVersionError(f"the blob has the columns {found.names}, and its stored schema says {names}"[:2000])


def _write_columns(parquet: pq.ParquetFile, schema: Schema, writer: VersionFileWriter) -> None:
    order = pc.sort_indices(_read(parquet, schema.key)).cast(pa.int32())
    location: list[Numbers] = []
    for alias, name in ((columns.LATITUDE, LATITUDE), (columns.LONGITUDE, LONGITUDE)):
        column = _read(parquet, schema.require(name, name).name).take(order)
        writer.write(alias, column)
        location.append(column.to_numpy(zero_copy_only=False))
    latitudes, longitudes = location
    _write_near(latitudes, longitudes, writer)
    for each in schema.properties:
        if each.is_coordinate:
            writer.name(columns.LATITUDE if each == schema.find(LATITUDE) else columns.LONGITUDE, each.name)
            continue
        column = _read(parquet, each.name).take(order)
        writer.write(each.name, column)
        if each.type is PropertyType.STRING:
            _write_lower(each.name, column, writer)
        elif each.type is PropertyType.GEOGRAPHY:
            writer.name(each.name, columns.GEOGRAPHY)
            for name, values in zip(columns.BOUNDS, _bounds(column, latitudes, longitudes), strict=True):
                writer.write(name, pa.array(values))
    writer.name(schema.key, columns.KEY)
    if columns.LOWER + schema.key in writer:
        writer.name(columns.LOWER + schema.key, columns.LOWER + columns.KEY)


def _read(parquet: pq.ParquetFile, name: str) -> pa.Array:
    """A column as one array."""
    try:
        return parquet.read([name], use_threads=False).column(0).combine_chunks()
    except OSError as error:  # how Arrow reports what it can't decompress
        raise pa.ArrowInvalid(str(error)) from error


def _write_lower(name: str, column: pa.Array, writer: VersionFileWriter) -> None:
    lower = pc.utf8_lower(column)
    if not lower.equals(column):
        writer.write(columns.LOWER + name, lower)


def _write_near(latitudes: Numbers, longitudes: Numbers, writer: VersionFileWriter) -> None:
    rows = np.argsort(latitudes, kind="stable").astype(np.int32)
    writer.write(columns.NEAR_ROW, pa.array(rows))
    writer.write(columns.NEAR_LATITUDE, pa.array(latitudes[rows]))
    writer.write(columns.NEAR_LONGITUDE, pa.array(longitudes[rows]))


def _bounds(column: pa.Array, latitudes: Numbers, longitudes: Numbers) -> list[Numbers]:
    """West, south, east and north of each geography, of its point where there is none or it can't be read."""
    found = np.column_stack([longitudes, latitudes, longitudes, latitudes])
    for rows in _spans(column):
        shapes = shapely.from_wkb(column[rows].to_numpy(zero_copy_only=False), on_invalid="ignore")
        bounds = shapely.bounds(shapes)
        found[rows] = np.where(np.isnan(bounds), found[rows], bounds)
    return [np.ascontiguousarray(found[:, side]) for side in range(4)]


def _spans(column: pa.Array) -> Iterator[slice]:
    """The rows in pieces of about _SHAPE_BYTES."""
    ends = offsets(column).astype(np.int64)
    pieces = (ends[:-1] - ends[0]) // _SHAPE_BYTES
    starts = [*np.flatnonzero(np.diff(pieces, prepend=-1)).tolist(), len(column)]
    return (slice(start, end) for start, end in pairwise(starts))
