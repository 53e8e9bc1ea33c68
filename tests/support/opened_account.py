"""An account opened as the proxy and the worker open it."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from adapters.account import AccountStorage, StorageOptions
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig
from adapters.credentials.connection_string import EMULATOR_KEY
from tests.support.storage import Storage

Work = Callable[[AccountStorage], Coroutine[Any, Any, None]]

OTHER_KEY = "c2VjcmV0"


def run(storage: Storage, work: Work, *, text: str | None = None, seconds: float = 5, lease: float = 30) -> None:
    """Opens the account, with the table of data sources and the queue made, does the work and closes the account."""

    async def test() -> None:
        options = StorageOptions(storage.table_name, timedelta(hours=1), seconds, lease_seconds=lease)
        async with AccountRegistry(
            {storage.account: ConnectionStringConfig(text or storage.connection_string)}, options
        ) as opened:
            account = opened[storage.account]
            if text is None:
                await account.data_sources.create_table()
                await account.queue.create()
            await work(account)

    asyncio.run(test())


def run_refused(storage: Storage, work: Work) -> None:
    """The same with a key that storage does not take."""
    run(storage, work, text=storage.connection_string.replace(EMULATOR_KEY, OTHER_KEY))
