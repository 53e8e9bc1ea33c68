"""Keys of the key store: when they are read, and when they are read again (keys contract, section 3)."""

import asyncio
import logging
from collections import Counter

import pytest

from adapters.model.key_records import ChangeLog
from adapters.model.ticks import PER_SECOND, UNIX_EPOCH, Ticks
from adapters.tables.properties import MalformedRowError
from proxy.keyring import store as stored_keys
from proxy.keyring.key_cache import MAX_AGE
from proxy.keyring.keyring import ExpiredKeyError, Role, UnknownKeyError
from proxy.keyring.lookup import RevokedKeyError, UnreadableKeyError
from tests.support.key_store import INTERVAL, NETWORK, FakeKeyStore, digest_of, find, look
from tests.support.log_records import texts_of
from tests.support.virtual_time import VIRTUAL_TIME, VirtualTime

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> VirtualTime:
    return VIRTUAL_TIME


@pytest.fixture
def store() -> FakeKeyStore:
    return FakeKeyStore()


async def test_a_key_is_read_once_and_remembered(store: FakeKeyStore) -> None:
    store.write("key", role="query", name="shop", data_sources=("Shops*",))
    keys = store.keys()
    entry = await keys.find(digest_of("key"), NETWORK)
    grant = entry.grant
    assert (grant.account, grant.role, grant.name) == ("contoso", Role.QUERY, "shop")
    assert grant.allows("SHOPS1")
    assert not grant.allows("Cafes")
    assert await keys.find(digest_of("key"), NETWORK) is entry
    assert store.reads_of("key") == 1


async def test_a_key_without_a_row_is_unknown_and_remembered(store: FakeKeyStore) -> None:
    keys = store.keys()
    assert [await find(keys, "none") for _ in range(3)] == ["UnknownKeyError"] * 3
    assert store.reads_of("none") == 1
    assert (keys.known, keys.unknown) == (0, 1)


async def test_all_who_wait_for_a_digest_share_one_read(store: FakeKeyStore) -> None:
    store.write("key")
    store.during_read = lambda: asyncio.sleep(0.01)
    keys = store.keys()
    assert await asyncio.gather(*(find(keys, "key") for _ in range(20))) == ["contoso"] * 20
    assert store.reads_of("key") == 1


async def test_server_is_ready_after_its_first_good_look(store: FakeKeyStore) -> None:
    keys = store.keys()
    store.fail()
    assert await find(keys, "key") == "KeyStoreUnavailableError"
    assert not keys.is_ready
    store.fail(None)
    await look(keys, store)
    assert keys.is_ready


async def test_table_that_never_had_a_change_row_is_an_empty_store(store: FakeKeyStore) -> None:
    store.changes = None
    keys = store.keys()
    assert await find(keys, "key") == "UnknownKeyError"
    assert keys.is_ready
    store.write("key")
    store.announce("key")
    await look(keys, store)
    assert await find(keys, "key") == "contoso"


