"""Text separated by comma, tab or pipe: a version line, a line with the schema, then one entity a line.

A value in quotes may hold separators and doubled quotes, in csv line ends too; an empty value is a missing one, in
quotes or not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from proxy.exchange.batch import Failure, Rows
from proxy.exchange.delimited_head import Head
from proxy.exchange.delimited_records import RecordReader
from proxy.exchange.delimited_regular import Regular, regular
from proxy.exchange.limits import BATCH_BYTES, BATCH_ROWS, LARGEST_RECORD
from proxy.exchange.line_blocks import LineBlocks
from proxy.exchange.schema import UnusableError
from proxy.exchange.schema_rules import Declared
from proxy.exchange.texts import line_ends, without_empty


@dataclass(frozen=True, slots=True)
class Delimited:
    """A text format, by its separator."""

    separator: str
    suffix: str | None = None

    def declared(self, data: IO[bytes]) -> Declared:
        """The schema, from the first two lines.

        Raises:
            UnusableError: they are something else.
        """
        return Head(LineBlocks(data), self.separator).declared()

    def rows(self, data: IO[bytes], declared: Declared) -> Iterator[Rows]:
        """The entities.

        Raises:
            UnusableError: the text is not what it should be.
        """
        blocks, width, key = LineBlocks(data), len(declared.properties), _key_place(declared)
        reader = RecordReader(self.separator, width, key, blocks)
        block = Head(blocks, self.separator).rest
        while block:
            found, rest = self._regular(block, width, key), b""
            if found is None:
                yield from _read(reader, block, width, key)
            else:
                rest = found.rest
                yield from _sliced(found, blocks.number + 1)
                blocks.number += line_ends(block, 0, len(block) - len(rest))
            block = rest + blocks.take()

    def _regular(self, block: bytes, width: int, key: int) -> Regular | None:
        """The rows by the quick way, where none lacks its id: it may be no row."""
        found = None if len(block) > LARGEST_RECORD else regular(block, self.separator, width)
        if found is None:
            return None
        found.columns[key] = without_empty(pc.utf8_trim_whitespace(found.columns[key]))
        return None if found.columns[key].null_count else found


def _read(reader: RecordReader, block: bytes, width: int, key: int) -> Iterator[Rows]:
    """The rows of a block, and of what it begins in the next ones, line by line."""
    rows: list[list[str]] = []
    lines: list[int] = []
    failures: list[Failure] = []
    size = 0

    def collected() -> Rows:
        columns = [without_empty(pa.array(column, pa.string())) for column in zip(*rows, strict=True)]
        columns = columns or [pa.array([], pa.string())] * width
        return Rows(columns, [f"line {line}" for line in lines].__getitem__, tuple(failures))

    try:
        for record in reader.records(block):
            if record.wrong is None:
                rows.append(record.values)
                lines.append(record.line)
            else:
                failures.append(Failure(f"line {record.line}", record.values[key] or None, record.wrong, len(rows)))
            size += record.size
            if len(rows) + len(failures) >= BATCH_ROWS or size >= BATCH_BYTES:
                yield collected()
                rows, lines, failures, size = [], [], [], 0
    except UnusableError:
        yield collected()  # what was read until here counts
        raise
    yield collected()


def _sliced(found: Regular, first: int) -> Iterator[Rows]:
    """The rows of regular columns; the block's first line is `first`."""
    for start in range(0, len(found.lines), BATCH_ROWS):
        some = [column.slice(start, BATCH_ROWS) for column in found.columns]
        lines = found.lines[start : start + BATCH_ROWS] + first
        yield Rows(some, lambda row, lines=lines: f"line {lines[row]}")  # type: ignore[misc]  # bound here


def _key_place(declared: Declared) -> int:
    return next(place for place, property_ in enumerate(declared.properties) if property_.name in declared.keys)
