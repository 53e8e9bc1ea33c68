"""Caches rendered responses: the same request from the same network under the same key ring, with another traceId.

A request costs the parsing of its path, its key's and its record's look-up, the links and the rendering. All of that is
the same for each poll until the record may have changed. Keys of the cache are digests, so it holds no Bing key.
"""

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from starlette.types import Scope

from adapters.job_cache import CacheEntry
from proxy.api.auth_throttle import client_network
from proxy.keyring.keyring import KeyRing
from proxy.keyring.lookup import KeyEntry
from proxy.observability.request_observer import CachedResponseObserver
from proxy.wire.request import ApiCall, QueryParameters

# Bytes of the responses that a process keeps. Small and large ones are apart, so that no job list evicts thousands of
# polls. The response to a poll has about 3 KB, a job list of 750 jobs half a megabyte.
MEGABYTE = 1024 * 1024
SMALL_BYTES = 32 * MEGABYTE
LARGE_BYTES = 16 * MEGABYTE
LARGEST_SMALL = 16 * 1024

# Bytes of memory that a response takes beside its body.
OVERHEAD = 2048

# Spellings of requests that lead to a response, 150 bytes each. With one more, all are forgotten: the next request of
# each is parsed again.
SPELLINGS = 20_000


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A rendered response, and how long it may be repeated.

    Args:
        before, after: the body around the traceId.
        headers: the headers of the response.
        observer: logs, counts and traces each repetition.
        keyring: the key ring that allowed it.
        key: the caller's key, which may be revoked or expire meanwhile (keys contract, section 3).
        entry: the record that it was rendered from.
        operation: what it answers.
        links_until: when its signed links are half through their life, by the monotonic clock.
    """

    before: bytes
    after: bytes
    headers: list[tuple[bytes, bytes]]
    observer: CachedResponseObserver
    keyring: KeyRing
    key: KeyEntry
    entry: CacheEntry[Any]
    links_until: float
    operation: str

    def render(self, trace_id: str) -> bytes:
        """The body with another traceId."""
        return self.before + trace_id.encode() + self.after

    def is_valid(
        self, keyring: KeyRing, now: float, entry: CacheEntry[Any] | None = None, key: KeyEntry | None = None
    ) -> bool:
        """Whether it may be repeated.

        Args:
            keyring: the key ring in use.
            now: the time by the monotonic clock.
            entry: what has just been read; None where nothing was, so that the cached entry has to be fresh.
            key: the key that has just been found; None where none was, so that the cached one still has to hold.
        """
        return (
            (self.entry.is_fresh(now) if entry is None else self.entry is entry)
            and self.keyring is keyring
            and now < self.links_until
            and (self.key.is_valid() if key is None else self.key == key)  # last: it counts as a use of the key
        )


class ResponseCache:
    """Responses by a digest of what counts of their requests: the caller, its network, the resource and the format.

    A spelling is a digest of a request as it was sent. A request spelt as before is found without being parsed, and
    parameters that do not count make no second response.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._keys: dict[bytes, bytes] = {}
        self._small, self._large = _BoundedCache(SMALL_BYTES), _BoundedCache(LARGE_BYTES)

    def spelling_of(self, scope: Scope, base: str) -> bytes:
        """A digest of a request as it was sent, whose links have this base.

        The client address is part of it. So a cached response never answers a request from another address, which must
        pass the throttle.
        """
        client = scope.get("client")
        # One expression: this is what each repeated response costs.
        text = b"%b\0%b\0%b\0%b\0%b" % (
            base.encode(),
            scope["method"].encode(),
            (client[0] if client else "").encode(),
            scope["raw_path"],
            scope["query_string"],
        )
        return hashlib.blake2b(text, digest_size=16, key=self._secret).digest()

    def cache_key(self, scope: Scope, base: str, query: QueryParameters, call: ApiCall) -> bytes:
        """The cache key of a valid request whose links have this base."""
        client = scope.get("client")
        parts = (
            scope["method"],
            client_network(client[0] if client else ""),
            base,
            call.operation.name,
            call.status_path.name,
            call.reference.lower(),
            query.format.name,
        )
        # The caller's key is the last part, as it may hold any byte.
        text = b"\0".join((*(part.encode("utf-8", "surrogatepass") for part in parts), query.key or b""))
        return hashlib.blake2b(text, digest_size=16, key=self._secret).digest()

    def get_by_spelling(self, spelling: bytes, keyring: KeyRing, now: float) -> CachedResponse | None:
        """The valid response to a request that is spelt like one before."""
        key = self._keys.get(spelling)
        return None if key is None else self.get(key, keyring, now)

    def get(
        self,
        cache_key: bytes,
        keyring: KeyRing,
        now: float,
        entry: CacheEntry[Any] | None = None,
        key: KeyEntry | None = None,
    ) -> CachedResponse | None:
        """The response of a cache key, where it is valid; the rest is as for `CachedResponse.is_valid`."""
        response = self._small.get(cache_key) or self._large.get(cache_key)
        return response if response is not None and response.is_valid(keyring, now, entry, key) else None

    def add_spelling(self, spelling: bytes, key: bytes) -> None:
        """Lets a request of this spelling find the response of a cache key."""
        if len(self._keys) >= SPELLINGS:
            self._keys.clear()
        self._keys[spelling] = key

    def put(self, key: bytes, response: CachedResponse) -> None:
        """Stores a response in place of the one before."""
        self._small.remove(key)
        self._large.remove(key)
        (self._large if _size_of(response) > LARGEST_SMALL else self._small).add(key, response)


class _BoundedCache(OrderedDict[bytes, CachedResponse]):
    """Responses of so many bytes together. The oldest are evicted first."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__()
        self._max_bytes = max_bytes
        self._bytes = 0

    def add(self, key: bytes, response: CachedResponse) -> None:
        self[key] = response
        self._bytes += _size_of(response)
        while self._bytes > self._max_bytes:
            self._bytes -= _size_of(self.popitem(last=False)[1])

    def remove(self, key: bytes) -> None:
        if (response := self.pop(key, None)) is not None:
            self._bytes -= _size_of(response)


def _size_of(response: CachedResponse) -> int:
    return len(response.before) + len(response.after) + OVERHEAD
