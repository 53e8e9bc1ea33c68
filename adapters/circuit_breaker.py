"""What keeps a bad minute of one account's storage from becoming everybody's.

So many reads may be in flight at once; and after a few faults in a row the account is only probed, by one read every
now and then, until one of them succeeds. Who may not ask is told at once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from adapters.errors import StorageError, StorageErrorCode, error_from_exception
from adapters.instrumentation import UNSEEN, StorageObserver
from adapters.sdk_calls import JITTER

_T = TypeVar("_T")

# Reads of one account that may be under way or wait for a connection.
IN_FLIGHT = 256

# Faults in a row after which an account is probed only.
FAULTS = 5

# Seconds between two probes, each at random in this range so that many processes don't probe together. A probe that
# hangs does not delay the next.
PROBE_SECONDS = (0.4, 0.8)


class CircuitBreaker:
    """Admits reads to one account's storage."""

    def __init__(
        self, seconds: float, clock: Callable[[], float] = time.monotonic, watch: StorageObserver = UNSEEN
    ) -> None:
        """`seconds` is the longest that one read may take."""
        self._seconds = seconds
        self.watch = watch
        self._clock = clock
        self._in_flight = 0
        self._faults = 0
        self._last: StorageError | None = None
        self._probe_at = 0.0
        self.well_at = float("-inf")
        """When the last good read ended, by the clock."""
        self.asked_at = float("-inf")
        """When the last read began."""

    @property
    def last_error(self) -> StorageError | None:
        """What is wrong with the account since its last good read; None where nothing is known to be."""
        return self._last if self._faults else None

    async def call(self, read: Callable[[], Awaitable[_T]]) -> _T:
        """Runs one read within its time.

        Raises:
            StorageFaultError: storage could not answer, or is not asked now.
        """
        self._admit()
        self._in_flight, self.asked_at = self._in_flight + 1, self._clock()
        try:
            async with asyncio.timeout(self._seconds):
                found = await read()
        except (StorageError, TimeoutError) as error:
            fault = error_from_exception(error)
            if isinstance(error, TimeoutError):
                fault = StorageError(StorageErrorCode.TIMEOUT, f"nothing within {self._seconds:g} s")
            if fault.fault is not StorageErrorCode.REJECTED:  # what one caller asked for is wrong, and storage is well
                self._failed(fault)
            raise fault from error
        finally:
            self._in_flight -= 1
        self._faults, self.well_at = 0, self._clock()
        return found

    def _admit(self) -> None:
        if self._in_flight >= IN_FLIGHT:
            self.watch.rejected()
            raise StorageError(StorageErrorCode.OVERLOADED, f"{IN_FLIGHT} reads are in flight")
        if self._faults >= FAULTS and self._last is not None:
            now = self._clock()
            if now < self._probe_at:
                self.watch.rejected()
                raise StorageError(self._last.fault, f"{self._last.detail}; not asked again yet")
            self._probe_at = now + JITTER.uniform(*PROBE_SECONDS)

    def _failed(self, fault: StorageError) -> None:
        self._last = fault
        self._faults += 1
        if self._faults == FAULTS:
            self._probe_at = self._clock() + JITTER.uniform(*PROBE_SECONDS)
