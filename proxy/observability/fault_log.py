"""What was wrong with storage, told once a second for each account: a thousand callers wait for the same fault."""

import logging
import time

from adapters.errors import StorageError
from proxy.observability.request_trace import RequestTrace

log = logging.getLogger("proxy.request")

# Seconds for which the same fault of the same account is told by one line; each request has its own line anyway.
APART_SECONDS = 1.0

# Faults that are remembered as told.
MAX_TRACKED = 1_000


class RateLimitedErrorLog:
    """Writes a line for a fault: what the operator may do about it, and how many more met it since the last line."""

    def __init__(self) -> None:
        self._told: dict[tuple[str | None, str], tuple[float, int]] = {}

    def log(self, fault: StorageError, trace: RequestTrace) -> None:
        """Tells of a fault that this request met, unless the same has just been told."""
        key, now = (trace.account, str(fault)), time.monotonic()
        told_at, more = self._told.get(key, (float("-inf"), 0))
        if now - told_at < APART_SECONDS:
            self._told[key] = told_at, more + 1
            return
        if len(self._told) >= MAX_TRACKED:
            self._told.clear()
        self._told[key] = now, 0
        fields = {"trace_id": trace.trace_id, "account": trace.account, "advice": fault.fault.value.advice}
        log.warning("storage: %s", fault, extra=fields | {"more": more or None})
