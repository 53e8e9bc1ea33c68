"""The deadline of work with storage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.errors import StorageError, StorageErrorCode


@asynccontextmanager
async def storage_deadline(seconds: float) -> AsyncIterator[None]:
    """Ends what takes longer.

    Raises:
        StorageFaultError: it took longer.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise StorageError(StorageErrorCode.TIMEOUT, f"nothing within {seconds:g} s") from None
