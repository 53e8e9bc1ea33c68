"""Text separated by comma, tab or pipe: a version line, a line with the schema, then one entity a line.

A value in quotes may hold separators, doubled quotes and line ends; an empty value is a missing one, in quotes or not.
"""

import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import pyarrow as pa

from proxy.exchange.batch import Failure, Rows
from proxy.exchange.delimited_regular import regular_columns
from proxy.exchange.limits import BATCH_BYTES, BATCH_ROWS, LARGEST_RECORD
from proxy.exchange.line_blocks import LineBlocks
from proxy.exchange.schema import EdmType, Property, UnusableError
from proxy.exchange.schema_rules import Declared
from proxy.exchange.texts import without_empty

_VERSION = re.compile(
    r'"?\s*Bing Spatial Data Services\s*,\s*1\.0\s*,\s*(?P<name>[^,|\t"]*?)\s*"?[,|\t\s]*', re.IGNORECASE
)
_PROPERTY = re.compile(
    r' *"? *(?P<name>[^\s"(),|]*) *\( *(?P<type>[\w.]+) *(?P<key>, *primaryKey *)?\) *"? *', re.IGNORECASE
)
_HEAD_LINES = 2
_TYPES = {type_.lower(): type_ for type_ in EdmType}

# For the whole process: Python's csv has no other way, and its own limit is less than a geography may have.
csv.field_size_limit(LARGEST_RECORD)


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
        return self._declared(LineBlocks(data))

    def rows(self, data: IO[bytes], declared: Declared) -> Iterator[Rows]:
        """The entities.

        Raises:
            UnusableError: the text is not what it should be.
        """
        blocks = LineBlocks(data)
        block = _without_head(blocks)
        while block:
            columns = regular_columns(block, self.separator, len(declared.properties))
            if columns is None:
                yield from self._line_by_line(blocks, block, declared)
            else:
                yield from _sliced(columns, blocks.number + 1)
                blocks.number += len(columns[0])
            block = blocks.take()

    def _declared(self, blocks: LineBlocks) -> Declared:
        lines = blocks.lines(blocks.take())
        version = _VERSION.fullmatch(next(lines, "").rstrip("\r\n"))
        if version is None:
            raise UnusableError("line 1 is not: Bing Spatial Data Services, 1.0, <entity type>")
        line = next(lines, "").rstrip(f"\r\n {self.separator}")
        properties: list[Property] = []
        keys: list[str] = []
        end = 0
        while end < len(line) or not properties:
            match = _PROPERTY.match(line, end)
            if match is None or (match.end() < len(line) and line[match.end()] != self.separator):
                raise UnusableError(
                    f"line 2, property {len(properties) + 1}, is not like Name(Edm.String): the schema can't be read"
                )
            type_ = _TYPES.get(match["type"].lower())
            if type_ is None:
                raise UnusableError(
                    f"line 2: {match['type'][:50]} of {match['name'][:50]} is none of the types {', '.join(EdmType)}"
                )
            properties.append(Property(match["name"], type_))
            if match["key"]:
                keys.append(match["name"])
            end = match.end() + 1
        return Declared(version["name"], tuple(properties), tuple(keys))

    def _line_by_line(self, blocks: LineBlocks, block: bytes, declared: Declared) -> Iterator[Rows]:
        """The rows of a block, and of what it begins in the next ones."""
        reader = csv.reader(blocks.lines(block), delimiter=self.separator)
        width, key = len(declared.properties), _key_place(declared)
        ended = False
        while not ended:
            rows: list[list[str]] = []
            starts: list[int] = []
            failures: list[Failure] = []
            size = 0
            while not ended and len(rows) + len(failures) < BATCH_ROWS and size < BATCH_BYTES:
                start = blocks.number + 1
                row = next(reader)  # there is a line, and a record that it ends or begins
                if len(row) == width:
                    rows.append(row)
                    starts.append(start)
                elif row:
                    id_ = row[key] if key < len(row) else None
                    failures.append(Failure(f"line {start}", id_, f"has {len(row)} values; the schema names {width}"))
                size += blocks.size
                blocks.size = 0
                ended = not blocks.left
            columns = [without_empty(pa.array(column, pa.string())) for column in zip(*rows, strict=True)]
            columns = columns or [pa.array([], pa.string())] * width
            yield Rows(columns, [f"line {number}" for number in starts].__getitem__, tuple(failures))


def _without_head(blocks: LineBlocks) -> bytes:
    """The first block without the two lines of the schema, which may end in the next one."""
    block = blocks.take()
    while blocks.number < _HEAD_LINES:
        block = block or blocks.take()
        line = block.splitlines(keepends=True)[0]
        block = block[len(line) :]
        blocks.number += 1
    return block or blocks.take()


def _sliced(columns: list[pa.Array], first: int) -> Iterator[Rows]:
    """The rows of regular columns, each on a line of its own."""
    for start in range(0, len(columns[0]), BATCH_ROWS):
        some = [column.slice(start, BATCH_ROWS) for column in columns]
        yield Rows(some, lambda row, start=start: f"line {first + start + row}")  # type: ignore[misc]  # bound here


def _key_place(declared: Declared) -> int:
    return next(place for place in itertools.count() if declared.properties[place].name in declared.keys)
