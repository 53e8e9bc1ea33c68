"""Logs storage errors once a second for each account: a thousand callers may wait for the same fault."""

import logging
import time

from adapters.errors import StorageError
from proxy.observability.request_trace import RequestTrace

log = logging.getLogger("proxy.request")

# Seconds between two lines for the same error of the same account. Each request has its own line in the access log.
INTERVAL_SECONDS = 1.0

# Errors whose last line is remembered.
MAX_TRACKED = 1_000


class RateLimitedErrorLog:
    """Writes a line for a storage error: a hint for the operator, and how many lines were suppressed before it."""

    def __init__(self) -> None:
        self._last: dict[tuple[str | None, str], tuple[float, int]] = {}

    def log(self, error: StorageError, trace: RequestTrace) -> None:
        """Logs an error that this request met, unless the same was logged within INTERVAL_SECONDS."""
        key, now = (trace.account, str(error)), time.monotonic()
        logged_at, suppressed = self._last.get(key, (float("-inf"), 0))
        if now - logged_at < INTERVAL_SECONDS:
            self._last[key] = logged_at, suppressed + 1
            return
        if len(self._last) >= MAX_TRACKED:
            self._last.clear()
        self._last[key] = now, 0
        fields = {"trace_id": trace.trace_id, "account": trace.account, "hint": error.code.value.hint}
        log.warning("storage: %s", error, extra=fields | {"suppressed": suppressed or None})
