"""A data source changes in one step, also with concurrent writers."""

import asyncio
import logging
from dataclasses import replace

import pytest
from azure.data.tables.aio import TableClient

import adapters.sdk_calls
import adapters.tables.data_source_store
from adapters.account import AccountStorage
from adapters.credentials.connection_string import EMULATOR_KEY, parse_connection_string
from adapters.credentials.table_auth import TableAuth
from adapters.errors import ConflictError, StorageError, StorageErrorCode
from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.tables.data_source_store import TABLE, DataSourceStore
from adapters.tables.properties import MalformedRowError
from adapters.tables.reader import TableReader
from tests.support.opened_account import OTHER_KEY, SECONDS, run, run_refused
from tests.support.storage import Storage
from tests.unit.adapters.test_data_source_rows import BARE, FULL, version

pytestmark = pytest.mark.anyio


async def test_change_creates_changes_and_deletes_in_any_letter_case(account: AccountStorage) -> None:
    store = account.data_sources
    assert await store.get("Shops") is None
    assert await store.change("Shops", lambda before: before) is None
    assert await store.change("SHOPS", lambda before: FULL if before is None else None) == FULL
    assert await store.get("shOps") == FULL
    changed = replace(FULL, published=version(5), staged=None, staged_until=None, query_key=None)
    assert await store.change("shops", lambda before: changed if before == FULL else None) == changed
    assert await store.get("Shops") == changed
    assert await store.list_all() == [changed]
    assert await store.change("shops", lambda _: None) is None
    assert await store.get("Shops") is None
    assert await store.list_all() == []


async def test_row_holds_four_schemas_of_full_length(account: AccountStorage) -> None:
    def long(entities: int) -> DataSourceVersion:
        return replace(version(entities), schema='{"a":"' + "x" * 31_992 + '"}')

    large = replace(FULL, published=long(1), earlier=(long(2), long(3)), staged=long(4))
    await account.data_sources.change("Shops", lambda _: large)
    assert await account.data_sources.get("shops") == large


async def test_change_without_effect_writes_nothing(account: AccountStorage, storage: Storage) -> None:
    await account.data_sources.change("Shops", lambda _: BARE)
    before = storage.data_source("shops")
    assert await account.data_sources.change("Shops", lambda found: found) == BARE
    assert storage.data_source("shops").metadata == before.metadata


async def test_concurrent_changes_all_take_effect(account: AccountStorage) -> None:
    async def add(number: int) -> None:
        await account.data_sources.change(
            "Shops", lambda before: replace(before or BARE, applied=(*(before or BARE).applied, f"{number:02}"))
        )

    await asyncio.gather(*(add(number) for number in range(8)))
    found = await account.data_sources.get("Shops")
    assert found is not None
    assert sorted(found.applied) == [f"{number:02}" for number in range(8)]


@pytest.mark.parametrize("stored", [None, BARE])
async def test_change_after_a_conflict_sees_the_other_change(
    account: AccountStorage, storage: Storage, stored: DataSource | None
) -> None:
    seen: list[DataSource | None] = []
    await account.data_sources.change("Shops", lambda _: stored)

    def change(before: DataSource | None) -> DataSource | None:
        seen.append(before)
        if len(seen) == 1:
            storage.data_source_row("shops", **storage.OF_A_DATA_SOURCE, Deleting="other")
        return replace(before or BARE, is_public=True)

    assert await account.data_sources.change("Shops", change) == replace(BARE, is_public=True, deleting="other")
    assert [before and before.deleting for before in seen] == [None, "other"]


async def test_delete_after_a_conflict_keeps_a_newer_row(account: AccountStorage, storage: Storage) -> None:
    seen: list[DataSource | None] = []
    await account.data_sources.change("Shops", lambda _: BARE)

    def delete(before: DataSource | None) -> DataSource | None:
        seen.append(before)
        if len(seen) == 1:
            storage.data_source_row("shops", **storage.OF_A_DATA_SOURCE, Deleting="other")
            return None
        return before

    kept = await account.data_sources.change("Shops", delete)
    assert kept == replace(BARE, deleting="other")


async def test_change_that_conflicts_each_time_raises(
    account: AccountStorage, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters.tables.data_source_store, "CHANGE_ATTEMPTS", 3)
    monkeypatch.setattr(adapters.sdk_calls, "LONGEST_WAIT", 0.01)
    seen: list[DataSource | None] = []

    def change(before: DataSource | None) -> DataSource:
        seen.append(before)
        storage.data_source_row("shops", **storage.OF_A_DATA_SOURCE, Deleting=str(len(seen)))
        return replace(BARE, is_public=True)

    with pytest.raises(ConflictError):
        await account.data_sources.change("Shops", change)
    assert len(seen) == 3


