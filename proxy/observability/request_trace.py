"""What is known of the request that is being answered, for its log line, its span, and the counts of its answer."""

from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from adapters.instrumentation import Source


@dataclass(slots=True)
class RequestTrace:
    """What the log line of a request says. `path` is what `path_for_log` makes of one: words, ids and dots."""

    trace_id: str
    method: str
    path: str
    operation: str = "none"
    account: str | None = None
    key: str | None = None
    """The name of the key, where the ring gives it one; never the key."""
    error: str | None = None
    storage_calls: int = 0
    storage_seconds: float = 0.0
    """Of all its calls of storage together, also of those at the same time."""
    source: Source | None = None
    """Where the job or the list that it asks for was last read."""
    span: Any = None
    """Its span while that is open, where traces are asked for."""

    @property
    def cache_hit(self) -> bool:
        """Whether it was answered from what is remembered; it asked storage for nothing."""
        return self.source == "remembered" and not self.storage_calls

    def for_cache_hit(self, trace_id: str) -> "RequestTrace":
        """The same for a request that is given the same answer from memory."""
        return replace(self, trace_id=trace_id, storage_calls=0, storage_seconds=0.0, source="remembered", span=None)


CURRENT: ContextVar[RequestTrace | None] = ContextVar("the request that is being answered", default=None)
"""Whose the storage calls are. A read that several requests wait for counts as that of the first."""
