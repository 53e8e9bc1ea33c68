"""Reads the rows of delimited text one by one: accepts every form, counts each row, bounds the memory."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from proxy.formats.columns.buffers import line_ends, quote_value
from proxy.formats.delimited.grammar import GRAMMARS, unquoted, values_of
from proxy.formats.delimited.lines import LineReader, decode
from proxy.formats.limits import LARGEST_RECORD, LONGEST_ID

_LONGEST_QUICK = 64 * 1024
"""Bytes of a line whose values are all split at once."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row: the line where it begins, its size in bytes, its values, and what is wrong with its form."""

    line: int
    size: int
    values: list[str]
    wrong: str | None = None


class RecordReader:
    """Reads blocks of lines that Arrow's parser can't read by the same rule, and counts their lines.

    Each record has `width` values. Missing last ones are empty; the one of the key, at `key`, is trimmed.
    """

    def __init__(self, separator: str, width: int, key: int, blocks: LineReader) -> None:
        self._by, self._width, self._key, self._blocks = GRAMMARS[separator], width, key, blocks
        self._text_separator = separator
        self._skipped = frozenset(b" \t\r\n" + separator.encode())
        self._buffer, self._at = b"", 0

    def records(self, block: bytes) -> Iterator[Record]:
        """The records of a block, and of what it begins in the next ones.

        Raises:
            UnusableError: the text is not UTF-8.
        """
        self._buffer, self._at = block, 0
        while self._at < len(self._buffer):
            if self._buffer[self._at] in self._skipped and self._skip():
                continue
            match: re.Match[bytes] = self._by.line.match(self._buffer, self._at)  # type: ignore[assignment]  # any text
            line, number = match[1], self._blocks.number + 1
            if b'"' in line and self._may_be_quoted(line):
                start, values = self._in_line(line, match.end()) or self._across_lines()
                record = self._record(number, start, values)
                self._blocks.number += line_ends(self._buffer, start, self._at) or 1
            else:
                self._at = match.end()
                self._blocks.number = number
                if len(line) > LARGEST_RECORD:
                    record = self._too_large(number, line.split(self._by.separator, self._width))
                else:
                    texts = decode(line, number).split(self._text_separator, self._width)
                    record = self._whole(number, len(line), texts)
            yield record

    def _may_be_quoted(self, line: bytes) -> bool:
        """Whether the first character of a value, blanks aside, is a quote: mostly known without the slower look."""
        if line.startswith(b'"') or self._by.opened_at_once in line:
            return True
        return (b' "' in line or b'\t"' in line) and self._by.opening.search(line) is not None

    def _skip(self) -> bool:
        """Skips lines of nothing but blanks and separators, however many there are."""
        found = self._by.nothing.match(self._buffer, self._at)
        end = found.end() if found else self._at
        if end < len(self._buffer):
            end = max(self._buffer.rfind(b"\n", self._at, end), self._buffer.rfind(b"\r", self._at, end)) + 1
        if end <= self._at:
            return False
        self._blocks.number += line_ends(self._buffer, self._at, end)
        self._at = end
        return True

    def _in_line(self, line: bytes, end: int) -> tuple[int, list[bytes]] | None:
        """Where a record begins, and its values, where no quote is left open in its line."""
        values = values_of(line, self._by) if len(line) <= _LONGEST_QUICK else []
        if not values or len(values) > self._width + 1 or any(is_open for _, is_open in values):
            return None
        start, self._at = self._at, end
        return start, [value for value, _ in values]

    def _across_lines(self) -> tuple[int, list[bytes]]:
        """Where a record begins, and its values; what is beyond the last one is one value."""
        start, extended = self._at, False
        values: list[bytes] = []
        while True:
            match: re.Match[bytes] = self._by.value.match(self._buffer, self._at)  # type: ignore[assignment]  # any text
            if match[1] is not None and match.end() - start > LARGEST_RECORD:  # too far away to close the quote
                match = self._by.literal.match(self._buffer, self._at)  # type: ignore[assignment]  # any text
            elif match[1] is None and not extended and b'"' in match[2] and self._is_open():
                # Its closing quote may be in a later block. The record is read again from its start.
                self._extend(start)
                start, self._at, values, extended = 0, 0, [], True
                continue
            value = unquoted(match)
            if len(values) <= self._width:
                values.append(value)
            elif not values[-1].strip():
                values[-1] = value
            self._at = match.end()
            if match[3] is None:
                return start, values

    def _is_open(self) -> bool:
        opened = self._by.opened.match(self._buffer, self._at)
        return opened is not None and opened.end() == len(self._buffer)

    def _extend(self, start: int) -> None:
        """Drops what is before a record, and adds blocks until any closing quote that counts is in the buffer."""
        parts = [self._buffer[start:]]
        size = len(parts[0])
        while size <= LARGEST_RECORD and (block := self._blocks.take()):
            parts.append(block)
            size += len(block)
        self._buffer = b"".join(parts)

    def _record(self, line: int, start: int, found: list[bytes]) -> Record:
        size = self._at - start
        if size > LARGEST_RECORD:
            return self._too_large(line, found)
        decode(self._buffer[start : self._at], line)
        return self._whole(line, size, [value.decode() for value in found])

    def _too_large(self, line: int, found: list[bytes]) -> Record:
        values = [""] * self._width
        if self._key < len(found):
            values[self._key] = found[self._key][: 4 * LONGEST_ID].decode(errors="replace").strip()[:LONGEST_ID]
        return Record(line, 0, values, f"has more than {LARGEST_RECORD:,} bytes, the most that an entity may have")

    def _whole(self, line: int, size: int, values: list[str]) -> Record:
        """The record of these values, made as many as there are properties."""
        wrong = None
        if len(values) > self._width:
            surplus = values.pop().strip(f" \t{self._text_separator}")
            if surplus:
                wrong = (
                    f"has {quote_value(surplus)} behind its last value: the schema names {self._width} properties, "
                    f"and a value that holds the separator has to be in quotes"
                )
        elif len(values) < self._width:
            values += [""] * (self._width - len(values))
        values[self._key] = values[self._key].strip()
        return Record(line, size, values, wrong)
