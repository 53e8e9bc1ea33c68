"""Calls of the Azure clients: within their time, with errors in our words, and again after a while where others won."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from azure.data.tables import TableErrorCode

from adapters.errors import error_from_exception

# The clients of blobs and queues would wait 15 seconds before they try again; so they wait 2 at the most.
STORAGE_RETRIES = {"retry_total": 2, "initial_backoff": 0, "increment_base": 1, "random_jitter_range": 1}

# What a write says when another writer has made, changed or deleted a row since it was read.
CONFLICTS = {
    TableErrorCode.ENTITY_ALREADY_EXISTS,
    TableErrorCode.UPDATE_CONDITION_NOT_SATISFIED,
    TableErrorCode.CONDITION_NOT_MET,
    TableErrorCode.RESOURCE_NOT_FOUND,
}

# Tries of a change that other writers may get ahead of; the waits between them are at random, so that two writers don't
# keep in step, and reach from this many seconds in doubling steps to that many.
TRIES = 20
FIRST_WAIT = 0.02
LONGEST_WAIT = 0.5

JITTER = random.SystemRandom()
"""Spreads waits. It leaves the state of the random module alone, which a program beside us may have seeded."""


@asynccontextmanager
async def storage_call(seconds: float) -> AsyncIterator[None]:
    """Runs the call that it encloses within so many seconds.

    Raises:
        StorageFaultError: storage could not answer, or not in time. Its cause is the client's own error.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except Exception as error:  # the SDKs' errors have no common class of their own
        raise error_from_exception(error) from error


def error_code(error: BaseException | None) -> str | None:
    """The error code that storage gave with an error of its clients, None where it gave none."""
    code = getattr(error, "error_code", None)
    code = getattr(code, "value", code)
    return code if isinstance(code, str) else None


async def wait_before(attempt: int) -> None:
    """Waits before the next attempt of a change; the first wait is that before attempt 1."""
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2**attempt)
    await asyncio.sleep(JITTER.uniform(0, longest))
