"""Many key rows at once: each lies in a partition of its own, so no transaction takes them together."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TypeVar

# New keys that one `ADDED_MANY` announces, and rows that are read or written side by side.
BATCH = 100
AT_ONCE = 16

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def batches(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Splits items into parts of at most `BATCH`."""
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


async def in_parallel(
    work: Callable[[_Item], Awaitable[_Result]], items: Iterable[_Item]
) -> list[_Result | BaseException]:
    """Runs work on items, a few at a time; an error stands in the place of its result."""
    free = asyncio.Semaphore(AT_ONCE)

    async def run(item: _Item) -> _Result:
        async with free:
            return await work(item)

    return await asyncio.gather(*map(run, items), return_exceptions=True)


def raise_first(results: Iterable[object]) -> None:
    """Raises the first error among results."""
    for result in results:
        if isinstance(result, BaseException):
            raise result
