"""Bounds the time of a reading that makes any number of requests, each with its own deadline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.errors import StorageError, StorageErrorCode


@asynccontextmanager
async def bound_reading(seconds: float | None) -> AsyncIterator[None]:
    """Ends the reading in its body after so many seconds; None sets no bound.

    Raises:
        StorageError: the time is over.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise StorageError(StorageErrorCode.TIMEOUT, f"not read within {seconds:g} s") from None
