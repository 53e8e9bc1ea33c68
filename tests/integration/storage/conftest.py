"""The test's account, opened as the server and the worker open it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from adapters.account import AccountStorage
from proxy.demo.azurite import Emulator
from tests.support.key_table_rows import KeyTableRows
from tests.support.opened_account import open_account
from tests.support.storage import Storage


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
