"""Texts and columns of texts as bytes."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

_SHOWN = 50
"""Characters of a wrong value that a message repeats."""


def quote_value(text: str, max_length: int = _SHOWN) -> str:
    """A value as a message shows it: in quotes, cut, without characters that don't print."""
    cut = "".join(character if character.isprintable() else " " for character in text[:max_length])
    return f"'{cut}'" if len(text) <= max_length else f"'{cut}...'"


def count_line_ends(text: bytes, start: int = 0, end: int | None = None) -> int:
    """How many lines end between two positions, in LF, CRLF or CR."""
    span = (start, len(text) if end is None else end)
    return text.count(b"\n", *span) + text.count(b"\r", *span) - text.count(b"\r\n", *span)


def offsets(column: pa.Array) -> npt.NDArray[np.int32]:
    """The position of each value of a `string` or `binary` column in its buffer, and the end of the last."""
    buffer = column.buffers()[1]
    if buffer is None or not len(column):
        return np.zeros(1, np.int32)
    return np.frombuffer(buffer, np.int32)[column.offset : column.offset + len(column) + 1]


def all_bytes(column: pa.Array) -> Bytes:
    """The bytes of all values, one after the other."""
    bounds = offsets(column)
    return np.frombuffer(column.buffers()[2], np.uint8)[bounds[0] : bounds[-1]]


def without_empty(column: pa.Array) -> pa.Array:
    """The column with a null for each empty text."""
    empty = int((np.diff(offsets(column)) == 0).sum())
    if empty == column.null_count:
        return column
    return pc.if_else(pc.equal(pc.binary_length(column), 0), pa.scalar(None, column.type), column)
