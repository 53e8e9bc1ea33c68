"""Two operators on one key store, and moments between their writes."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from adapters.credentials.config import ConnectionStringConfig
from adapters.tables.key_table import KeyTable
from tests.support.key_table_rows import KeyTableRows
from tests.support.opened_account import SECONDS


def run(rows: KeyTableRows, work: Callable[[KeyTable, KeyTable], Coroutine[Any, Any, None]]) -> None:
    """Runs work with the tables of two operators."""

    async def test() -> None:
        tables = [KeyTable(ConnectionStringConfig(rows.connection_string), rows.name, SECONDS) for _ in range(2)]
        try:
            await work(*tables)
        finally:
            for table in tables:
                await table.close()

    asyncio.run(test())


def before_write(table: KeyTable, method: str, partition: str, work: Callable[[], Awaitable[object]]) -> None:
    """Does work before the next write of a row in this partition."""
    write = getattr(table.writes, method)
    pending = [work]

    async def write_later(entity: Any, *arguments: Any, **options: Any) -> object:
        row = entity[0][1] if method == "submit_transaction" else entity
        if pending and partition == (row if isinstance(row, str) else row["PartitionKey"]):
            await pending.pop()()
        return await write(entity, *arguments, **options)

    setattr(table.writes, method, write_later)


def after_write(table: KeyTable, method: str, work: Callable[[], Awaitable[object]]) -> None:
    """Does work after the next write."""
    write = getattr(table.writes, method)
    pending = [work]

    async def write_first(*arguments: Any, **options: Any) -> object:
        written = await write(*arguments, **options)
        if pending:
            await pending.pop()()
        return written

    setattr(table.writes, method, write_first)
