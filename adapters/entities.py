"""A version's entities in a Parquet file, with the metadata of GeoParquet where they have a geography.

Nothing here waits for storage; files are local, and reading or writing one may take seconds of a thread's time.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

# Entities in one row group, which is what a reader takes into memory at once.
GROUP = 10_000

GEOPARQUET = "1.0.0"


class EntityWriter:
    """Writes batches of entities to a local file, which is whole when the context has ended.

    `schema` is that of every batch; `geography` is the name of the column that holds WKB, in longitude and latitude of
    WGS 84, if there is one.
    """

    def __init__(self, file: Path, schema: pa.Schema, geography: str | None) -> None:
        self._schema = schema
        if geography is not None:
            self._schema = schema.with_metadata({**(schema.metadata or {}), b"geo": _geo(geography)})
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Adds entities; they are held until there are enough for a row group."""
        self._waiting.append(batch)
        self._rows += batch.num_rows
        if self._rows >= GROUP:
            self._flush()

    def __enter__(self) -> Self:
        """The file is open already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Writes what is held and ends the file."""
        try:
            if kind is None:
                self._flush()
        finally:
            self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            table = pa.Table.from_batches(self._waiting).cast(self._schema)
            self._writer.write_table(table, row_group_size=GROUP)
        self._waiting, self._rows = [], 0


def read_entities(file: Path) -> Iterator[pa.RecordBatch]:
    """The entities of such a file in the order in which they were written, a row group in memory at a time.

    The batches have the schema that the writer was given.

    Raises:
        pyarrow.ArrowInvalid: the file is no such file.
    """
    with pq.ParquetFile(file, pre_buffer=False) as source:
        for batch in source.iter_batches(batch_size=GROUP):
            yield batch.replace_schema_metadata(_without_geo(batch.schema.metadata))


def _geo(column: str) -> bytes:
    """GeoParquet's metadata: no list of geometry types means any; no crs means longitude and latitude of WGS 84."""
    columns = {column: {"encoding": "WKB", "geometry_types": []}}
    return json.dumps({"version": GEOPARQUET, "primary_column": column, "columns": columns}).encode()


def _without_geo(metadata: dict[bytes, bytes] | None) -> dict[bytes, bytes] | None:
    return {name: value for name, value in (metadata or {}).items() if name != b"geo"} or None
