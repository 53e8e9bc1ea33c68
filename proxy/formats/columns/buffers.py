"""A look at a whole column's text at once: its bytes as they lie in memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

MOST_SHOWN = 50
"""Characters of a wrong value that a message repeats."""

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]


def quote_value(text: str, most: int = MOST_SHOWN) -> str:
    """A value as a message shows it: in quotes, cut, without characters that don't print."""
    cut = "".join(character if character.isprintable() else " " for character in text[:most])
    return f"'{cut}'" if len(text) <= most else f"'{cut}...'"


def line_ends(text: bytes, start: int = 0, end: int | None = None) -> int:
    """How many lines end here, in LF, CRLF or CR."""
    span = (start, len(text) if end is None else end)
    return text.count(b"\n", *span) + text.count(b"\r", *span) - text.count(b"\r\n", *span)


def offsets(column: pa.Array) -> npt.NDArray[np.int32]:
    """Where each value of a `string` or `binary` column begins in its bytes, and where the last ends."""
    buffer = column.buffers()[1]
    if buffer is None or not len(column):
        return np.zeros(1, np.int32)
    return np.frombuffer(buffer, np.int32)[column.offset : column.offset + len(column) + 1]


def all_bytes(column: pa.Array) -> Bytes:
    """The bytes of all values, one after the other, from the first value's first one."""
    bounds = offsets(column)
    return np.frombuffer(column.buffers()[2], np.uint8)[bounds[0] : bounds[-1]]


def contains_only(column: pa.Array, allowed: Bytes) -> bool:
    """Whether no byte of the column is outside a table of 256 that `among` made."""
    return bool(allowed[all_bytes(column)].all())


def byte_table(characters: str) -> Bytes:
    """A table that is 1 at each of these ASCII characters."""
    table = np.zeros(256, np.uint8)
    table[list(characters.encode("ascii"))] = 1
    return table


def without_empty(column: pa.Array) -> pa.Array:
    """The column with a null for each empty text."""
    empty = int((np.diff(offsets(column)) == 0).sum())
    if empty == column.null_count:
        return column
    return pc.if_else(pc.equal(pc.binary_length(column), 0), pa.scalar(None, column.type), column)


def parse_each(column: pa.Array, read: Callable[[str], Any], type_: pa.DataType) -> tuple[pa.Array, dict[int, str]]:
    """Each text read alone: the values, null where `read` raised ValueError, and what it said for those rows."""
    values: list[Any] = []
    wrong: dict[int, str] = {}
    for row, text in enumerate(column.to_pylist()):
        value = None
        if text is not None:
            try:
                value = read(text)
            except ValueError as error:
                wrong[row] = str(error)
        values.append(value)
    return pa.array(values, type_), wrong
