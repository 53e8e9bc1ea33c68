"""What keys are good for while the key store can't be read (keys contract, section 3)."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from adapters.errors import StorageError, StorageErrorCode
from adapters.model.key_records import ChangeLog
from adapters.model.ticks import Ticks
from adapters.tables.properties import MalformedRowError
from proxy.keyring import change_watch
from proxy.keyring.change_watch import StoreTiming
from proxy.keyring.key_cache import MAX_AGE
from proxy.keyring.store import RETRY_SECONDS, STALE_WAIT_FRACTION
from tests.support.key_store import INTERVAL, NETWORK, STALE, TIMEOUT, FakeKeyStore, digest_of, find, look
from tests.support.log_records import texts_of
from tests.support.virtual_time import VIRTUAL_TIME, VirtualTime

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> VirtualTime:
    return VIRTUAL_TIME


UNAVAILABLE = "KeyStoreUnavailableError"


@pytest.fixture
def store() -> FakeKeyStore:
    store = FakeKeyStore()
    store.write("key")
    return store


def _delete_changes(store: FakeKeyStore) -> None:
    store.changes = None


def _delete_table(store: FakeKeyStore) -> None:
    store.fail(StorageError(StorageErrorCode.NO_TABLE, "HTTP 404, TableNotFound"))


def _break_changes(store: FakeKeyStore) -> None:
    store.look_error = MalformedRowError("Epoch of the change row is missing")


@pytest.mark.parametrize("fault", [FakeKeyStore.fail, _delete_changes, _delete_table, _break_changes])
async def test_known_key_stays_good_and_no_other_is_unknown(
    store: FakeKeyStore, fault: Callable[[FakeKeyStore], None]
) -> None:
    keys = store.keys()
    entry = await keys.find(digest_of("key"), NETWORK)
    assert await find(keys, "none") == "UnknownKeyError"
    fault(store)
    await look(keys, store)
    assert [await find(keys, key) for key in ("key", "none", "new")] == ["contoso", UNAVAILABLE, UNAVAILABLE]
    store.now += STALE - INTERVAL - 0.1
    assert await find(keys, "key") == "contoso"
    assert entry.is_valid()
    store.now += 0.1
    assert not entry.is_valid()
    assert await find(keys, "key") == UNAVAILABLE


async def test_known_keys_may_be_good_for_no_time_at_all(store: FakeKeyStore) -> None:
    keys = store.keys(StoreTiming(INTERVAL, 0, TIMEOUT))
    entry = await keys.find(digest_of("key"), NETWORK)
    store.fail()
    await look(keys, store)
    assert not entry.is_valid()
    assert await find(keys, "key") == UNAVAILABLE


async def test_key_that_was_named_is_not_used_until_it_is_read(store: FakeKeyStore) -> None:
    keys = store.keys()
    await find(keys, "key")
    store.write("key", revoked=Ticks(0))
    store.announce("key")
    await look(keys, store)
    store.fail()
    assert await find(keys, "key") == UNAVAILABLE
    await look(keys, store)
    assert await find(keys, "key") == UNAVAILABLE
    store.fail(None)
    await look(keys, store)
    assert await find(keys, "key") == "RevokedKeyError"


@pytest.mark.parametrize("why", ["old", "marked with all others"])
async def test_key_that_was_not_named_is_used_although_it_cannot_be_read_again(store: FakeKeyStore, why: str) -> None:
    keys = store.keys()
    entry = await keys.find(digest_of("key"), NETWORK)
    if why == "old":
        store.now += MAX_AGE
    else:
        store.changes = ChangeLog("second", 0)
    await look(keys, store)
    store.fail()
    assert not entry.is_valid()
    assert await keys.find(digest_of("key"), NETWORK) is entry
    assert entry.is_valid()
    assert store.reads_of("key") == 2  # one of them failed
    store.write("key", role="query")
    store.fail(None)
    store.now += RETRY_SECONDS
    assert await keys.find(digest_of("key"), NETWORK) is not entry


async def test_no_key_is_read_between_a_failed_look_and_a_good_one(store: FakeKeyStore) -> None:
    keys = store.keys()
    await find(keys, "key")
    store.fail()
    store.now += MAX_AGE
    await look(keys, store)
    for _ in range(10):
        assert await find(keys, "key") == "contoso"
        assert await find(keys, "new") == UNAVAILABLE
        store.now += RETRY_SECONDS
    assert (store.reads_of("key"), store.reads_of("new")) == (1, 0)


async def test_failed_read_makes_the_process_look_at_once(store: FakeKeyStore) -> None:
    keys = store.keys()
    await look(keys, store)
    store.fail()
    store.now += 1
    assert [await find(keys, f"new{number}") for number in range(20)] == [UNAVAILABLE] * 20
    await asyncio.sleep(0)
    assert store.looks == 2
    assert sum(store.reads.values()) <= 2


async def test_caller_does_not_wait_long_for_a_read_that_it_does_not_need(store: FakeKeyStore) -> None:
    keys = store.keys()
    await find(keys, "key")
    store.now += MAX_AGE
    await look(keys, store)
    store.during_read = asyncio.Event().wait
    started = asyncio.get_running_loop().time()
    assert await find(keys, "key") == "contoso"
    assert asyncio.get_running_loop().time() - started == TIMEOUT * STALE_WAIT_FRACTION
    await keys.close()


@pytest.mark.parametrize("fault", [None, StorageError(StorageErrorCode.TIMEOUT)])
async def test_key_of_a_restored_table_waits_for_a_slow_read_but_not_for_a_store_that_fails(
    store: FakeKeyStore, fault: Exception | None
) -> None:
    keys = store.keys()
    await find(keys, "key")
    store.write("key", revoked=Ticks(0))
    store.changes = ChangeLog("second", 0)
    await look(keys, store)
    store.during_read = lambda: asyncio.sleep(2)
    store.look_error = fault
    started = asyncio.get_running_loop().time()
    assert await find(keys, "key") == ("RevokedKeyError" if fault is None else "contoso")
    assert asyncio.get_running_loop().time() - started == (2 if fault is None else TIMEOUT * STALE_WAIT_FRACTION)
    await keys.close()


async def test_read_ends_at_its_deadline(store: FakeKeyStore) -> None:
    keys = store.keys()
    store.during_read = asyncio.Event().wait
    assert await find(keys, "key") == UNAVAILABLE
    assert store.results["failed"] == 1
    assert asyncio.get_running_loop().time() == TIMEOUT


async def test_row_that_vanishes_is_believed_only_after_a_good_look(store: FakeKeyStore) -> None:
    keys = store.keys()
    await find(keys, "key")
    store.now += MAX_AGE
    await look(keys, store)
    row = store.rows.pop(digest_of("key").hex())
    store.changes = None  # the whole table is empty
    assert await find(keys, "key") == "contoso"
    assert keys.is_key("key")
    store.rows[row.digest] = row  # type: ignore[union-attr]  # `write` has made a record
    store.changes = ChangeLog("second", 0)
    await look(keys, store)
    assert await find(keys, "key") == "contoso"


async def test_log_says_once_a_minute_that_the_store_cannot_be_read_and_once_that_it_can(
    store: FakeKeyStore, caplog: pytest.LogCaptureFixture
) -> None:
    keys = store.keys()
    with caplog.at_level(logging.INFO):
        await look(keys, store)
        store.fail()
        for _ in range(24):  # two minutes
            await look(keys, store)
        store.fail(None)
        for _ in range(3):
            await look(keys, store)
    texts = texts_of(caplog, change_watch.__name__)
    assert len(texts) == 3
    assert "unreachable: ClientConnectorError; check the endpoint" in texts[0]
    assert texts[1] == texts[0]
    assert "can be read again" in texts[2]


async def test_store_that_comes_and_goes_fills_no_log(store: FakeKeyStore, caplog: pytest.LogCaptureFixture) -> None:
    keys = store.keys()
    with caplog.at_level(logging.INFO):
        for _ in range(11):  # a minute
            store.fail()
            await look(keys, store)
            store.fail(None)
            await look(keys, store)
    assert len(texts_of(caplog, change_watch.__name__)) == 4


async def test_counts_and_age_are_there_for_metrics(store: FakeKeyStore) -> None:
    keys = store.keys()
    assert keys.age_seconds == float("inf")
    await look(keys, store)
    for key in ("key", "none"):
        await find(keys, key)
    store.fail()
    await look(keys, store)
    assert keys.age_seconds == INTERVAL
    assert (keys.known, keys.unknown) == (1, 1)
    assert store.results == {"looked": 1, "found": 1, "missing": 1, "failed": 1}


@pytest.mark.parametrize("fault", [None, StorageError(StorageErrorCode.TIMEOUT)])
async def test_process_goes_on_looking(store: FakeKeyStore, fault: Exception | None) -> None:
    store.fail(fault)
    enough = asyncio.Event()

    async def count() -> None:
        store.during_look = count
        if store.looks == 5:
            enough.set()

    store.during_look = count
    keys = store.keys(StoreTiming(0.1, STALE, TIMEOUT))
    started = asyncio.get_running_loop().time()
    task = asyncio.create_task(keys.run())
    await enough.wait()
    assert asyncio.get_running_loop().time() - started > (0.35 if fault is None else 0.15)
    task.cancel()


async def test_close_ends_what_is_in_flight(store: FakeKeyStore) -> None:
    keys = store.keys()
    await look(keys, store)
    store.during_read = asyncio.Event().wait
    waiting = asyncio.create_task(find(keys, "key"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await keys.close()
    assert await waiting == UNAVAILABLE


async def test_close_ends_a_look_in_flight(store: FakeKeyStore) -> None:
    keys = store.keys()
    store.during_look = asyncio.Event().wait
    waiting = asyncio.create_task(find(keys, "key"))
    await asyncio.sleep(0.01)
    await keys.close()
    assert await waiting == UNAVAILABLE
