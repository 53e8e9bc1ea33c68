"""Text separated by comma, tab or pipe: a title line, a line with the schema, then one entity a row.

The reader finds the separators, line ends and quotes of a block at once. Rows may have any number of values.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from proxy.formats.batches import RawRows, RowError
from proxy.formats.columns.buffers import quote_value, without_empty
from proxy.formats.delimited.blocks import split_blocks
from proxy.formats.delimited.grammar import GRAMMARS, Positions, Quotes
from proxy.formats.delimited.header import Header
from proxy.formats.delimited.lines import LineReader, check_encoding
from proxy.formats.limits import BATCH_ROWS, MAX_ID_LENGTH, MAX_RECORD_BYTES
from proxy.formats.schema import InvalidDataError
from proxy.formats.schema_validation import DeclaredSchema

_TOO_LARGE = f"has more than {MAX_RECORD_BYTES:,} bytes, the most that an entity may have"


@dataclass(frozen=True, slots=True)
class Delimited:
    """A text format, by its separator."""

    separator: str
    suffix: str | None = None

    def read_schema(self, data: IO[bytes]) -> DeclaredSchema:
        """The schema, from the first two lines.

        Raises:
            InvalidDataError: the lines are something else.
        """
        return Header.read(LineReader(data)).parse(self.separator)

    def read_rows(self, data: IO[bytes], declared: DeclaredSchema) -> Iterator[RawRows]:
        """The entities.

        Raises:
            InvalidDataError: the text is not UTF-8.
        """
        lines, grammar = LineReader(data), GRAMMARS[self.separator]
        text = Header.read(lines).rest
        names = [property_.name for property_ in declared.properties]
        key = names.index(next(name for name in names if name in declared.keys))
        for block_text, quotes in split_blocks(lines, text, grammar):
            block = _Block(block_text, quotes, grammar.separator)
            yield from block.read(len(names), key, lines.number + 1)
            lines.number += len(block.line_ends)


class _Block:
    """Whole rows as Arrow's values. `line_ends` are the positions of all line ends, those within values too."""

    def __init__(self, text: bytes, quotes: Quotes, separator: bytes) -> None:
        self._text, self._by = text, separator
        self._data = data = np.frombuffer(text, np.uint8)
        kept = np.ones(len(data), bool)
        edges = quotes.edges[: np.searchsorted(quotes.edges, len(data))]
        marks = data == ord(separator)
        marks |= data == ord("\n")
        if b"\r" in text:
            marks |= data == ord("\r")
            second = 1 + np.flatnonzero((data[:-1] == ord("\r")) & (data[1:] == ord("\n")))
            marks[second] = False
            kept[second[np.searchsorted(edges, second) % 2 == 0]] = False
        ends = np.flatnonzero(marks)
        is_line_end = data[ends] != ord(separator)
        self.line_ends: Positions = ends[is_line_end]
        if len(edges):
            outside = np.searchsorted(edges, ends) % 2 == 0
            ends, is_line_end = ends[outside], is_line_end[outside]
            _drop_quotes(data, kept, edges, quotes.blanks)
        # Separators, line ends, quotes and blanks are cut out; the values lie one after the other.
        offsets = ends.astype(np.int32)
        offsets -= np.arange(len(ends), dtype=np.int32)
        if len(edges) or b"\r" in text:
            offsets -= np.searchsorted(np.flatnonzero(~kept), ends).astype(np.int32)
        kept[ends] = False
        self._values = data[kept]
        self._offsets = np.zeros(len(ends) + 1, np.int32)
        self._offsets[1:] = offsets
        last = np.flatnonzero(is_line_end)
        self._ends: Positions = ends
        self._row_ends: Positions = ends[last]
        # Of each row, the position of its start and the numbers of its first value and of its values.
        self._starts = np.zeros(len(last), np.int64)
        self._starts[1:] = self._row_ends[:-1] + 1
        self._first = np.zeros(len(last), np.int64)
        self._first[1:] = last[:-1] + 1
        self._counts: Positions = last + 1 - self._first

    def read(self, width: int, key: int, line: int) -> Iterator[RawRows]:
        """The rows that hold an entity, some thousand at a time.

        Args:
            width: the number of properties.
            key: the index of the primary key.
            line: the number of the block's first line.

        Raises:
            InvalidDataError: a row is not UTF-8; the rows before it have been yielded.
        """
        readable, error = self._check_encoding(line)
        rows = np.flatnonzero(self._find_entities()[:readable])
        values = pa.StringArray.from_buffers(len(self._ends), pa.py_buffer(self._offsets), pa.py_buffer(self._values))
        for start in range(0, len(rows), BATCH_ROWS):
            batch = rows[start : start + BATCH_ROWS]
            lines = line + np.searchsorted(self.line_ends, self._starts[batch])
            wrong = self._find_wrong(batch, width)
            failed = np.zeros(len(batch), bool)
            failed[list(wrong)] = True
            before = np.cumsum(~failed)
            failures = (
                RowError(f"line {lines[at]}", self._id(batch[at], key), wrong[at], int(before[at]))
                for at in sorted(wrong)
            )
            yield self._columns(batch[~failed], values, width, lines[~failed], tuple(failures))
        if error is not None:
            raise error

    def _columns(
        self, rows: Positions, values: pa.Array, width: int, lines: Positions, failures: tuple[RowError, ...]
    ) -> RawRows:
        """The values of some rows by column; those that a row lacks are null."""
        first, counts = self._first[rows], self._counts[rows]
        fewest, most = counts.min(initial=width), counts.max(initial=0)
        columns = [
            without_empty(values.take(pa.array(first + at, mask=counts <= at if at >= fewest else None)))
            if at < most
            else pa.nulls(len(rows), pa.string())
            for at in range(width)
        ]
        return RawRows(columns, lambda row: f"line {lines[row]}", failures)

    def _check_encoding(self, line: int) -> tuple[int, InvalidDataError | None]:
        """The number of rows before the first that is not UTF-8, and the error about that one."""
        text = self._text
        for row in np.flatnonzero(self._row_ends - self._starts > MAX_RECORD_BYTES):  # cut, maybe within a character
            start, end = self._starts[row], self._row_ends[row]
            text = text[:start] + b" " * (end - start) + text[end:]
        try:
            check_encoding(text, line)
        except InvalidDataError as error:
            wrong = error.__cause__.start  # type: ignore[union-attr]  # a UnicodeDecodeError
            return int(np.searchsorted(self._row_ends, wrong)), error
        return len(self._row_ends), None

    def _find_entities(self) -> npt.NDArray[np.bool_]:
        """Which rows hold more than separators, blanks and tabs."""
        blank = np.zeros(256, bool)
        blank[list(b" \t\r\n" + self._by)] = True
        if not blank[self._data[self._starts]].any():
            return np.ones(len(self._starts), bool)
        return np.logical_or.reduceat(~blank[self._data], self._starts)

    def _find_wrong(self, rows: Positions, width: int) -> dict[int, str]:
        """The reasons why rows can't be read, by their index in `rows`: too large, or more values than properties."""
        first, after = self._first[rows], self._first[rows] + self._counts[rows]
        extra = np.flatnonzero(self._offsets[after] > self._offsets[np.minimum(first + width, after)]).tolist()
        wrong = {at: reason for at in extra if (reason := self._surplus(int(rows[at]), width))}
        large = np.flatnonzero(self._row_ends[rows] - self._starts[rows] > MAX_RECORD_BYTES)
        return wrong | dict.fromkeys(large.tolist(), _TOO_LARGE)

    def _surplus(self, row: int, width: int) -> str | None:
        """The reason why a row is wrong whose values behind the last property are not all empty."""
        first, after = self._first[row] + width, self._first[row] + self._counts[row]
        rest = self._text[self._ends[first - 1] + 1 : self._row_ends[row]].strip(b" \t" + self._by)
        if b'"' in rest:
            rest = next(filter(None, (self._value(at).strip() for at in range(first, after))), b"")
        surplus = rest.decode(errors="replace")
        return surplus and (
            f"has {quote_value(surplus)} behind its last value: the schema names {width} properties, "
            f"and a value that holds the separator has to be in quotes"
        )

    def _value(self, number: int) -> bytes:
        return self._values[self._offsets[number] : self._offsets[number + 1]].tobytes()

    def _id(self, row: int, key: int) -> str | None:
        """The id of a row that can't be read, cut."""
        if self._counts[row] <= key:
            return None
        start = self._value(self._first[row] + key)[: 4 * MAX_ID_LENGTH + 4]
        return start.decode(errors="replace").strip()[: MAX_ID_LENGTH + 1] or None


def _drop_quotes(data: npt.NDArray[np.uint8], kept: npt.NDArray[np.bool_], edges: Positions, blanks: Positions) -> None:
    """Marks the quotes around values, one of each doubled one, and the blanks around quoted values."""
    kept[edges] = False
    quotes = np.flatnonzero((data == ord('"')) & kept)
    doubled = quotes[np.searchsorted(edges, quotes) % 2 == 1]
    kept[doubled[::2]] = False
    starts, lengths = blanks[::2], np.diff(blanks)[::2]
    before = np.cumsum(lengths) - lengths
    kept[np.repeat(starts - before, lengths) + np.arange(lengths.sum())] = False
