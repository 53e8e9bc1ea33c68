"""The entities of an XML file: regular ones by the quick way, all others by the parser, with the same result."""

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from proxy.formats.batches import RawRows, RowError
from proxy.formats.limits import BATCH_BYTES, BATCH_ROWS, LARGEST_RECORD
from proxy.formats.schema_validation import DeclaredSchema
from proxy.formats.xml.entity_parser import EntityReader
from proxy.formats.xml.fast_path import regular_entity, without_references
from proxy.formats.xml.header import SchemaHeader
from proxy.formats.xml.schema import parse_schema as declared_by

_PIECE = 1024 * 1024


class DataSetXml:
    """The format."""

    suffix: str | None = None

    def declared(self, data: IO[bytes]) -> DeclaredSchema:
        """The schema, the first child of the root.

        Raises:
            UnusableError: it is none.
        """
        return declared_by(SchemaHeader(data).schema)

    def rows(self, data: IO[bytes], declared: DeclaredSchema) -> Iterator[RawRows]:
        """The entities.

        Raises:
            UnusableError: the file is no well-formed XML, or one of its elements is too large.
        """
        collected = _Collected(declared)
        for _ in _read(data, declared, collected):
            if collected.full:
                yield collected.take()
        yield collected.take()


class _Collected:
    """The rows of one batch, as they come."""

    def __init__(self, declared: DeclaredSchema) -> None:
        self._width = len(declared.properties)
        self._number = 0
        self.size = 0
        self._clear()

    def _clear(self) -> None:
        self._rows: list[tuple[bytes | None, ...]] = []
        self._places: list[tuple[int, int]] = []
        self._failures: list[RowError] = []
        self.size = 0

    @property
    def full(self) -> bool:
        return len(self._rows) + len(self._failures) >= BATCH_ROWS or self.size >= BATCH_BYTES

    def add(self, line: int, row: tuple[bytes | None, ...], size: int) -> None:
        self._number += 1
        self._rows.append(row)
        self._places.append((self._number, line))
        self.size += size

    def fail(self, line: int, id_: str | None, reason: str) -> None:
        self._number += 1
        self._failures.append(RowError(_place(self._number, line), id_, reason, len(self._rows)))

    def take(self) -> RawRows:
        columns = [_text(column) for column in zip(*self._rows, strict=True)] or [
            pa.array([], pa.string())
        ] * self._width
        places = self._places
        rows = RawRows(columns, lambda row: _place(*places[row]), tuple(self._failures))
        self._clear()
        return rows


def _place(number: int, line: int) -> str:
    return f"entity {number} (line {line})"


def _text(column: tuple[bytes | None, ...]) -> pa.Array:
    return pc.cast(pa.array(column, pa.binary()), pa.string())


def _read(data: IO[bytes], declared: DeclaredSchema, collected: _Collected) -> Iterator[None]:
    """Reads entity by entity into `collected`, and hands over after each."""
    head = SchemaHeader(data)
    parser, rest, line = head.parser, head.rest, head.line
    reader = EntityReader(parser, declared, collected.add, collected.fail)
    match, closing = regular_entity(declared).match, b"</%b>" % declared.name.encode()
    start, more, resting, least = 0, True, True, 0
    while start < len(rest) or more:
        if resting and (found := match(rest, start)):
            entity, end = rest.find(b"<", start), found.end()
            before, inside = rest.count(b"\n", start, entity), rest.count(b"\n", entity, end)
            values = found.groups()
            if rest.find(b"&", entity, end) >= 0:
                values = without_references(values)
            collected.add(line + before, values, end - start)
            line += before + inside
            parser.lines_skipped += before + inside
            start = end
            yield
            continue
        closed = rest.find(closing, start + least)
        if closed < 0 and more and len(rest) - start <= LARGEST_RECORD:
            piece = head.data.read(_PIECE, line + rest.count(b"\n", start))
            more = bool(piece)
            rest, start = rest[start:] + piece, 0
            continue
        end = closed + len(closing) if closed >= 0 else len(rest)
        parser.feed(rest[start:end])
        line += rest.count(b"\n", start, end)
        resting = reader.is_between and parser.rests_after(closing)
        # The parser reads again what it could not finish: pieces that double keep that from growing with the square.
        least = 0 if resting else 2 * max(least, end - start)
        start = end
        yield
    parser.close()
