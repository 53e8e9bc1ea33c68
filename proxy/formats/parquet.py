"""A version's entities in a Parquet file, with the metadata of GeoParquet where they have a geography.

Nothing here waits for storage; files are local, and reading or writing one may take seconds of a thread's time.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# A row group ends at so many entities or bytes, whichever comes first. The last batch that goes into it may be as
# large again.
GROUP = 10_000
GROUP_BYTES = 16 * 1024 * 1024

# What a reader gives at once: no more bytes than this, or a single entity.
PIECE_BYTES = 8 * 1024 * 1024

# Says in a file's metadata that its row groups end at GROUP_BYTES, so that a reader may decode one at once. Of files
# of older versions few entities are decoded at once, for each may have some megabytes.
BOUNDED = b"bounded"
DECODED = 32

# A reader holds a page of each column: with 350 columns, pages of the usual megabyte are more than a worker has.
PAGE_BYTES = 64 * 1024

# Row groups of older versions may be larger than memory. From this size on they are read some columns at a time.
WIDE_BYTES = 64 * 1024 * 1024

GEOPARQUET = "1.0.0"


class EntityWriter:
    """Writes batches of entities to a local file, which is whole when the context has ended.

    `schema` is that of every batch; `geography` is the name of the column that holds WKB, in longitude and latitude of
    WGS 84, if there is one.
    """

    def __init__(self, file: Path, schema: pa.Schema, geography: str | None) -> None:
        own = {BOUNDED: b"true"} | ({b"geo": _geo(geography)} if geography is not None else {})
        self._schema = schema.with_metadata({**(schema.metadata or {}), **own})
        self._writer = pq.ParquetWriter(
            file,
            self._schema,
            compression="zstd",
            data_page_size=PAGE_BYTES,
            dictionary_pagesize_limit=PAGE_BYTES,
            # Those of texts repeat a text's whole value, and all row groups' are in memory at once.
            write_statistics=[field.name for field in schema if not _is_bytes(field.type)],
        )
        self._waiting: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Adds entities; they are held until there are enough for a row group."""
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
        self._waiting, self._rows, self._bytes = [], 0, 0


def read_entities(file: Path) -> Iterator[pa.RecordBatch]:
    """The entities of such a file in the order in which they were written, PIECE_BYTES or one entity at a time.

    The batches have the schema that the writer was given.

    Raises:
        pyarrow.ArrowInvalid: the file is no such file.
    """
    with pq.ParquetFile(file, pre_buffer=False, buffer_size=PAGE_BYTES) as source:
        metadata = source.schema_arrow.metadata or {}
        schema = source.schema_arrow.with_metadata(_without_own(metadata))
        for group in range(source.num_row_groups):
            if BOUNDED in metadata:
                batches = source.iter_batches(GROUP, [group], use_threads=False)
            elif source.metadata.row_group(group).total_byte_size <= WIDE_BYTES:
                batches = source.iter_batches(DECODED, [group], use_threads=False)
            else:
                batches = _by_columns(source, group)
            for piece in _pieces(batches):
                yield pa.RecordBatch.from_arrays(piece.columns, schema=schema)


def value_bytes(batch: pa.RecordBatch) -> int:
    """How many bytes the values of these entities have; what is missing has none."""
    sizes = (
        pc.sum(pc.binary_length(column)).as_py() or 0
        if _is_bytes(column.type)
        else (len(column) - column.null_count) * max(1, column.type.bit_width // 8)
        for column in batch.columns
    )
    return sum(sizes)


def _is_bytes(type_: pa.DataType) -> bool:
    return type_ in {pa.string(), pa.binary()}


def _by_columns(source: pq.ParquetFile, group: int) -> Iterator[pa.RecordBatch]:
    """The same by way of files with some columns each, for a page of all columns would not fit into memory."""
    names, metadata = source.schema_arrow.names, source.metadata.row_group(group)
    parts: list[list[str]] = [[]]
    size = 0
    for place, name in enumerate(names):
        size += metadata.column(place).total_uncompressed_size
        parts[-1].append(name)
        if size > GROUP_BYTES:
            parts.append([])
            size = 0
    with TemporaryDirectory() as folder, ExitStack() as files:
        readers = []
        for number, part in enumerate(filter(None, parts)):
            file = Path(folder) / f"part{number}"
            batches = source.iter_batches(DECODED, [group], part, use_threads=False)
            first = next(batches)
            with pa.OSFile(str(file), "wb") as out, pa.ipc.new_stream(out, first.schema) as writer:
                writer.write(first)
                for batch in batches:
                    writer.write(batch)
            readers.append(files.enter_context(pa.ipc.open_stream(files.enter_context(pa.OSFile(str(file))))))
        for together in zip(*readers, strict=True):
            columns = [column for batch in together for column in batch.columns]
            yield pa.RecordBatch.from_arrays(columns, names=names)


def _pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same entities in pieces that are neither too large nor needlessly small."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        for part in _halved(batch):
            if waiting and (rows + part.num_rows > GROUP or size + part.nbytes > PIECE_BYTES):
                yield _one(waiting)
                waiting, rows, size = [], 0, 0
            waiting.append(part)
            rows += part.num_rows
            size += part.nbytes
    if waiting:
        yield _one(waiting)


def _one(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def _halved(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    if batch.nbytes <= PIECE_BYTES or batch.num_rows == 1:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _halved(batch.slice(0, half))
    yield from _halved(batch.slice(half))


def _geo(column: str) -> bytes:
    """GeoParquet's metadata: no list of geometry types means any; no crs means longitude and latitude of WGS 84."""
    columns = {column: {"encoding": "WKB", "geometry_types": []}}
    return json.dumps({"version": GEOPARQUET, "primary_column": column, "columns": columns}).encode()


def _without_own(metadata: dict[bytes, bytes]) -> dict[bytes, bytes] | None:
    return {name: value for name, value in metadata.items() if name not in {b"geo", BOUNDED}} or None
