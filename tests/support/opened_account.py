"""An account opened as the server and the worker open it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from adapters.account import AccountStorage, StorageOptions
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig
from adapters.credentials.connection_string import EMULATOR_KEY
from tests.support.storage import BUSY_SECONDS, Storage

Work = Callable[[AccountStorage], Coroutine[Any, Any, None]]

OTHER_KEY = "c2VjcmV0"


@asynccontextmanager
async def open_account(
    storage: Storage, *, text: str | None = None, seconds: float = BUSY_SECONDS, lease: float = 30
) -> AsyncIterator[AccountStorage]:
    """Opens the account; creates the table of data sources and the queue, unless `text` names another account."""
    options = StorageOptions(storage.table_name, timedelta(hours=1), seconds, lease_seconds=lease)
    entry = ConnectionStringConfig(text or storage.connection_string)
    async with AccountRegistry({storage.account: entry}, options) as opened:
        account = opened[storage.account]
        if text is None:
            await account.data_sources.create_table()
            await account.queue.create()
        yield account


def run(
    storage: Storage, work: Work, *, text: str | None = None, seconds: float = BUSY_SECONDS, lease: float = 30
) -> None:
    """Runs `work` with the opened account."""

    async def test() -> None:
        async with open_account(storage, text=text, seconds=seconds, lease=lease) as account:
            await work(account)

    asyncio.run(test())


def run_refused(storage: Storage, work: Work) -> None:
    """The same with a key that storage refuses."""
    run(storage, work, text=storage.connection_string.replace(EMULATOR_KEY, OTHER_KEY))
