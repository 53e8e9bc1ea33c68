"""Text separated by comma, tab or pipe: a version line, a line with the schema, then one entity a line.

A value in quotes may hold separators and doubled quotes, in csv line ends too; an empty value is a missing one, in
quotes or not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from proxy.formats.batches import RawRows, RowError
from proxy.formats.columns.buffers import line_ends, without_empty
from proxy.formats.delimited.fast_path import Regular, regular
from proxy.formats.delimited.header import Head
from proxy.formats.delimited.lines import LineReader
from proxy.formats.delimited.records import RecordReader
from proxy.formats.limits import BATCH_BYTES, BATCH_ROWS, LARGEST_RECORD
from proxy.formats.schema import InvalidDataError
from proxy.formats.schema_validation import DeclaredSchema


@dataclass(frozen=True, slots=True)
class Delimited:
    """A text format, by its separator."""

    separator: str
    suffix: str | None = None

    def declared(self, data: IO[bytes]) -> DeclaredSchema:
        """The schema, from the first two lines.

        Raises:
            UnusableError: they are something else.
        """
        return Head(LineReader(data), self.separator).declared()

    def rows(self, data: IO[bytes], declared: DeclaredSchema) -> Iterator[RawRows]:
        """The entities.

        Raises:
            UnusableError: the text is not what it should be.
        """
        blocks, width, key = LineReader(data), len(declared.properties), _key_place(declared)
        reader = RecordReader(self.separator, width, key, blocks)
        block = Head(blocks, self.separator).rest
        while block:
            found, rest = self._regular(block, width, key), b""
            if found is None:
                yield from _read(reader, block, width, key)
            else:
                rest = found.rest
                yield from _sliced(found, width, blocks.number + 1)
                blocks.number += line_ends(block, 0, len(block) - len(rest))
            block = rest + blocks.take()

    def _regular(self, block: bytes, width: int, key: int) -> Regular | None:
        """The rows by the quick way, where none lacks its id: it may be no row."""
        found = None if len(block) > LARGEST_RECORD else regular(block, self.separator, width)
        if found is None or key >= len(found.columns):
            return None
        found.columns[key] = without_empty(pc.utf8_trim_whitespace(found.columns[key]))
        return None if found.columns[key].null_count else found


def _read(reader: RecordReader, block: bytes, width: int, key: int) -> Iterator[RawRows]:
    """The rows of a block, and of what it begins in the next ones, line by line."""
    rows: list[list[str]] = []
    lines: list[int] = []
    failures: list[RowError] = []
    size = 0

    def collected() -> RawRows:
        columns = [without_empty(pa.array(column, pa.string())) for column in zip(*rows, strict=True)]
        columns = columns or [pa.array([], pa.string())] * width
        return RawRows(columns, [f"line {line}" for line in lines].__getitem__, tuple(failures))

    try:
        for record in reader.records(block):
            if record.wrong is None:
                rows.append(record.values)
                lines.append(record.line)
            else:
                failures.append(RowError(f"line {record.line}", record.values[key] or None, record.wrong, len(rows)))
            size += record.size
            if len(rows) + len(failures) >= BATCH_ROWS or size >= BATCH_BYTES:
                yield collected()
                rows, lines, failures, size = [], [], [], 0
    except InvalidDataError:
        yield collected()  # what was read until here counts
        raise
    yield collected()


def _sliced(found: Regular, width: int, first: int) -> Iterator[RawRows]:
    """The rows of regular columns, as many as there are properties; the block's first line is `first`."""
    for start in range(0, len(found.lines), BATCH_ROWS):
        some = [column.slice(start, BATCH_ROWS) for column in found.columns]
        # Not for the whole block: each column takes memory for each row, also where all are missing.
        some += [pa.nulls(len(some[0]), pa.string())] * (width - len(some))
        lines = found.lines[start : start + BATCH_ROWS] + first
        yield RawRows(some, lambda row, lines=lines: f"line {lines[row]}")  # type: ignore[misc]  # bound here


def _key_place(declared: DeclaredSchema) -> int:
    return next(place for place, property_ in enumerate(declared.properties) if property_.name in declared.keys)
