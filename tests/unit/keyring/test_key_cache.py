"""The two lists of keys in memory, and what an entry costs."""

import tracemalloc
from hashlib import sha256

import pytest

from adapters.model.key_records import KeyRecord
from proxy.keyring.key_cache import MAX_KNOWN, MAX_UNKNOWN, KeyCache, StoredEntry, StoreView
from proxy.keyring.store import boot_clock
from tests.support.processor_time import takes_at_most

VIEW = StoreView(lambda: 0.0)
VIEW.until = 1.0


def _put(cache: KeyCache, number: int, *, known: bool = True) -> StoredEntry:
    digest = sha256(str(number).encode()).digest()
    return cache.put(digest, KeyRecord(digest.hex(), "contoso") if known else None, VIEW, 1.0)


def _has(cache: KeyCache, number: int) -> bool:
    return cache.peek(sha256(str(number).encode()).digest()) is not None


def test_guesses_push_no_real_key_out() -> None:
    cache = KeyCache(max_known=10, max_unknown=10)
    for number in range(10):
        _put(cache, number)
    for number in range(100, 200):
        _put(cache, number, known=False)
    assert all(_has(cache, number) for number in range(10))
    assert (cache.known, cache.unknown) == (10, 10)


@pytest.mark.parametrize("used_by", ["look-up", "repeated response"])
def test_key_that_was_used_least_recently_goes_first(used_by: str) -> None:
    cache = KeyCache(max_known=3)
    entries = [_put(cache, number) for number in range(3)]
    if used_by == "look-up":
        cache.get(entries[0].digest)
    else:
        assert entries[0].is_valid()
    _put(cache, 3)
    assert [_has(cache, number) for number in range(4)] == [True, False, True, True]


def test_newest_key_stays_where_all_others_are_used_by_repeated_responses() -> None:
    cache = KeyCache(max_known=3)
    entries = [_put(cache, number) for number in range(3)]
    assert all(entry.is_valid() for entry in entries)
    _put(cache, 3)
    assert [_has(cache, number) for number in range(4)] == [False, True, True, True]


def test_entry_that_is_pushed_out_is_no_longer_valid() -> None:
    cache = KeyCache(max_known=1)
    entry = _put(cache, 0)
    _put(cache, 1)
    assert not entry.is_valid()  # a look could not mark it any more


def test_digest_with_the_same_beginning_is_another_key() -> None:
    cache = KeyCache()
    entry = _put(cache, 0)
    other = entry.digest[:8] + bytes(24)
    assert cache.get(other) is None
    cache.put(other, None, VIEW, 1.0)
    assert not entry.is_valid()
    assert cache.get(entry.digest) is None


def test_validity_of_an_entry_costs_little_of_a_repeated_response() -> None:
    view = StoreView(boot_clock())
    view.until = view.clock() + 1000
    digest = sha256(b"key").digest()
    entry = KeyCache().put(digest, KeyRecord(digest.hex(), "contoso"), view, view.until)

    def judge() -> None:
        for _ in range(10_000):
            entry.is_valid()

    def hash_keys() -> None:  # a part of what each request costs: a quarter of a microsecond
        for _ in range(10_000):
            sha256(b"key").hexdigest()

    assert entry.is_valid()
    assert takes_at_most(judge, 4, hash_keys)


def test_full_lists_need_less_than_sixty_megabytes() -> None:
    part = 8  # of the lists: tables of a power of two are as full at any size
    known, unknown = MAX_KNOWN // part, MAX_UNKNOWN // part
    tracemalloc.start()
    try:
        cache = KeyCache(known, unknown)
        for number in range(known + 10):
            _put(cache, number)
        for number in range(known + 10, known + unknown + 20):
            _put(cache, number, known=False)
        size = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert (cache.known, cache.unknown) == (known, unknown)
    assert size * part < 60e6
