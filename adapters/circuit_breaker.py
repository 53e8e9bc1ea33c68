"""Circuit breaker and concurrency limit for one storage account. Rejected calls fail immediately."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from adapters.errors import StorageError, StorageErrorCode
from adapters.instrumentation import NULL_OBSERVER, StorageObserver
from adapters.sdk_calls import JITTER

_T = TypeVar("_T")

# Calls of one account that may be in flight or wait for a connection.
MAX_IN_FLIGHT = 256

# Consecutive failures that open the breaker. From then on single calls probe the account until one succeeds.
MAX_FAILURES = 5

# Seconds between two probes, at random so that many processes don't probe together. A hanging probe delays no other.
PROBE_SECONDS = (0.4, 0.8)


class CircuitBreaker:
    """Admits calls to one account's storage."""

    def __init__(
        self, timeout: float, clock: Callable[[], float] = time.monotonic, observer: StorageObserver = NULL_OBSERVER
    ) -> None:
        """`timeout` is the longest that one call may take, in seconds."""
        self._timeout = timeout
        self.observer = observer
        self._clock = clock
        self._in_flight = 0
        self._failures = 0
        self._error: StorageError | None = None
        self._probe_at = 0.0
        self.last_success_at = float("-inf")
        """When the last successful call ended, by the clock."""
        self.last_call_at = float("-inf")
        """When the last call started."""

    @property
    def last_error(self) -> StorageError | None:
        """The error of the last call that failed; None after a success."""
        return self._error if self._failures else None

    async def call(self, operation: Callable[[], Awaitable[_T]]) -> _T:
        """Runs one operation within the timeout.

        Raises:
            StorageError: storage could not answer, or the call was rejected.
        """
        self._admit()
        self._in_flight, self.last_call_at = self._in_flight + 1, self._clock()
        try:
            async with asyncio.timeout(self._timeout):
                result = await operation()
        except TimeoutError as error:
            timeout = StorageError(StorageErrorCode.TIMEOUT, f"nothing within {self._timeout:g} s")
            self._record_failure(timeout)
            raise timeout from error
        except StorageError as error:
            if error.code is not StorageErrorCode.REJECTED:  # the caller's value is wrong, and storage is well
                self._record_failure(error)
            raise
        finally:
            self._in_flight -= 1
        self._failures, self.last_success_at = 0, self._clock()
        return result

    def _admit(self) -> None:
        if self._in_flight >= MAX_IN_FLIGHT:
            self.observer.call_rejected()
            raise StorageError(StorageErrorCode.OVERLOADED, f"{MAX_IN_FLIGHT} reads are in flight")
        if self._failures >= MAX_FAILURES and self._error is not None:
            now = self._clock()
            if now < self._probe_at:
                self.observer.call_rejected()
                raise StorageError(self._error.code, f"{self._error.detail}; not asked again yet")
            self._probe_at = now + JITTER.uniform(*PROBE_SECONDS)

    def _record_failure(self, error: StorageError) -> None:
        self._error = error
        self._failures += 1
        if self._failures == MAX_FAILURES:
            self._probe_at = self._clock() + JITTER.uniform(*PROBE_SECONDS)