# What changes a key or its table, what it was before, and what is found after the next look.
CHANGES = {
    "added": ("UnknownKeyError", "contoso"),
    "revoked": ("contoso", "RevokedKeyError"),
    "added among many": ("UnknownKeyError", "contoso"),
    "restored": ("UnknownKeyError", "contoso"),
    "deleted": ("contoso", "UnknownKeyError"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_change_is_in_force_after_the_next_look(store: FakeKeyStore, change: str) -> None:
    before, after = CHANGES[change]
    if before == "contoso":
        store.write("key")
    store.announce("other")
    keys = store.keys()
    assert await find(keys, "key") == before
    match change:
        case "added":
            store.write("key")
            store.announce("key")
        case "revoked":
            store.write("key", revoked=Ticks(0))
            store.announce("key")
        case "added among many":
            store.write("key")
            store.announce("+")
        case "restored":
            store.write("key")
            store.changes = ChangeLog("second", 0)
        case "deleted":
            del store.rows[digest_of("key").hex()]
            store.announce("key")
    assert await find(keys, "key") == before
    await look(keys, store)
    assert await find(keys, "key") == after
    assert await find(keys, "key") == after
    assert store.reads_of("key") == 2


async def test_keys_that_were_not_named_are_not_read_again(store: FakeKeyStore) -> None:
    keys = store.keys()
    used = [f"used{number}" for number in range(1000)]
    for key in used:
        store.write(key)
        assert await find(keys, key) == "contoso"
    for number in range(1000):
        store.write(f"new{number}")
        store.announce(f"new{number}")
        if number % 200 == 0:
            await look(keys, store)
    await look(keys, store)
    assert [await find(keys, key) for key in used] == ["contoso"] * 1000
    assert {store.reads_of(key) for key in used} == {1}


async def test_all_keys_are_read_again_where_the_list_does_not_reach_back(store: FakeKeyStore) -> None:
    keys = store.keys()
    store.write("key")
    entry = await keys.find(digest_of("key"), NETWORK)
    store.announce(*(f"new{number}" for number in range(801)))
    await look(keys, store)
    assert not entry.is_valid()
    assert await find(keys, "key") == "contoso"
    assert store.reads_of("key") == 2


@pytest.mark.parametrize(("seconds", "reads"), [(599, 1), (600, 2)])
@pytest.mark.parametrize("key", ["known", "unknown"])
async def test_entry_is_read_again_after_ten_minutes(store: FakeKeyStore, seconds: float, reads: int, key: str) -> None:
    store.write("known")
    keys = store.keys()
    await find(keys, key)
    store.now += seconds - INTERVAL
    await look(keys, store)
    await find(keys, key)
    assert store.reads_of(key) == reads


async def test_row_found_again_renews_its_entry_and_another_row_ends_it(store: FakeKeyStore) -> None:
    store.write("key")
    keys = store.keys()
    entry = await keys.find(digest_of("key"), NETWORK)
    assert entry.is_valid()
    store.announce("key")
    await look(keys, store)
    assert not entry.is_valid()
    assert await keys.find(digest_of("key"), NETWORK) is entry
    assert entry.is_valid()
    store.write("key", role="query")
    store.announce("key")
    await look(keys, store)
    changed = await keys.find(digest_of("key"), NETWORK)
    assert changed.is_valid()
    store.write("key", role="master")
    store.announce("key")
    await look(keys, store)
    await find(keys, "key")
    assert not entry.is_valid()
    assert not changed.is_valid()


@pytest.mark.parametrize("named", ["key", "+", "another epoch"])
async def test_read_that_a_look_overtakes_is_repeated_for_all_who_wait(store: FakeKeyStore, named: str) -> None:
    keys = store.keys()
    await look(keys, store)

    async def change() -> None:
        store.write("key")
        store.announce(named)
        if named == "another epoch":
            store.changes = ChangeLog("second", 0)
        await look(keys, store)

    store.during_read = change
    assert set(await asyncio.gather(find(keys, "key"), find(keys, "key"))) == {"contoso"}
    assert store.reads_of("key") == 2


async def test_look_that_names_another_key_leaves_a_read_in_flight_alone(store: FakeKeyStore) -> None:
    keys = store.keys()
    await look(keys, store)

    async def change() -> None:
        store.announce("other")
        await look(keys, store)

    store.during_read = change
    assert await find(keys, "key") == "UnknownKeyError"
    assert store.reads_of("key") == 1


async def test_after_a_suspension_requests_wait_for_a_look(store: FakeKeyStore) -> None:
    store.write("key")
    keys = store.keys()
    entry = await keys.find(digest_of("key"), NETWORK)
    store.write("key", revoked=Ticks(0))
    store.announce("key")
    store.now += 2 * INTERVAL
    assert not entry.is_valid()
    assert await find(keys, "key") == "RevokedKeyError"
    assert store.looks == 2


async def test_look_that_began_before_a_suspension_counts_as_old(store: FakeKeyStore) -> None:
    store.write("key")
    keys = store.keys()
    await look(keys, store)
    store.now += 3 * INTERVAL

    async def sleep() -> None:
        store.now += 3600

    store.during_look = sleep
    assert await find(keys, "key") == "contoso"
    assert store.looks == 3


async def test_expired_key_is_refused_at_its_end(store: FakeKeyStore) -> None:
    store.write("key", expires=Ticks(UNIX_EPOCH + int((store.wall + 10) * PER_SECOND)))
    keys = store.keys()
    entry = await keys.find(digest_of("key"), NETWORK)
    store.wall += 9
    assert entry.is_valid()
    assert await find(keys, "key") == "contoso"
    store.wall += 1
    assert not entry.is_valid()
    with pytest.raises(ExpiredKeyError):
        await keys.find(digest_of("key"), NETWORK)


async def test_revoked_key_is_unknown_to_its_caller_and_named_for_the_log(store: FakeKeyStore) -> None:
    store.write("key", revoked=Ticks(0), name="shop")
    with pytest.raises(RevokedKeyError) as raised:
        await store.keys().find(digest_of("key"), NETWORK)
    assert raised.value.name == "shop"
    assert isinstance(raised.value, UnknownKeyError)


async def test_row_that_cannot_be_read_hurts_its_own_key_and_is_logged_once(
    store: FakeKeyStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.write("good")
    store.rows[digest_of("bad").hex()] = MalformedRowError("Role must be one of master, query")
    keys = store.keys()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with pytest.raises(UnreadableKeyError):
                await keys.find(digest_of("bad"), NETWORK)
            store.announce("bad")
            await look(keys, store)
    assert await find(keys, "good") == "contoso"
    (text,) = texts_of(caplog, stored_keys.__name__)
    assert digest_of("bad").hex()[:12] in text
    assert digest_of("bad").hex()[:13] not in text


async def test_key_of_an_account_that_the_ring_does_not_have_is_unreadable_not_unknown(store: FakeKeyStore) -> None:
    store.write("key", account="fabrikam")
    assert await find(store.keys(), "key") == "UnreadableKeyError"
    assert await find(store.keys(accounts=("contoso", "fabrikam")), "key") == "fabrikam"


async def test_revoked_key_of_an_account_that_the_ring_does_not_have_is_unknown_and_no_warning(
    store: FakeKeyStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.write("key", account="fabrikam", revoked=Ticks(0))
    assert await find(store.keys(), "key") == "RevokedKeyError"
    assert texts_of(caplog, stored_keys.__name__) == []


async def test_keys_in_memory_are_known_to_the_log(store: FakeKeyStore) -> None:
    store.write("key")
    store.write("revoked", revoked=Ticks(0))
    keys = store.keys()
    for key in ("key", "revoked", "none"):
        await find(keys, key)
    assert [keys.is_key(key) for key in ("key", "revoked", "none", "never read")] == [True, True, False, False]


async def test_guesses_are_read_fifty_times_a_second(store: FakeKeyStore) -> None:
    keys = store.keys()
    found = Counter(await asyncio.gather(*(find(keys, f"guess{number}", f"net{number}") for number in range(1000))))
    assert found == {"UnknownKeyError": 50, "KeyStoreUnavailableError": 950}
    assert sum(store.reads.values()) == 50
    assert (store.results["missing"], store.results["shed"]) == (50, 950)


async def test_guesses_hold_no_known_key_back(store: FakeKeyStore) -> None:
    store.write("old")
    keys = store.keys()
    assert [await find(keys, key) for key in ("old", "refused")] == ["contoso", "UnknownKeyError"]
    store.write("refused")
    store.announce("refused", *(f"new{number}" for number in range(5)))
    store.now += MAX_AGE
    await look(keys, store)
    await asyncio.gather(*(find(keys, f"guess{number}", f"net{number}") for number in range(100)))
    assert await find(keys, "guess") == "KeyStoreUnavailableError"
    assert [await find(keys, key) for key in ("old", "refused")] == ["contoso", "contoso"]
    assert (store.reads_of("old"), store.reads_of("refused")) == (2, 2)


async def test_unknown_keys_that_are_old_or_forgotten_have_no_claim_to_a_read(store: FakeKeyStore) -> None:
    keys = store.keys()
    assert await find(keys, "refused") == "UnknownKeyError"
    store.now += MAX_AGE
    await look(keys, store)
    await asyncio.gather(*(find(keys, f"guess{number}", f"net{number}") for number in range(100)))
    assert await find(keys, "refused") == "KeyStoreUnavailableError"


async def test_a_thousand_keys_in_use_need_one_read_each_in_ten_minutes(store: FakeKeyStore) -> None:
    used = [f"used{number}" for number in range(1000)]
    for key in used:
        store.write(key)
    keys = store.keys()
    for key in used:
        await find(keys, key)
    store.reads.clear()
    store.looks = 0
    for second in range(int(MAX_AGE)):
        store.now += 1
        if second % INTERVAL == INTERVAL - 1:
            await keys._watch.look()  # noqa: SLF001 - `run` looks by the clock of the event loop
        for key in used[second % 10 :: 10]:
            assert await find(keys, key) == "contoso"
    assert sum(store.reads.values()) <= len(used)
    assert max(store.reads.values(), default=0) <= 1
    assert store.looks == MAX_AGE / INTERVAL
