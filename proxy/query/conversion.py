"""A version's Parquet blob to the file that queries read: rows in the order of their ids, and columns that save work.

A row's number is the rank of its id, the last criterion of every order (query-api.md, section 2.6). Beside the
properties the file has these columns; no property can have such a name:

| column | values |
|---|---|
| `lower:NAME` | a String in lower case, as texts compare; not there where the property itself is that |
| `near:row`, `near:latitude`, `near:longitude` | the points in the order of their latitudes, and their rows |
| `bounds:west` ... | of the geography, of the point where there is none; only there with a geography |
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from proxy.formats.columns.buffers import offsets
from proxy.formats.schema import EntityType
from proxy.query.version_file import DamagedFileError, VersionFile, VersionFileWriter

LATITUDE, LONGITUDE = "Latitude", "Longitude"
LOWER = "lower:"
NEAR_ROW, NEAR_LATITUDE, NEAR_LONGITUDE = "near:row", "near:latitude", "near:longitude"
BOUNDS = ("bounds:west", "bounds:south", "bounds:east", "bounds:north")

_SHAPE_BYTES = 4 * 1024 * 1024
"""Bytes of WKB that are shapes of the library at a time; a shape takes several times as many."""


def convert_blob(blob: Path, file: Path, source: str, entity_type: EntityType) -> None:
    """Writes the file of a version. Memory: some two times the largest column.

    Args:
        blob: the version's Parquet file (proxy/formats/parquet.py).
        file: the file to write, whole or not at all.
        source: see `VersionFile`.
        entity_type: the version's entity type.

    Raises:
        DamagedFileError: the blob is no Parquet, is cut or damaged, or has other columns than the entity type.
        OSError: the file can't be written.
    """
    try:
        with pq.ParquetFile(blob, pre_buffer=False) as parquet:
            _check(parquet.schema_arrow, entity_type)
            with VersionFileWriter(file, source) as writer:
                _write_columns(parquet, entity_type, writer)
    except pa.ArrowInvalid as error:
        raise DamagedFileError(f"{blob.name} can't be read as Parquet: {str(error)[:500]}") from error
    finally:
        pa.default_memory_pool().release_unused()


def text_column(version: VersionFile, name: str) -> pa.Array:
    """A String property in lower case, as texts compare (query-api.md, section 1.5)."""
    lower = f"{LOWER}{name}"
    return version.column(lower if lower in version else name)


def _check(schema: pa.Schema, entity_type: EntityType) -> None:
    expected = entity_type.arrow()
    if schema.names != expected.names or schema.types != expected.types:
        raise DamagedFileError(f"the blob has the columns {schema.names}, and its entity type says {expected.names}")


def _write_columns(parquet: pq.ParquetFile, entity_type: EntityType, writer: VersionFileWriter) -> None:
    order = pc.sort_indices(_read(parquet, entity_type.key)).cast(pa.int32())
    locations: dict[str, npt.NDArray[np.float64]] = {}
    for name, type_ in zip(entity_type.arrow().names, entity_type.arrow().types, strict=True):
        column = _read(parquet, name).take(order)
        writer.write(name, column)
        if type_ == pa.string():
            lower = pc.utf8_lower(column)
            if not lower.equals(column):
                writer.write(f"{LOWER}{name}", lower)
        elif name in {LATITUDE, LONGITUDE}:
            locations[name] = column.to_numpy(zero_copy_only=False)
        del column
    _write_locations(locations[LATITUDE], locations[LONGITUDE], writer)
    geography = entity_type.geography()
    if geography is not None:
        shapes = _read(parquet, entity_type.properties[geography].name).take(order)
        bounds = _bounds(shapes, locations[LATITUDE], locations[LONGITUDE])
        for name, values in zip(BOUNDS, bounds, strict=True):
            writer.write(name, pa.array(values))


def _read(parquet: pq.ParquetFile, name: str) -> pa.Array:
    """A column as one array."""
    return parquet.read([name], use_threads=False).column(0).combine_chunks()


def _write_locations(
    latitudes: npt.NDArray[np.float64], longitudes: npt.NDArray[np.float64], writer: VersionFileWriter
) -> None:
    rows = np.argsort(latitudes, kind="stable").astype(np.int32)
    writer.write(NEAR_ROW, pa.array(rows))
    writer.write(NEAR_LATITUDE, pa.array(latitudes[rows]))
    writer.write(NEAR_LONGITUDE, pa.array(longitudes[rows]))


def _bounds(
    column: pa.Array, latitudes: npt.NDArray[np.float64], longitudes: npt.NDArray[np.float64]
) -> list[npt.NDArray[np.float64]]:
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
    return (slice(start, end) for start, end in zip(starts, starts[1:], strict=False))
