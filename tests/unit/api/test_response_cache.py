"""What the response cache keeps: how much, and for which requests."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.job_cache import CacheEntry
from proxy.api import response_cache
from proxy.api.response_cache import LARGEST_SMALL, OVERHEAD, CachedResponse, ResponseCache
from proxy.keyring.keyring import KeyGrant, KeyRing
from proxy.keyring.lookup import KeyEntry, RingEntry
from proxy.observability.request_observer import RequestObserver
from proxy.observability.request_trace import RequestTrace
from proxy.wire.request import parse_path, parse_query

RING = KeyRing({}, {})
KEY = RingEntry(KeyGrant("a"))
JOB = "0a" * 16
STATUS = f"Dataflows/LoadDataSource/{JOB}"


def scope(path: str, query: str = "key=k", address: str = "192.0.2.1", **others: Any) -> dict[str, Any]:
    return {
        "method": "GET",
        "scheme": "https",
        "client": (address, 5),
        "raw_path": f"/REST/v1/{path}".encode(),
        "query_string": query.encode(),
    } | others


def digests(cache: ResponseCache, request: dict[str, Any]) -> tuple[bytes, bytes]:
    """The cache key and the spelling of a request; its links follow its scheme."""
    query, call = parse_query(request["query_string"]), parse_path(request["raw_path"], request["method"])
    base = f"{request['scheme']}://spatial.example"
    return cache.cache_key(request, base, query, call), cache.spelling_of(request, base)


def response(size: int, until: float = float("inf"), key: KeyEntry = KEY) -> CachedResponse:
    observer = RequestObserver().for_cached(RequestTrace("", "GET", "/"), 200)
    return CachedResponse(
        b"x" * size, b"", [], observer, RING, key, CacheEntry(None, until), float("inf"), "job_status"
    )


@pytest.mark.parametrize(
    "other",
    [
        scope(STATUS, "x=1&key=k"),
        scope(STATUS, "KEY=k&key=other&o=json"),
        scope(f"/dataflows//loaddatasource/{JOB.upper()}/"),
        scope(STATUS, "k%65y=%6B&dataSourceName=a&input=xml"),
    ],
)
def test_requests_that_differ_in_nothing_that_counts_share(other: dict[str, Any]) -> None:
    cache = ResponseCache()
    (key, spelling), (other_key, other_spelling) = digests(cache, scope(STATUS)), digests(cache, other)
    assert key == other_key
    assert spelling != other_spelling


@pytest.mark.parametrize(
    "other",
    [
        scope(STATUS, "key=K"),
        scope(STATUS, "key=k&o=xml"),
        scope(STATUS, method="HEAD"),
        scope(STATUS, scheme="http"),
        scope(STATUS, address="192.0.2.2"),
        scope(STATUS, address="2001:db8::1"),
        scope(f"Dataflows/LoadDataSource/{'0b' * 16}"),
        scope(f"Dataflows/Geocode/{JOB}"),
        scope("Dataflows/ListJobs"),
    ],
)
def test_requests_that_differ_in_what_counts_do_not_share(other: dict[str, Any]) -> None:
    cache = ResponseCache()
    (key, spelling), (other_key, other_spelling) = digests(cache, scope(STATUS)), digests(cache, other)
    assert key != other_key
    assert spelling != other_spelling


def test_addresses_of_one_network_share() -> None:
    cache = ResponseCache()
    one, other = (digests(cache, scope(STATUS, address=address))[0] for address in ("2001:db8::1", "2001:db8::2"))
    assert one == other


@pytest.mark.parametrize(("size", "limit"), [(1000, "SMALL_BYTES"), (LARGEST_SMALL + 1, "LARGE_BYTES")])
def test_responses_are_bounded_by_their_bytes(size: int, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_cache, limit, 10 * (size + OVERHEAD))
    cache = ResponseCache()
    keys = [str(number).encode() for number in range(30)]
    for each in keys:
        cache.put(each, response(size))
        cache.put(each, response(size))  # replaces the one before
    assert [cache.get(each, RING, 0.0) is not None for each in keys] == [False] * 20 + [True] * 10


def test_a_response_that_grows_replaces_the_small_one() -> None:
    cache = ResponseCache()
    cache.put(b"a", response(10, until=0.0))
    cache.put(b"a", response(2 * LARGEST_SMALL))
    assert cache.get(b"a", RING, 0.0) is not None


@dataclass(eq=False)
class StoredEntry:
    """A key of a store, which counts its uses."""

    grant: KeyGrant = field(default_factory=lambda: KeyGrant("a"))
    holds: bool = True
    uses: int = 0

    def is_valid(self) -> bool:
        self.uses += 1
        return self.holds


def test_every_hit_asks_whether_the_key_still_holds() -> None:
    cache, key = ResponseCache(), StoredEntry()
    cache.put(b"a", response(10, key=key))
    cache.add_spelling(b"spelling", b"a")
    assert cache.get_by_spelling(b"spelling", RING, 0.0) is not None
    assert cache.get(b"a", RING, 0.0) is not None
    assert key.uses == 2
    key.holds = False
    assert cache.get_by_spelling(b"spelling", RING, 0.0) is None
    assert cache.get(b"a", RING, 0.0) is None
    key.holds = True  # read again, and unchanged
    assert cache.get(b"a", RING, 0.0) is not None


def test_a_key_that_was_just_found_gets_its_own_response_only() -> None:
    cache, key = ResponseCache(), StoredEntry(holds=False)
    cache.put(b"a", response(10, key=key))
    assert cache.get(b"a", RING, 0.0, key=key) is not None
    assert cache.get(b"a", RING, 0.0, key=StoredEntry()) is None


def test_a_response_that_is_not_repeated_is_no_use_of_its_key() -> None:
    cache, key = ResponseCache(), StoredEntry()
    cache.put(b"a", response(10, until=0.0, key=key))
    assert cache.get(b"a", RING, 1.0) is None
    assert cache.get(b"a", KeyRing({}, {}), -1.0) is None
    assert key.uses == 0


def test_a_response_ends_with_a_key_of_the_ring() -> None:
    cache, now = ResponseCache(), datetime.now(UTC)
    for name, expires in ((b"past", now), (b"to come", now + timedelta(hours=1))):
        cache.put(name, response(10, key=RingEntry(KeyGrant("a", expires=expires))))
    assert cache.get(b"past", RING, 0.0) is None
    assert cache.get(b"to come", RING, 0.0) is not None


def test_spellings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_cache, "SPELLINGS", 10)
    cache = ResponseCache()
    cache.put(b"a", response(10))
    for number in range(100):
        cache.add_spelling(str(number).encode(), b"a")
    found = [cache.get_by_spelling(str(number).encode(), RING, 0.0) is not None for number in range(100)]
    assert 0 < sum(found) <= 10
    assert found[-1]
