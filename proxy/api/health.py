"""`/livez` and `/readyz`, and the probes of storage behind them (operations contract, section 2)."""

import asyncio
import logging
import time
from http import HTTPStatus

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from adapters.errors import StorageError, StorageErrorCode
from adapters.sdk_calls import JITTER
from proxy.keyring.reload import ActiveKeyRing
from proxy.version import VERSION

log = logging.getLogger(__name__)

PROBE_INTERVAL_S = 1.0
PROBE_TIMEOUT_S = 0.5

# Accounts that one round probes at most.
MAX_PROBES = 8

# Waits between two probes of a broken account, doubling from the first to the last.
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 16.0

# An account that was read this lately needs no probe.
CONDITION_MAX_AGE_S = 5.0

# An account may fail for this long before it counts as broken: the next probe shows whether the error passes.
FAILURE_GRACE_S = 2.0

_HEADERS = {"Cache-Control": "no-store"}


class Readiness:
    """Whether keys can be found, the job rows of at least one account can be read, and the process is not ending.

    The key store has to be looked at once. If it fails later, known keys stay good, and so does this process.

    Requests for `/readyz` never reach storage. The process probes by itself: broken accounts until they recover, and
    the others only where no request has shown lately that one of them works.
    """

    def __init__(self, ring: ActiveKeyRing) -> None:
        self._ring = ring
        self._logged: dict[str, str] = {}
        self._next: dict[str, tuple[float, float]] = {}
        """For each broken account, when its next probe is due, and the wait before that."""
        self.stopping = False
        self.last_request_at = float("-inf")
        """When the last request or readiness probe came, by the monotonic clock. `/livez` does not count."""

    def record_request(self) -> None:
        """Notes that a request has come."""
        self.last_request_at = time.monotonic()

    @property
    def is_ready(self) -> bool:
        """Whether requests can be answered: one account works, or there is none that could fail."""
        if self.stopping or not self._ring.keys.is_ready:
            return False
        names = self._ring.accounts.names
        return not names or any(map(self._is_healthy, names))

    async def watch(self) -> None:
        """Probes the accounts until cancelled, and logs each change."""
        while True:
            try:
                await self.probe()
            except Exception:
                log.exception("the accounts could not be probed")
            await asyncio.sleep(PROBE_INTERVAL_S * JITTER.uniform(0.8, 1.2))

    async def probe(self) -> None:
        """Probes the accounts that are due, once."""
        accounts, now = self._ring.accounts, time.monotonic()
        breakers = {name: accounts[name].circuit_breaker for name in accounts.names if name not in accounts.errors}
        idle = [name for name, breaker in breakers.items() if breaker.last_call_at <= now - PROBE_INTERVAL_S]
        healthy = [name for name in breakers if self._is_healthy(name)]
        if not healthy:  # no account's wait counts
            due = idle
        else:
            due = [name for name in idle if breakers[name].last_error is not None and self._due_at(name) <= now]
            if all(breakers[name].last_success_at <= now - CONDITION_MAX_AGE_S for name in healthy):
                due.append(healthy[0])
        probed = sorted(due, key=self._due_at)[:MAX_PROBES]
        for name in probed:
            wait = min(LONGEST_WAIT_S, 2 * self._next.get(name, (0.0, FIRST_WAIT_S / 2))[1])
            self._next[name] = now + wait, wait
        await asyncio.gather(*(accounts[name].job_cache.probe(PROBE_TIMEOUT_S) for name in probed))
        self._next = {name: at for name, at in self._next.items() if name in breakers and not self._is_healthy(name)}
        self._log_changes()

    def _due_at(self, name: str) -> float:
        return self._next.get(name, (0.0, 0.0))[0]

    def _is_healthy(self, name: str) -> bool:
        if name in self._ring.accounts.errors:
            return False
        breaker = self._ring.accounts[name].circuit_breaker
        since = float("-inf") if breaker.last_error is None else time.monotonic() - FAILURE_GRACE_S
        return breaker.last_success_at > since

    def _log_changes(self) -> None:
        accounts, logged = self._ring.accounts, self._logged
        self._logged = {}
        for name in accounts.names:
            error = accounts.errors.get(name) or accounts[name].circuit_breaker.last_error
            self._logged[name] = "" if error is None else error.code.value.name
            if self._logged[name] == logged.get(name, ""):
                continue
            if error is None:
                log.info("the account is well again", extra={"account": name})
            else:
                fields = {"account": name, "hint": error.code.value.hint}
                log.warning("the account is broken: %s", _reason(error), extra=fields)


def _reason(error: StorageError) -> str:
    return error.code.value.name if error.code is StorageErrorCode.CREDENTIAL else str(error)


class Livez:
    """Responds to any method without I/O, so that a container is never restarted because of its storage."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Responds to one request."""
        await JSONResponse({"status": "ok", "version": VERSION}, headers=_HEADERS)(scope, receive, send)


class Readyz:
    """Responds whether the process is ready, and nothing else: anybody may ask."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Responds to one request. A caller may send requests here until it asks again."""
        self._readiness.record_request()
        status, text = HTTPStatus.SERVICE_UNAVAILABLE, "not ready"
        if self._readiness.is_ready:
            status, text = HTTPStatus.OK, "ready"
        await JSONResponse({"status": text}, status, _HEADERS)(scope, receive, send)
