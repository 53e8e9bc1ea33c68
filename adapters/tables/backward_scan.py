"""Reads a range of ids from its end to its start. Table Storage answers in ascending order only.

A window with few rows makes the next one wider. One with more rows than a batch is read again, half as wide. So the
work follows the rows that are wanted, and neither the length of the range nor the number of its rows.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

_T = TypeVar("_T")

END_OF_IDS = 1 << 128
"""The number behind the last id of 32 hex digits."""

GROWTH = 8

ReadWindow = Callable[[int, int], Awaitable[tuple[Sequence[_T], bool]]]
"""Reads the rows from the first id up to but without the second one, at most a batch of them; whether these are all."""


async def scan_backwards(
    read: ReadWindow[_T], first: int, end: int, width: int, batch: int
) -> AsyncIterator[Sequence[_T]]:
    """Yields the rows of a range, the last ones first.

    Args:
        read: reads a window.
        first: the first id, as a number.
        end: the id behind the last one.
        width: the ids in the first window.
        batch: the rows that `read` returns at most.
    """
    grows = True
    while end > first:
        start = max(first, end - width)
        rows, is_whole = await read(start, end)
        if not is_whole and end - start > 1:
            # Rows lie dense after a gap: from here on it is halved, until a window holds some of them.
            width, grows = (end - start) // 2, False
            continue
        if rows:
            yield rows[::-1]
        grows = grows or bool(rows)
        end = start
        if grows and len(rows) * GROWTH < batch:
            width *= GROWTH
        elif grows and len(rows) * 2 < batch:
            width *= 2
