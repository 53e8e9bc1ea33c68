"""What is kept of answers: how much, and for whom."""

from typing import Any

import pytest

from adapters.job_cache import CacheEntry
from proxy.api import response_cache as said_before
from proxy.api.response_cache import LARGEST, OVERHEAD, CachedResponse, CacheValidity, ResponseCache
from proxy.keyring.keyring import KeyRing
from proxy.wire.request import parse_path, parse_query

RING = KeyRing({}, {})
JOB = "0a" * 16


def scope(path: str, query: str = "key=k", address: str = "192.0.2.1", **others: Any) -> dict[str, Any]:
    return {
        "method": "GET",
        "scheme": "https",
        "client": (address, 5),
        "raw_path": f"/REST/v1/{path}".encode(),
        "query_string": query.encode(),
    } | others


def place(said: ResponseCache, asked: dict[str, Any]) -> bytes:
    query, call = parse_query(asked["query_string"]), parse_path(asked["raw_path"], asked["method"])
    return said.cache_key(asked, base(asked), query, call)


def base(asked: dict[str, Any]) -> str:
    """The base of links that follow the request's scheme."""
    return f"{asked['scheme']}://spatial.example"


def answer(size: int) -> CachedResponse:
    validity = CacheValidity(RING, None, CacheEntry(None, float("inf")), float("inf"))
    return CachedResponse(b"x" * size, b"", [], ("", "", "", ""), validity)


STATUS = f"Dataflows/LoadDataSource/{JOB}"


@pytest.mark.parametrize(
    "other",
    [
        scope(STATUS, "x=1&key=k"),
        scope(STATUS, "KEY=k&key=other&o=json"),
        scope(f"/dataflows//loaddatasource/{JOB.upper()}/"),
        scope(STATUS, "k%65y=%6B&dataSourceName=a&input=xml"),
    ],
)
def test_what_does_not_change_the_answer_makes_no_other_place(other: dict[str, Any]) -> None:
    said = ResponseCache()
    assert place(said, other) == place(said, scope(STATUS))
    assert said.spelling_of(other, base(other)) != said.spelling_of(scope(STATUS), base(scope(STATUS)))


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
        scope(f"Dataflows/DataSourceDownload/{JOB}"),
        scope("Dataflows/ListJobs"),
    ],
)
def test_what_changes_the_answer_or_who_may_have_it_makes_another_place(other: dict[str, Any]) -> None:
    said = ResponseCache()
    assert place(said, other) != place(said, scope(STATUS))
    assert said.spelling_of(other, base(other)) != said.spelling_of(scope(STATUS), base(scope(STATUS)))


def test_the_addresses_of_one_network_share_an_answer() -> None:
    said = ResponseCache()
    one, other = (place(said, scope(STATUS, address=address)) for address in ("2001:db8::1", "2001:db8::2"))
    assert one == other


@pytest.mark.parametrize(("size", "most"), [(1000, "SMALL_BYTES"), (LARGEST + 1, "LARGE_BYTES")])
def test_answers_are_kept_by_their_bytes(size: int, most: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(said_before, most, 10 * (size + OVERHEAD))
    said = ResponseCache()
    places = [str(number).encode() for number in range(30)]
    for each in places:
        said.put(each, answer(size))
        said.put(each, answer(size))  # over the one before
    assert [said.find_at(each, RING, 0.0) is not None for each in places] == [False] * 20 + [True] * 10


def test_an_answer_that_grows_takes_the_place_of_the_small_one() -> None:
    said = ResponseCache()
    small, large = answer(10), answer(2 * LARGEST)
    said.put(b"a", small)
    small.validity.cache_entry.until = 0.0
    said.put(b"a", large)
    assert said.find_at(b"a", RING, 0.0) is not None


def test_spellings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(said_before, "SPELLINGS", 10)
    said = ResponseCache()
    said.put(b"a", answer(10))
    for number in range(100):
        said.spell(str(number).encode(), b"a")
    found = [said.get(str(number).encode(), RING, 0.0) is not None for number in range(100)]
    assert 0 < sum(found) <= 10
    assert found[-1]
