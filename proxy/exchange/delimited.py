"""Text separated by comma, tab or pipe: a version line, a line with the schema, then one entity a line.

A value in quotes may hold separators, doubled quotes and line ends; an empty value is a missing one, in quotes or not.
"""

import csv
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import pyarrow as pa

from proxy.exchange.batch import Failure, Rows
from proxy.exchange.limits import BATCH_BYTES, BATCH_ROWS, LARGEST_RECORD
from proxy.exchange.schema import EdmType, Property, UnusableError
from proxy.exchange.schema_rules import Declared
from proxy.exchange.texts import without_empty

_VERSION = re.compile(
    r'"?\s*Bing Spatial Data Services\s*,\s*1\.0\s*,\s*(?P<name>[^,|\t"]*?)\s*"?[,|\t\s]*', re.IGNORECASE
)
_PROPERTY = re.compile(
    r' *"? *(?P<name>[^\s"(),|]*) *\( *(?P<type>[\w.]+) *(?P<key>, *primaryKey *)?\) *"? *', re.IGNORECASE
)
_TYPES = {type_.lower(): type_ for type_ in EdmType}

# For the whole process: Python's csv has no other way, and its own limit is less than a geography may have.
csv.field_size_limit(LARGEST_RECORD)


class _Lines:
    """The lines of a text, bounded: no record is larger than it may be."""

    def __init__(self, data: IO[bytes]) -> None:
        # utf-8-sig: a byte order mark is no character of the first line.
        self._text = io.TextIOWrapper(data, "utf-8-sig", newline="")
        self.number = 0
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        """The lines; what reads them says by `size = 0` that a record has ended."""
        readline = self._text.readline
        try:
            while line := readline(LARGEST_RECORD + 1):
                self.number += 1
                self.size += len(line)
                if self.size > LARGEST_RECORD:
                    raise UnusableError(f"line {self.number}: an entity of more than {LARGEST_RECORD:,} characters")
                yield line
        except UnicodeDecodeError as error:
            raise UnusableError("the text is not UTF-8") from error

    def detach(self) -> None:
        self._text.detach()


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
        lines = _Lines(data)
        try:
            return self._declared(iter(lines))
        finally:
            lines.detach()

    def rows(self, data: IO[bytes], declared: Declared) -> Iterator[Rows]:
        """The entities.

        Raises:
            UnusableError: the text is not what it should be.
        """
        lines = _Lines(data)
        try:
            source = iter(lines)
            next(source)
            next(source)
            yield from self._rows(lines, source, declared)
        except csv.Error as error:
            raise UnusableError(f"line {lines.number}: {error}") from error
        finally:
            lines.detach()

    def _declared(self, lines: Iterator[str]) -> Declared:
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

    def _rows(self, lines: _Lines, source: Iterator[str], declared: Declared) -> Iterator[Rows]:
        reader = csv.reader(source, delimiter=self.separator)
        width, key = len(declared.properties), _key_place(declared)
        while True:
            rows: list[list[str]] = []
            starts: list[int] = []
            failures: list[Failure] = []
            start, size, lines.size = lines.number, 0, 0
            for row in reader:
                if len(row) == width:
                    rows.append(row)
                    starts.append(start + 1)
                elif row:
                    id_ = row[key] if key < len(row) else None
                    failures.append(
                        Failure(f"line {start + 1}", id_, f"has {len(row)} values; the schema names {width}")
                    )
                size += lines.size
                start = lines.number
                lines.size = 0
                if len(starts) + len(failures) >= BATCH_ROWS or size >= BATCH_BYTES:
                    break
            if not starts and not failures:
                return
            columns = [without_empty(pa.array(column, pa.string())) for column in zip(*rows, strict=True)]
            columns = columns or [pa.array([], pa.string())] * width
            yield Rows(columns, [f"line {number}" for number in starts].__getitem__, tuple(failures))


def _key_place(declared: Declared) -> int:
    return next(place for place in itertools.count() if declared.properties[place].name in declared.keys)
