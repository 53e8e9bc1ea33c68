"""A version's entities in a Parquet file, with the metadata of GeoParquet where they have a geography.

Files are local; reading or writing one may take seconds of a thread's time.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# A row group ends at so many entities or bytes, whichever comes first. Its last batch may be as large again.
GROUP = 10_000
GROUP_BYTES = 16 * 1024 * 1024

# A reader yields no more bytes at once, or a single entity.
PIECE_BYTES = 8 * 1024 * 1024

# A reader holds a page of each column: with 350 columns, pages of the usual megabyte are more than a worker has.
PAGE_BYTES = 64 * 1024

GEOPARQUET = "1.0.0"
_GEO = b"geo"


class EntityWriter:
    """Writes batches of entities to a local file, which is complete when the context ends.

    Args:
        file: the file to write.
        schema: the schema of every batch.
        geography: the column that holds WKB, in longitude and latitude of WGS 84, if there is one.
    """

    def __init__(self, file: Path, schema: pa.Schema, geography: str | None) -> None:
        metadata = {**(schema.metadata or {}), **({_GEO: _describe(geography)} if geography is not None else {})}
        self._schema = schema.with_metadata(metadata or None)
        self._writer = pq.ParquetWriter(
            file,
            self._schema,
            compression="zstd",
            data_page_size=PAGE_BYTES,
            dictionary_pagesize_limit=PAGE_BYTES,
            # Those of texts repeat a text's whole value, and those of all row groups are in memory at once.
            write_statistics=[field.name for field in schema if not _is_bytes(field.type)],
        )
        self._waiting: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Adds entities; they are held until a row group is full."""
        self._waiting.append(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows >= GROUP or self._bytes >= GROUP_BYTES:
            self._flush()

    def __enter__(self) -> Self:
        """The file is open already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Writes the entities that are held and closes the file."""
        try:
            if kind is None:
                self._flush()
        finally:
            self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            table = pa.Table.from_batches(self._waiting).cast(self._schema)
            self._writer.write_table(table, row_group_size=GROUP)
        self._waiting, self._rows, self._bytes = [], 0, 0


def read_entities(file: Path) -> Iterator[pa.RecordBatch]:
    """The entities of a file in the order in which they were written, PIECE_BYTES or one entity at a time.

    The batches have the schema that the writer was given.

    Raises:
        pyarrow.ArrowInvalid: the file is not Parquet.
    """
    with pq.ParquetFile(file, pre_buffer=False, buffer_size=PAGE_BYTES) as source:
        schema = source.schema_arrow
        metadata = {name: value for name, value in (schema.metadata or {}).items() if name != _GEO}
        schema = schema.with_metadata(metadata or None)
        for group in range(source.num_row_groups):
            for batch in source.iter_batches(GROUP, [group], use_threads=False):
                for piece in _halve(batch):
                    yield pa.RecordBatch.from_arrays(piece.columns, schema=schema)


def value_bytes(batch: pa.RecordBatch) -> int:
    """The size of the values of some entities in bytes, without missing ones."""
    sizes = (
        pc.sum(pc.binary_length(column)).as_py() or 0
        if _is_bytes(column.type)
        else (len(column) - column.null_count) * max(1, column.type.bit_width // 8)
        for column in batch.columns
    )
    return sum(sizes)


def _is_bytes(type_: pa.DataType) -> bool:
    return type_ in {pa.string(), pa.binary()}


def _halve(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The same entities in pieces of at most PIECE_BYTES."""
    if batch.nbytes <= PIECE_BYTES or batch.num_rows == 1:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _halve(batch.slice(0, half))
    yield from _halve(batch.slice(half))


def _describe(column: str) -> bytes:
    """GeoParquet's metadata: no list of geometry types means any; no crs means longitude and latitude of WGS 84."""
    columns = {column: {"encoding": "WKB", "geometry_types": []}}
    return json.dumps({"version": GEOPARQUET, "primary_column": column, "columns": columns}).encode()
