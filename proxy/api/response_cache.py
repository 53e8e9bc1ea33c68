"""Answers that may be given again: the same request, the same address, the same ring, only another traceId.

What a request costs is the reading of its path, its key and its record, the links and the rendering. All that is the
same for each poll until the record may have changed, so it is kept, found by a digest of the request: no key is kept.
"""

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from starlette.types import Scope

from adapters.job_cache import CacheEntry
from proxy.api.auth_throttle import network_of
from proxy.keyring.keyring import KeyRing
from proxy.observability.access_log import Line
from proxy.observability.request_observer import CachedResponseObserver
from proxy.wire.request import ApiCall, QueryParameters

# Bytes of the answers that a process keeps, small ones and large ones apart, so that no job list drives out thousands
# of polls. A poll's answer is about 3 KB, a job list of 750 jobs half a megabyte.
MEGABYTE = 1024 * 1024
SMALL_BYTES = 32 * MEGABYTE
LARGE_BYTES = 16 * MEGABYTE
LARGEST = 16 * 1024

# What an answer takes beside its own bytes.
OVERHEAD = 1024

# Spellings of requests whose answers are kept: 150 bytes each. When there are more, all are forgotten; the next request
# of each is parsed again.
SPELLINGS = 20_000

# Headers that are kept once for all answers that have the same; those of two answers differ by their length only.
HEADERS = 1_000


@dataclass(frozen=True, slots=True)
class CacheValidity:
    """How long an answer holds: under one ring, until the key's end, while its reading is fresh and its links are."""

    keyring: KeyRing
    key_expires: datetime | None
    cache_entry: CacheEntry[Any]
    links_until: float

    def holds(self, ring: KeyRing, now: float) -> bool:
        """Whether it holds under this ring, at this time of the monotonic clock."""
        return self.holds_of(self.cache_entry, ring, now) and self.cache_entry.is_fresh(now)

    def holds_of(self, reading: CacheEntry[Any], ring: KeyRing, now: float) -> bool:
        """Whether it holds of what has just been read: the same as before, then, and the rest holds too."""
        return (
            self.cache_entry is reading
            and self.keyring is ring
            and now < self.links_until
            and (self.key_expires is None or datetime.now(UTC) < self.key_expires)
        )


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """One answer: its bytes before and after the traceId, its headers, its line in the log, and who looks on."""

    before: bytes
    after: bytes
    headers: list[tuple[bytes, bytes]]
    line: Line
    validity: CacheValidity
    seen: CachedResponseObserver | None = None


class _Kept(OrderedDict[bytes, CachedResponse]):
    """Answers of so many bytes together; the longest kept go first."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._bytes = 0

    def keep(self, place: bytes, said: CachedResponse) -> None:
        self[place] = said
        self._bytes += _size(said)
        while self._bytes > self._most:
            self._bytes -= _size(self.popitem(last=False)[1])

    def drop(self, place: bytes) -> None:
        said = self.pop(place, None)
        self._bytes -= 0 if said is None else _size(said)


class ResponseCache:
    """A bounded memory of answers.

    An answer is kept at a place, which is a digest of what counts of its request: who asked, from which network, for
    what, in which format. A request as it was sent is a spelling of such a place: so what is spelt as it was before is
    found without being parsed, and parameters that count for nothing make no second answer.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._headers: dict[tuple[tuple[bytes, bytes], ...], list[tuple[bytes, bytes]]] = {}
        self._places: dict[bytes, bytes] = {}
        self._small, self._large = _Kept(SMALL_BYTES), _Kept(LARGE_BYTES)

    def spelling_of(self, scope: Scope, base: str) -> bytes:
        """A digest of a request as it was sent, whose links have this base.

        The address is part of it: who guesses keys elsewhere gains nothing by what this address was told.
        """
        client = scope.get("client")
        # In one piece, for this is what each remembered answer costs.
        text = b"%b\0%b\0%b\0%b\0%b" % (
            base.encode(),
            scope["method"].encode(),
            (client[0] if client else "").encode(),
            scope["raw_path"],
            scope["query_string"],
        )
        return hashlib.blake2b(text, digest_size=16, key=self._secret).digest()

    def cache_key(self, scope: Scope, base: str, query: QueryParameters, call: ApiCall) -> bytes:
        """Where the answer to a request is kept, whose links have this base; its key is good, and it is well formed."""
        client = scope.get("client")
        parts = (
            scope["method"],
            network_of(client[0] if client else ""),
            base,
            call.operation.name,
            call.kind.name,
            call.reference.lower(),
            query.format.name,
        )
        # The key is the last part: it may hold any byte.
        text = b"\0".join((*(part.encode("utf-8", "surrogatepass") for part in parts), query.key or b""))
        return hashlib.blake2b(text, digest_size=16, key=self._secret).digest()

    def get(self, spelling: bytes, ring: KeyRing, now: float) -> CachedResponse | None:
        """The answer to a request that is spelt as one before, if it still holds."""
        place = self._places.get(spelling)
        return None if place is None else self.find_at(place, ring, now)

    def find_at(self, place: bytes, ring: KeyRing, now: float) -> CachedResponse | None:
        """The answer kept there, if it still holds."""
        said = self._small.get(place) or self._large.get(place)
        return said if said is not None and said.validity.holds(ring, now) else None

    def get_for(self, place: bytes, reading: CacheEntry[Any], ring: KeyRing, now: float) -> CachedResponse | None:
        """The answer kept there, if it was made of what has just been read."""
        said = self._small.get(place) or self._large.get(place)
        return said if said is not None and said.validity.holds_of(reading, ring, now) else None

    def spell(self, spelling: bytes, place: bytes) -> None:
        """Tells that a request of this spelling is answered by what is kept there."""
        if len(self._places) >= SPELLINGS:
            self._places.clear()
        self._places[spelling] = place

    def put(self, place: bytes, said: CachedResponse) -> None:
        """Keeps an answer."""
        said = replace(said, headers=self._headers.setdefault(tuple(said.headers), said.headers))
        if len(self._headers) > HEADERS:
            self._headers.clear()
        self._small.drop(place)
        self._large.drop(place)
        (self._large if _size(said) > LARGEST else self._small).keep(place, said)


def _size(said: CachedResponse) -> int:
    """About the bytes of memory that an answer takes."""
    return len(said.before) + len(said.after) + OVERHEAD
