"""The stores of the write side open at their first use and close with the account."""

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.account import AccountStorage, StorageOptions
from adapters.blobs.store import EXPORTS, UPLOADS, VERSIONS
from adapters.credentials.config import AccountKeyConfig, ConnectionStringConfig, Endpoints
from adapters.credentials.connection_string import EMULATOR_ACCOUNT
from adapters.credentials.factory import open_credential
from adapters.errors import StorageError, StorageErrorCode
from tests.support.opened_account import run_refused
from tests.support.storage import Storage

pytestmark = pytest.mark.anyio

OPTIONS = StorageOptions("jobs", timedelta(hours=1), 5)


def opened(entry: ConnectionStringConfig | AccountKeyConfig) -> AccountStorage:
    return AccountStorage("contoso", open_credential(entry), OPTIONS)


async def test_stores_open_once_at_first_use(storage: Storage) -> None:
    account = opened(ConnectionStringConfig(storage.connection_string))
    assert not {"data_sources", "queue", "blobs"} & set(vars(account))
    for name in ("data_sources", "queue", "blobs"):
        assert getattr(account, name) is getattr(account, name)
    await account.close()


async def test_close_leaves_no_connection_open(account: AccountStorage) -> None:
    await account.blobs.list_blobs("nothing", "")  # a session left open would warn, and warnings are errors


async def test_close_continues_after_a_failure(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []

    async def fails() -> None:
        closed.append("queue")
        raise OSError

    async def closes() -> None:
        closed.append("files")

    account = opened(ConnectionStringConfig(storage.connection_string))
    monkeypatch.setattr(account.queue, "close", fails)
    monkeypatch.setattr(account.blobs, "close", closes)
    with pytest.raises(OSError):  # noqa: PT011 - any will do
        await account.close()
    assert sorted(closed) == ["files", "queue"]


async def test_create_missing_creates_and_keeps(storage: Storage) -> None:
    account = opened(ConnectionStringConfig(storage.connection_string))
    for _ in range(2):
        await account.create_missing()
    assert await account.data_sources.list_all() == []
    assert await account.queue.approximate_length() == 0
    await account.close()
    assert {UPLOADS, VERSIONS, EXPORTS} <= {found.name for found in storage.blobs.list_containers()}


@pytest.mark.parametrize("allowed", [True, False])
async def test_cors_rule_of_an_emulator_follows_the_option(*, allowed: bool, storage: Storage) -> None:
    entry = ConnectionStringConfig(storage.connection_string)
    account = AccountStorage("contoso", open_credential(entry), replace(OPTIONS, allow_cors=allowed))
    await account.create_missing()
    await account.close()
    rules = storage.blobs.get_service_properties()["cors"]
    members = ("allowed_origins", "allowed_methods", "allowed_headers", "exposed_headers", "max_age_in_seconds")
    expected = [("*", "GET,HEAD", "*", "*", 3600)] if allowed else []
    assert [tuple(getattr(rule, name) for name in members) for rule in rules] == expected


def test_create_missing_without_rights_raises(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        with pytest.raises(StorageError) as caught:
            await account.create_missing()
        assert caught.value.code is StorageErrorCode.ACCESS_DENIED

    run_refused(storage, work)


def test_blob_url_is_the_configured_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_SIDE_KEY", "c2VjcmV0")
    emulator = opened(ConnectionStringConfig("UseDevelopmentStorage=true"))
    assert emulator.blob_url == f"http://127.0.0.1:10000/{EMULATOR_ACCOUNT}"
    named = opened(
        AccountKeyConfig(Endpoints("contoso", blob_url="https://Contoso.Example.NET:8443/b"), "STORAGE_SIDE_KEY")
    )
    assert named.blob_url == "https://Contoso.Example.NET:8443/b"
