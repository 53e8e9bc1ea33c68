"""Helpers for Azure SDK calls: deadline, error translation, and back-off after a write conflict."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import ClientConnectionError, ClientPayloadError
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.data.tables import TableErrorCode

from adapters.entra.errors import find_entra_code
from adapters.errors import StorageError, StorageErrorCode, error_from_response

# By default the blob and queue clients wait 15 seconds before a retry; with these at most 2.
STORAGE_RETRIES = {"retry_total": 2, "initial_backoff": 0, "increment_base": 1, "random_jitter_range": 1}

# Error codes of a write whose row another writer has created, changed or deleted since it was read.
CONFLICT_CODES = {
    TableErrorCode.ENTITY_ALREADY_EXISTS,
    TableErrorCode.UPDATE_CONDITION_NOT_SATISFIED,
    TableErrorCode.CONDITION_NOT_MET,
    TableErrorCode.RESOURCE_NOT_FOUND,
}

# Attempts of a change that other writers may get ahead of. The waits between them, in seconds, double from the first
# to the longest, and are random so that two writers don't keep in step.
CHANGE_ATTEMPTS = 20
FIRST_WAIT = 0.02
LONGEST_WAIT = 0.5

JITTER = random.SystemRandom()
"""Spreads waits. Unlike the random module it shares no state with other code, which may have seeded that."""

# The first match counts; all other exceptions, DecodeError among them, mean a response that made no sense.
_EXCEPTIONS: tuple[tuple[tuple[type[Exception], ...], StorageErrorCode], ...] = (
    ((TimeoutError, ServiceRequestTimeoutError, ServiceResponseTimeoutError), StorageErrorCode.TIMEOUT),
    ((ClientAuthenticationError,), StorageErrorCode.ACCESS_DENIED),
    (
        # aiohttp's two are of a connection that ended before and within the response.
        (ServiceRequestError, ServiceResponseError, OSError, ClientConnectionError, ClientPayloadError),
        StorageErrorCode.UNREACHABLE,
    ),
)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raises StorageError in the place of the SDKs' and the transport's errors, which become its cause."""
    try:
        yield
    except StorageError:
        raise
    except Exception as error:  # these errors have no common base class
        raise error_from_exception(error) from error


@asynccontextmanager
async def storage_call(seconds: float) -> AsyncIterator[None]:
    """Runs the call in its body within so many seconds.

    Raises:
        StorageError: storage could not answer, or not in time. Its cause is the client's own error.
    """
    with translated_errors():
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise StorageError(StorageErrorCode.TIMEOUT, f"nothing within {seconds:g} s") from error


async def try_call(call: Awaitable[object], seconds: float, expected: Collection[str]) -> bool:
    """Runs a call within so many seconds; False where storage responds with one of the expected error codes.

    Raises:
        StorageError: storage could not answer, or not in time.
    """
    try:
        async with storage_call(seconds):
            await call
    except StorageError as error:
        if error_code(error.__cause__) in expected:
            return False
        raise
    return True


def error_from_exception(error: Exception) -> StorageError:
    """The storage error that an exception of the Azure SDKs or of their transport stands for."""
    if isinstance(error, StorageError):
        return error
    # An error's text may hold URLs, headers and tokens, so only codes are taken from it.
    entra = find_entra_code(str(error))
    suffix = f", {entra}" if entra else ""
    if isinstance(error, HttpResponseError) and error.status_code:
        known = error_from_response(error.status_code, error_code(error))
        return StorageError(known.code, known.detail + suffix)
    kind = next((kind for types, kind in _EXCEPTIONS if isinstance(error, types)), StorageErrorCode.UNEXPECTED_RESPONSE)
    return StorageError(kind, type(error).__name__ + suffix)


def error_code(error: BaseException | None) -> str | None:
    """The error code that storage sent with an error of its clients, None where it sent none."""
    code = getattr(error, "error_code", None)
    code = getattr(code, "value", code)
    return code if isinstance(code, str) else None


async def back_off(attempt: int) -> None:
    """Waits before an attempt of a change; the first wait is that before attempt 1."""
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2**attempt)
    await asyncio.sleep(JITTER.uniform(0, longest))
