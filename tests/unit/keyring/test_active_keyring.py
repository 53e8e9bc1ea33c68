"""What follows the keys in force, also where a look fails in a way that nobody foresaw."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry
from proxy.keyring import reload
from proxy.keyring.file import parse_keyring
from proxy.keyring.keyring import KeyGrant
from proxy.keyring.lookup import RingEntry, RingKeys
from proxy.keyring.reload import ActiveKeyRing
from proxy.settings import SettingsError

STORAGE = {"connection_string": "UseDevelopmentStorage=true"}
OPTIONS = StorageOptions("jobs", timedelta(hours=1), 5)


def ring(store: str | None, *accounts: str) -> Any:
    members = {"accounts": {name: {"storage": STORAGE} for name in accounts or ("contoso",)}}
    holder = {"keys": {}} if store is None else {"key_store": {"account_name": store, "credential": "default"}}
    return parse_keyring(json.dumps(members | holder))


class Store:
    """A key store that notes what is done with it."""

    is_ready = True

    def __init__(self, entry: Any, has_account: Any) -> None:
        self.entry = entry
        self.has_account = has_account
        self.runs = 0
        self.is_running = False
        self.is_closed = False
        self.fails = 0

    async def find(self, _digest: bytes, _network: str) -> RingEntry:
        return RingEntry(KeyGrant("contoso"))

    def is_key(self, _text: str) -> bool:
        return False

    async def run(self) -> None:
        self.runs += 1
        if self.runs <= self.fails:
            raise RuntimeError("nobody foresaw this")
        self.is_running = True
        try:
            await asyncio.Event().wait()
        finally:
            self.is_running = False

    async def close(self) -> None:
        self.is_closed = True


class Stores:
    """Opens key stores, and keeps them."""

    def __init__(self) -> None:
        self.opened: list[Store] = []

    def __call__(self, entry: Any, has_account: Any) -> Store:
        if entry.endpoints.account_name == "broken":
            raise SettingsError("key ring: key_store: no")
        self.opened.append(Store(entry, has_account))
        return self.opened[-1]


def active(keyring: Any, stores: Stores | None = None) -> ActiveKeyRing:
    return ActiveKeyRing(keyring, AccountRegistry(keyring.accounts, OPTIONS), stores)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_the_store_in_force_is_followed_and_no_other() -> None:
    stores = Stores()
    keys = active(ring("one"), stores)
    following = asyncio.create_task(keys.run())
    await settle()
    removed = keys.replace(ring("two"))
    await settle()
    one, two = stores.opened
    assert (one.is_running, two.is_running) == (False, True)
    assert removed == [one]
    assert not one.is_closed  # requests may still use it
    assert keys.keys is two
    following.cancel()
    await asyncio.wait([following])
    await settle()
    assert not two.is_running
    await keys.close()
    assert two.is_closed


@pytest.mark.anyio
async def test_the_same_store_stays_and_knows_the_accounts_of_the_new_ring() -> None:
    stores = Stores()
    keys = active(ring("one"), stores)
    (store,) = stores.opened
    assert not store.has_account("fabrikam")
    assert keys.replace(ring("one", "contoso", "fabrikam")) == []
    assert stores.opened == [store]
    assert store.has_account("fabrikam")
    await keys.close()


@pytest.mark.anyio
async def test_a_store_that_cannot_be_opened_leaves_the_ring_as_it_was() -> None:
    keyring = ring("one")
    keys = active(keyring, Stores())
    before = keys.keys
    with pytest.raises(SettingsError):
        keys.replace(ring("broken", "fabrikam"))
    assert (keys.keyring, keys.keys, keys.accounts.names) == (keyring, before, ["contoso"])
    await keys.close()


@pytest.mark.anyio
async def test_without_an_opener_no_store_is_opened() -> None:
    keys = active(ring("one"))
    assert isinstance(keys.keys, RingKeys)
    keys.replace(ring("broken"))
    assert isinstance(keys.keys, RingKeys)
    await keys.close()


@pytest.mark.anyio
async def test_an_unforeseen_error_does_not_end_the_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "POLL_SECONDS", 0.0)
    stores = Stores()
    keys = active(ring("one"), stores)
    (store,) = stores.opened
    store.fails = 2
    following = asyncio.create_task(keys.run())
    for _ in range(50):
        await asyncio.sleep(0)
    assert (store.runs, store.is_running) == (3, True)
    following.cancel()
    await asyncio.wait([following])
    await keys.close()
