"""The test's account, opened as the server and the worker open it."""

from collections.abc import AsyncIterator

import pytest

from adapters.account import AccountStorage
from tests.support.opened_account import open_account
from tests.support.storage import Storage


@pytest.fixture
async def account(storage: Storage) -> AsyncIterator[AccountStorage]:
    """The account of `storage`, with its data source table and its queue."""
    async with open_account(storage) as opened:
        yield opened
