"""The quick way to read delimited text: a block of lines by Arrow's parser, where it reads them as our rules do.

Where a line is blank, a row has another number of values than the first or a quote is not one of two that are around a
whole value, the block is read line by line.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from proxy.formats.delimited.grammar import split_line

_MOST_SURPLUS = 50
"""Empty columns behind the last one. A spreadsheet pads all lines to the width of the widest."""

_LONGEST_FIRST = 64 * 1024
"""Bytes in which the first row has to end, for the quick way."""

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Regular:
    """The columns of a block, null where a value is empty; and the line where each row begins, the first one 0.

    The last columns may be missing. `rest` is what the block holds behind its last whole row.
    """

    columns: list[pa.Array]
    lines: Places
    rest: bytes


def regular(block: bytes, separator: str, width: int) -> Regular | None:
    """A block of whole lines by the quick way; None if it has to be read line by line."""
    if block.count(b"\r") != block.count(b"\r\n") or b"\0" in block:
        return None
    block, rest = _whole_rows(block, separator)
    lines = _row_lines(block, separator)
    if lines is None or not len(lines):
        return None
    found = _first_width(block, separator)
    if found == 1 or found > width + _MOST_SURPLUS:
        return None
    names = list(map(str, range(found)))
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(block),
            pyarrow.csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
            pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != len(lines) or any(column.null_count < len(lines) for column in table.columns[width:]):
        return None
    return Regular([column.combine_chunks() for column in table.columns[:width]], lines, rest)


def _whole_rows(block: bytes, separator: str) -> tuple[bytes, bytes]:
    """A block up to where its last row begins, if that is in the middle of a value; and what is behind."""
    if separator != "," or block.count(b'"') % 2 == 0:
        return block, b""
    text = np.frombuffer(block, np.uint8)
    ended = np.flatnonzero(text == ord("\n"))
    outside = ended[np.searchsorted(np.flatnonzero(text == ord('"')), ended) % 2 == 0]
    end = int(outside[-1]) + 1 if len(outside) else 0
    return block[:end], block[end:]


def _first_width(block: bytes, separator: str) -> int:
    """How many values the first row has; 1 where it is too long to be looked at."""
    end = block.find(b"\n", 0, _LONGEST_FIRST)
    first = block[:end] if end >= 0 else block[:_LONGEST_FIRST]
    if b'"' not in first:
        return first.count(separator.encode()) + 1
    return len(split_line(block[:_LONGEST_FIRST], separator))


def _row_lines(block: bytes, separator: str) -> Places | None:
    """The line where each row begins; None where quotes don't mean the same to Arrow and to us.

    Of the quotes in their order, each first one opens a value or follows the second one of the pair before, which it
    doubles; each second one ends a value or is followed by the first one of the next pair.
    """
    text = np.frombuffer(block, np.uint8)
    ended = np.flatnonzero(text == ord("\n"))
    lines = np.arange(1, len(ended) + 1)
    if b'"' in block:
        quotes = np.flatnonzero(text == ord('"'))
        if len(quotes) % 2 or not _in_pairs(text, quotes, separator):
            return None
        outside = np.searchsorted(quotes, ended) % 2 == 0
        if separator != "," and not outside.all():
            return None  # a line is a row
        lines = lines[outside]
    begun = np.concatenate([[0], lines])
    return begun[:-1] if block.endswith(b"\n") else begun


def _in_pairs(text: npt.NDArray[np.uint8], quotes: Places, separator: str) -> bool:
    beside = np.zeros(256, bool)
    beside[list(separator.encode() + b'\r\n"')] = True
    first, second = quotes[::2], quotes[1::2]
    opens = beside[text[first - 1]]
    opens[0] |= first[0] == 0
    closes = beside[text[np.minimum(second + 1, len(text) - 1)]]
    return bool(opens.all() and closes.all())
