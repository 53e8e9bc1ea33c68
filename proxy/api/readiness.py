"""Whether this process should be sent requests."""

import asyncio
import logging
import time

from adapters.errors import StorageError, StorageErrorCode
from adapters.sdk_calls import JITTER
from proxy.keyring.reload import ActiveKeyRing

log = logging.getLogger(__name__)

# Seconds between two looks at the accounts, and what one look may take.
LOOK_EVERY = 1.0
LOOK_SECONDS = 0.5

# Accounts that are looked at together; seconds between two looks at a broken one, doubling from the first to the last.
LOOKS = 8
FIRST_WAIT, LONGEST_WAIT = 1.0, 16.0

# Seconds for which an account that was read successfully needs no look.
RECENTLY = 5.0

# Seconds for which an account may fail before it counts as broken: until the next look has shown whether that passes.
PASSING_SECONDS = 2.0


class Readiness:
    """Whether the job rows of at least one account can be read, and whether the process is ending.

    Nobody's question makes the process ask storage: it looks by itself, at broken accounts to see when they are well
    again, and at the others only where no request has shown lately that one of them is well.
    """

    def __init__(self, ring: ActiveKeyRing) -> None:
        self._ring = ring
        self._told: dict[str, str] = {}
        self._next: dict[str, tuple[float, float]] = {}
        self.stopping = False
        self.asked_at = float("-inf")
        """When the last request came, by the monotonic clock; whether the process lives was no request."""

    def asked(self) -> None:
        """Tells of a request."""
        self.asked_at = time.monotonic()

    @property
    def is_ready(self) -> bool:
        """Whether requests can be answered: of an account that is well, or because there is none to fail."""
        names = self._ring.accounts.names
        return not self.stopping and (not names or any(self._is_well(name) for name in names))

    async def watch(self) -> None:
        """Looks at the accounts for ever, and tells the log of each change."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("the accounts could not be looked at")
            await asyncio.sleep(LOOK_EVERY * JITTER.uniform(0.8, 1.2))

    async def look(self) -> None:
        """Looks once."""
        accounts, now = self._ring.accounts, time.monotonic()
        names = [name for name in accounts.names if name not in accounts.faults]
        well = [name for name in names if self._is_well(name)]
        if not well:  # without waiting any longer
            due = [name for name in names if accounts[name].circuit_breaker.asked_at <= now - LOOK_EVERY]
        else:
            due = [name for name in names if self._is_unwell(name, now) and self._due_at(name) <= now]
            if all(accounts[name].circuit_breaker.well_at <= now - RECENTLY for name in well):
                due = [*due, well[0]]
        asked = sorted(due, key=self._due_at)[:LOOKS]
        for name in asked:
            wait = min(LONGEST_WAIT, 2 * self._next.get(name, (0.0, FIRST_WAIT / 2))[1])
            self._next[name] = now + wait, wait
        await asyncio.gather(*(accounts[name].job_cache.probe(LOOK_SECONDS) for name in asked))
        self._next = {name: at for name, at in self._next.items() if name in names and not self._is_well(name)}
        self._tell()

    def _is_unwell(self, name: str, now: float) -> bool:
        """Whether an account has failed and no request has shown lately how it is."""
        guard = self._ring.accounts[name].circuit_breaker
        return guard.last_error is not None and guard.asked_at <= now - LOOK_EVERY

    def _due_at(self, name: str) -> float:
        return self._next.get(name, (0.0, 0.0))[0]

    def _is_well(self, name: str) -> bool:
        if name in self._ring.accounts.faults:
            return False
        guard = self._ring.accounts[name].circuit_breaker
        if guard.last_error is None:
            return guard.well_at > float("-inf")
        return guard.well_at > time.monotonic() - PASSING_SECONDS

    def _tell(self) -> None:
        """Tells of each account whose condition has changed."""
        accounts = self._ring.accounts
        now = {name: accounts.faults.get(name) or accounts[name].circuit_breaker.last_error for name in accounts.names}
        for name, fault in now.items():
            kind = "" if fault is None else fault.fault.value.name
            if kind == self._told.get(name, ""):
                continue
            if fault is None:
                log.info("the account is well again", extra={"account": name})
            else:
                log.warning("the account is broken: %s", _reason(fault), extra=_fields(name, fault))
            self._told[name] = kind
        self._told = {name: kind for name, kind in self._told.items() if name in now}


def _reason(fault: StorageError) -> str:
    return fault.fault.value.name if fault.fault is StorageErrorCode.CREDENTIAL else str(fault)


def _fields(name: str, fault: StorageError) -> dict[str, str]:
    return {"account": name, "advice": fault.fault.value.advice}
