"""What the write side needs of an account opens when it is asked for, and closes with it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.account import AccountStorage, StorageOptions
from adapters.blobs.store import EXPORTS, UPLOADS, VERSIONS
from adapters.credentials.config import AccountKeyConfig, ConnectionStringConfig, Endpoints
from adapters.credentials.connection_string import EMULATOR_ACCOUNT
from adapters.credentials.factory import open_credential
from adapters.errors import StorageError, StorageErrorCode
from tests.support.opened_account import run, run_refused
from tests.support.storage import Storage

OPTIONS = StorageOptions("jobs", timedelta(hours=1), 5)


def opened(entry: ConnectionStringConfig | AccountKeyConfig) -> AccountStorage:
    return AccountStorage("contoso", open_credential(entry), OPTIONS)


def test_each_part_is_opened_once_and_only_when_it_is_asked_for(storage: Storage) -> None:
    async def test() -> None:
        account = opened(ConnectionStringConfig(storage.connection_string))
        assert not {"data_sources", "queue", "blobs"} & set(vars(account))
        for name in ("data_sources", "queue", "blobs"):
            assert getattr(account, name) is getattr(account, name)
        await account.close()

    asyncio.run(test())


def test_closing_leaves_no_connection_open(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        await account.blobs.list("nothing", "")  # a session left open would warn, and warnings are errors

    run(storage, work)


def test_one_part_that_fails_to_close_keeps_no_other_open(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []

    async def fails() -> None:
        closed.append("queue")
        raise OSError

    async def closes() -> None:
        closed.append("files")

    async def test() -> None:
        account = opened(ConnectionStringConfig(storage.connection_string))
        monkeypatch.setattr(account.queue, "close", fails)
        monkeypatch.setattr(account.blobs, "close", closes)
        with pytest.raises(OSError):  # noqa: PT011 - any will do
            await account.close()

    asyncio.run(test())
    assert sorted(closed) == ["files", "queue"]


def test_what_is_missing_is_created_and_what_is_there_stays(storage: Storage) -> None:
    async def test() -> None:
        account = opened(ConnectionStringConfig(storage.connection_string))
        for _ in range(2):
            await account.create_missing()
        assert await account.data_sources.all() == []
        assert await account.queue.length() == 0
        await account.close()

    asyncio.run(test())
    assert {UPLOADS, VERSIONS, EXPORTS} <= {found.name for found in storage.blobs.list_containers()}


@pytest.mark.parametrize("allowed", [True, False])
def test_pages_may_read_an_emulators_blobs_where_they_may_read_answers(*, allowed: bool, storage: Storage) -> None:
    async def test() -> None:
        entry = ConnectionStringConfig(storage.connection_string)
        account = AccountStorage("contoso", open_credential(entry), replace(OPTIONS, pages_may_read=allowed))
        await account.create_missing()
        await account.close()

    asyncio.run(test())
    rules = storage.blobs.get_service_properties()["cors"]
    told = ("allowed_origins", "allowed_methods", "allowed_headers", "exposed_headers", "max_age_in_seconds")
    expected = [("*", "GET,HEAD", "*", "*", 3600)] if allowed else []
    assert [tuple(getattr(rule, name) for name in told) for rule in rules] == expected


def test_who_may_not_create_is_told(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        with pytest.raises(StorageError) as caught:
            await account.create_missing()
        assert caught.value.fault is StorageErrorCode.ACCESS_DENIED

    run_refused(storage, work)


def test_an_account_knows_its_own_blob_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_SIDE_KEY", "c2VjcmV0")
    emulator = opened(ConnectionStringConfig("UseDevelopmentStorage=true"))
    assert (emulator.blob_host, emulator.blob_url) == ("127.0.0.1", f"http://127.0.0.1:10000/{EMULATOR_ACCOUNT}")
    named = opened(
        AccountKeyConfig(Endpoints("contoso", blob_url="https://Contoso.Example.NET:8443/b"), "STORAGE_SIDE_KEY")
    )
    assert (named.blob_host, named.blob_url) == ("contoso.example.net", "https://Contoso.Example.NET:8443/b")
