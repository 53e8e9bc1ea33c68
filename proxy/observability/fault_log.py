"""Logs storage errors once a second for each account: a thousand callers may wait for the same fault."""

import logging
import time

from adapters.errors import StorageError
from proxy.observability.request_trace import RequestTrace

log = logging.getLogger("proxy.request")

# Seconds between two lines for the same error of the same account. Each request has its own line in the access log.
INTERVAL_SECONDS = 1.0

KEY_STORE_HINT = "see the lines of the key store, and the metrics key_store_age_seconds and key_store_reads"

# Errors whose last line is remembered.
MAX_TRACKED = 1_000


class RateLimitedErrorLog:
    """Writes a line for a storage error: a hint for the operator, and how many lines were suppressed before it."""

    def __init__(self) -> None:
        self._last: dict[tuple[str | None, str], tuple[float, int]] = {}

    def log(self, error: StorageError, trace: RequestTrace) -> None:
        """Logs an error that this request met, unless the same was logged within INTERVAL_SECONDS."""
        self._log(f"storage: {error}", error.code.value.hint, trace)

    def log_unchecked_key(self, trace: RequestTrace) -> None:
        """The same for a request whose key could not be looked up. The key store's own lines say why."""
        self._log("key store: a key can't be checked", KEY_STORE_HINT, trace)

    def _log(self, text: str, hint: str, trace: RequestTrace) -> None:
        key, now = (trace.account, text), time.monotonic()
        logged_at, suppressed = self._last.get(key, (float("-inf"), 0))
        if now - logged_at < INTERVAL_SECONDS:
            self._last[key] = logged_at, suppressed + 1
            return
        if len(self._last) >= MAX_TRACKED:
            self._last.clear()
        self._last[key] = now, 0
        fields = {"trace_id": trace.trace_id, "account": trace.account, "hint": hint}
        log.warning("%s", text, extra=fields | {"suppressed": suppressed or None})
