"""Reads a range of ids from its end to its start. Table Storage answers in ascending order only.

A window with few rows makes the next one wider. One with more rows than a batch is read again, narrower. So the work
follows the rows that are wanted, and neither the length of the range nor the number of its rows.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from math import isqrt
from typing import TypeVar

_T = TypeVar("_T")

END_OF_IDS = 1 << 128
"""The number behind the last id of 32 hex digits."""

GROWTH = 8

ReadWindow = Callable[[int, int], Awaitable[tuple[Sequence[_T], bool]]]
"""Reads the rows from the first id up to but without the second one, at most a batch of them; whether these are all."""


async def scan_backwards(
    read: ReadWindow[_T], id_of: Callable[[_T], int], bounds: tuple[int, int], width: int, batch: int
) -> AsyncGenerator[Sequence[_T], None]:
    """Yields the rows of a range, the last ones first.

    Args:
        read: reads a window.
        id_of: the id of a row, as a number.
        bounds: the first id, and the id behind the last one.
        width: the ids in the first window.
        batch: the rows that `read` returns at most.
    """
    first, end = bounds
    known, span = first, 0  # where a window had too many rows: its last row that was read, and the ids that those span
    while end > first:
        start = max(first, known, end - width)
        rows, is_whole = await read(start, end)
        if not is_whole and end - start > 1:
            known = min(id_of(rows[-1]), end - 1)
            span = max(1, known - id_of(rows[0]))
            width = max(1, (end - known) // 2)
            continue
        end = start
        if rows:
            yield rows[::-1]
        if rows or end <= known:
            known, span = first, 0
        elif span:
            # The dense part is far away: the geometric mean finds it by a few reads, halves would take dozens.
            gap = end - known
            width = gap - isqrt(gap * span) if gap > 2 * span else gap
            continue
        if len(rows) * GROWTH < batch:
            width *= GROWTH
        elif len(rows) * 2 < batch:
            width *= 2