def test_malformed_row_hides_no_other_and_is_logged_by_keys(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    async def work(account: AccountStorage) -> None:
        storage.data_source_row("broken", Name="Secret name")
        await account.data_sources.change("Shops", lambda _: BARE)
        assert await account.data_sources.list_all() == [BARE]
        for _ in range(2):
            with pytest.raises(MalformedRowError, match="row broken can't be used"):
                await account.data_sources.get("Broken")
        with pytest.raises(MalformedRowError):
            await account.data_sources.change("Broken", lambda _: None)

    with caplog.at_level(logging.WARNING, "adapters.tables.row_warnings"):
        run(storage, work)
    (record,) = caplog.records
    assert (record.__dict__["partition_key"], record.__dict__["row_key"]) == (storage.account, "broken")
    assert "Secret" not in caplog.text


@pytest.mark.parametrize("name", ["a/b", "x" * 513, "a#b"])
async def test_invalid_row_key_is_not_found(account: AccountStorage, name: str) -> None:
    assert await account.data_sources.get(name) is None


async def test_accounts_in_one_table_see_their_own_rows(account: AccountStorage, storage: Storage) -> None:
    storage.data_source_row("shops", account="another", **storage.OF_A_DATA_SOURCE)
    assert await account.data_sources.list_all() == []
    await account.data_sources.change("ÜBER", lambda _: replace(BARE, name="ÜBER"))
    assert [found.name for found in await account.data_sources.list_all()] == ["ÜBER"]


def test_refused_credential_raises_access_denied(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        store = account.data_sources
        for call in (store.create_table(), store.get("Shops"), store.list_all(), store.change("Shops", lambda _: BARE)):
            with pytest.raises(StorageError) as caught:
                await call
            assert caught.value.code is StorageErrorCode.ACCESS_DENIED

    run_refused(storage, work)


def test_read_only_credential_raises_without_a_retry(storage: Storage) -> None:
    credential = parse_connection_string(storage.connection_string)
    refused = storage.connection_string.replace(EMULATOR_KEY, OTHER_KEY)
    seen: list[DataSource | None] = []

    async def work(_: AccountStorage) -> None:
        reads = TableReader(credential.table_url, TABLE, TableAuth(credential, TABLE), SECONDS)
        store = DataSourceStore(storage.account, reads, TableClient.from_connection_string(refused, TABLE), SECONDS)

        def change(before: DataSource | None) -> DataSource:
            seen.append(before)
            return BARE

        with pytest.raises(StorageError) as caught:
            await store.change("Shops", change)
        assert caught.value.code is StorageErrorCode.ACCESS_DENIED
        assert seen == [None]
        await store.close()

    run(storage, work)


PUBLIC = replace(BARE, is_public=not BARE.is_public)


async def test_change_that_is_not_confirmed_is_not_made(account: AccountStorage) -> None:
    async def refuse() -> None:
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        await account.data_sources.change("Shops", lambda _: BARE, refuse)
    assert await account.data_sources.get("Shops") is None
    assert await account.data_sources.list_all() == []
    stored = await account.data_sources.change("Shops", lambda _: BARE)
    with pytest.raises(ValueError, match="no more"):
        await account.data_sources.change("Shops", lambda _: PUBLIC, refuse)
    assert await account.data_sources.get("Shops") == stored


async def test_confirm_runs_between_read_and_write(
    account: AccountStorage,
) -> None:
    store, seen = account.data_sources, list[DataSource | None]()
    await store.change("Shops", lambda _: BARE)

    async def meddle() -> None:
        if len(seen) == 1:
            await store.change("Shops", lambda _: PUBLIC)

    def change(before: DataSource | None) -> DataSource | None:
        seen.append(before)
        return before and replace(before, query_key="sha256:aa")

    await store.change("Shops", change, meddle)
    assert seen == [BARE, PUBLIC]
    assert await store.get("Shops") == replace(PUBLIC, query_key="sha256:aa")


@pytest.mark.parametrize("there", [True, False])
async def test_bump_etag_makes_earlier_reads_conflict(account: AccountStorage, *, there: bool) -> None:
    store, calls = account.data_sources, 0
    if there:
        await store.change("Shops", lambda _: BARE)

    def change(_: DataSource | None) -> DataSource:
        nonlocal calls
        calls += 1
        return PUBLIC

    async def bump() -> None:
        if calls < 3:
            await store.bump_etag("SHOPS")

    assert await store.change("Shops", change, bump) == PUBLIC
    assert calls == 3
    await store.bump_etag("None")
    await store.bump_etag("a/b")
    assert await store.get("None") is None
