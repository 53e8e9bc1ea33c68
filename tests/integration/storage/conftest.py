"""The test's account, opened as the server and the worker open it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.account import AccountStorage
from proxy.demo.azurite import Emulator
from tests.support.key_table_rows import KeyTableRows
from tests.support.opened_account import open_account
from tests.support.storage import Storage
from tests.support.version_caches import put


@pytest.fixture
async def account(storage: Storage) -> AsyncIterator[AccountStorage]:
    """The account of `storage`, with its data source table and its queue."""
    async with open_account(storage) as opened:
        yield opened


@pytest.fixture
def rows(emulator: Emulator) -> Iterator[KeyTableRows]:
    """A table without rows."""
    with KeyTableRows.unmade(emulator.connection_string) as opened:
        yield opened.make()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a cache of versions has its files."""
    return tmp_path / "cache"


@pytest.fixture
async def versions(account: AccountStorage, storage: Storage) -> list[str]:
    """Three versions of 3,000 bytes."""
    names = [f"{storage.account}/{number}.parquet" for number in range(3)]
    for name in names:
        await put(account, name, name.encode() * 100)
    return names
