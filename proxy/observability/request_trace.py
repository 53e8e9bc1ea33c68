"""What is known of the request that is being answered, for its log line, its span and the metrics."""

from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from adapters.instrumentation import CacheResult
from proxy.keyring.keyring import KeyGrant
from proxy.observability.client import UNKNOWN, Client


@dataclass(slots=True)
class RequestTrace:
    """What the log line of a request says. `path` is what `redact_path` returns: words, ids and dots."""

    trace_id: str
    method: str
    path: str
    operation: str = "none"
    account: str | None = None
    key: str | None = None
    """The name of the key, where the ring has one; never the key."""
    grant: KeyGrant | None = None
    """What the key may do, once it is found."""
    digest: str | None = None
    """The first 16 hex digits of the SHA-256 of a key that somebody has."""
    data_source: str | None = None
    """The data source that the request names."""
    client: Client = UNKNOWN
    error: str | None = None
    storage_calls: int = 0
    storage_seconds: float = 0.0
    """The sum over all storage calls, including concurrent ones."""
    cache_result: CacheResult | None = None
    """The last look-up of the job or the list that the request asks for."""
    span: Any = None
    """The open span, where traces are on."""

    @property
    def cache_hit(self) -> bool:
        """Whether the response came from a cache, without a call of storage."""
        return self.cache_result == "hit" and not self.storage_calls

    def for_cache_hit(self, trace_id: str) -> "RequestTrace":
        """Returns the trace of a request that gets the same response from the cache."""
        return replace(self, trace_id=trace_id, storage_calls=0, storage_seconds=0.0, cache_result="hit", span=None)


CURRENT: ContextVar[RequestTrace | None] = ContextVar("the request that is being answered", default=None)
"""The request that storage calls belong to. A read that several requests wait for belongs to the first."""
