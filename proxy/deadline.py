"""The deadline of work with storage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.errors import Fault, StorageFaultError


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
        raise StorageFaultError(Fault.TIMEOUT, f"nothing within {seconds:g} s") from None
