"""Reads the rows of delimited text, version 1.0 or 2.0, in any of the forms that shipped clients send."""

from collections.abc import Iterator
from itertools import islice
from typing import IO

import numpy as np

from proxy.formats.columns.buffers import count_line_ends
from proxy.formats.delimited.blocks import split_blocks
from proxy.formats.delimited.grammar import GRAMMARS, Grammar, Quotes
from proxy.formats.delimited.lines import LineReader, check_encoding
from proxy.formats.geocode.requests import Row, build_request
from proxy.formats.geocode.text_head import read_head
from proxy.formats.geocode.text_renderer import TextRenderer
from proxy.formats.limits import MAX_RECORD_BYTES
from proxy.formats.schema import InvalidDataError

_LINE_ENDS = (ord("\r"), ord("\n"))


class TextRequests:
    """A file. The constructor reads its head; iterating gives its rows, once.

    Args:
        data: the file, unpacked.
        separator: a comma, tab or pipe.

    Raises:
        InvalidDataError: the file can't be read, found by the constructor or while iterating.
    """

    def __init__(self, data: IO[bytes], separator: str) -> None:
        self._lines, self._grammar, self._separator = LineReader(data), GRAMMARS[separator], separator
        head = read_head(self._lines, separator)
        self._layout, self._rest = head.layout, head.rest
        self.renderer = TextRenderer(head.layout, head.echo, separator)

    def __iter__(self) -> Iterator[Row]:
        """The rows, in the file's order. Empty lines are none."""
        for text, quotes in split_blocks(self._lines, self._rest, self._grammar):
            line = self._lines.number + 1
            check_encoding(text, line)
            for record in _split_records(text, quotes, line):
                if record.strip(b" "):
                    yield self._read_row(record)
            self._lines.number += count_line_ends(text)

    def _read_row(self, record: bytes) -> Row:
        layout = self._layout
        width = layout.width
        if b'"' in record:
            fields = _split_quoted(record, self._grammar, width)
        else:
            fields = [value.strip() for value in record.decode().split(self._separator, width)[:width]]
        fields += [""] * (width - len(fields))
        request = build_request({name: fields[at] for at, name in layout.request if fields[at]}, layout.no_request)
        for at in layout.cleared:
            fields[at] = ""
        if request.is_reverse:
            for at in layout.cleared_in_reverse:
                fields[at] = ""
        return Row(request.question, request.selection, request.fault, tuple(fields))


def _split_records(text: bytes, quotes: Quotes, line: int) -> Iterator[bytes]:
    """The records that are not empty, without their line ends."""
    data = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero((data == _LINE_ENDS[0]) | (data == _LINE_ENDS[1]))
    if len(quotes.edges):
        ends = ends[np.searchsorted(quotes.edges, ends) % 2 == 0]
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts
    if lengths.max(initial=0) > MAX_RECORD_BYTES:
        before = int(starts[np.argmax(lengths > MAX_RECORD_BYTES)])
        raise InvalidDataError(
            f"line {line + count_line_ends(text, 0, before)} has more than {MAX_RECORD_BYTES:,} bytes, "
            "the most that a row may have"
        )
    filled = lengths > 0
    for start, end in zip(starts[filled].tolist(), ends[filled].tolist(), strict=True):
        yield text[start:end]


def _split_quoted(record: bytes, grammar: Grammar, width: int) -> list[str]:
    """At most `width` values of a record in which some are in quotes."""
    fields = []
    for match in islice(grammar.value.finditer(record), width):
        quoted, literal, behind = match.groups()
        value = literal if quoted is None else quoted.replace(b'""', b'"')
        fields.append(value.decode().strip())
        if not behind:
            break
    return fields
