"""Runs many small pieces of work with storage, some at a time."""

import asyncio
from collections.abc import Awaitable, Iterable


async def run_all(work: Iterable[Awaitable[object]], most: int) -> None:
    """Runs all of them, at most so many at once; raises what one of them raises."""
    left = iter(work)

    async def run_next() -> None:
        for each in left:
            await each

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(most):
                group.create_task(run_next())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
