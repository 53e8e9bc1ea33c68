"""The Azure Maps of an account: opened at its first use, and anew when its entry in the key ring changes."""

import asyncio
from datetime import timedelta

import pytest

from adapters.account import AccountStorage, StorageOptions
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig, MapsEntry
from adapters.maps.errors import MapsError, MapsFailure
from adapters.maps.options import MapsOptions

EMULATOR = ConnectionStringConfig("UseDevelopmentStorage=true")
ENTRIES = {"contoso": EMULATOR, "fabrikam": EMULATOR}
VARIABLE = "MAPS_TEST_KEY"


def registry(**maps: MapsEntry) -> AccountRegistry:
    options = StorageOptions("jobs", timedelta(hours=1), 5, maps=MapsOptions(10))
    return AccountRegistry(ENTRIES, options, maps=maps)


def test_an_account_without_maps_says_so() -> None:
    async def work() -> None:
        async with registry() as accounts:
            assert not accounts["contoso"].has_maps
            with pytest.raises(MapsError, match="has no maps entry in the key ring") as caught:
                _ = accounts["contoso"].maps
            assert caught.value.failure is MapsFailure.CREDENTIAL

    asyncio.run(work())


def test_a_client_is_opened_once_and_closed_with_its_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "a-key")

    async def work() -> None:
        async with registry(contoso=MapsEntry(VARIABLE)) as accounts:
            account = accounts["contoso"]
            assert account.maps is account.maps
            await account.maps.check_access()

    asyncio.run(work())


def test_a_key_that_is_not_there_yet_is_read_at_the_next_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    async def work() -> None:
        async with registry(contoso=MapsEntry(VARIABLE)) as accounts:
            with pytest.raises(MapsError, match=f"the environment variable {VARIABLE} is not set"):
                _ = accounts["contoso"].maps
            monkeypatch.setenv(VARIABLE, "a-key")
            await accounts["contoso"].maps.check_access()

    asyncio.run(work())


def test_a_changed_entry_opens_its_account_anew_and_no_other() -> None:
    async def work() -> list[AccountStorage]:
        first = registry(contoso=MapsEntry(VARIABLE), fabrikam=MapsEntry(VARIABLE))
        same = first.with_entries(ENTRIES, {"contoso": MapsEntry(VARIABLE), "fabrikam": MapsEntry(VARIABLE)})
        assert first.removed_since(same) == []
        after = same.with_entries(ENTRIES, {"contoso": MapsEntry("ANOTHER"), "fabrikam": MapsEntry(VARIABLE)})
        removed = same.removed_since(after)
        assert removed == [first["contoso"]]
        assert after["fabrikam"] is first["fabrikam"]
        for account in removed:
            await account.close()
        await after.close()
        return removed

    assert asyncio.run(work())
