"""The line of `check` about the key store."""

import asyncio
import time

from adapters.credentials.config import StorageEntry
from adapters.errors import StorageError
from adapters.tables.key_rows import CHANGES_PARTITION, CHANGES_ROW, read_changes
from adapters.tables.key_table import KeyTable
from adapters.tables.properties import MalformedRowError
from proxy.operations.keys.store_errors import READER, describe_error


async def check_key_store(entry: StorageEntry, table_name: str, seconds: float) -> tuple[bool, str]:
    """Reads the change row of the key store.

    Args:
        entry: the `key_store` of the key ring.
        table_name: the name of its table.
        seconds: the deadline.

    Returns:
        Whether servers can read keys, and a text that says what is wrong or how long the read took.
    """
    try:
        table = KeyTable(entry, table_name, seconds)
    except StorageError as error:
        return False, f"{error} (correct the key ring's key_store)"
    try:
        async with asyncio.timeout(seconds):
            return await _read(table)
    except TimeoutError:
        return False, f"timeout: nothing within {seconds:g} s"
    finally:
        await table.close()


async def _read(table: KeyTable) -> tuple[bool, str]:
    started = time.perf_counter()
    try:
        row = await table.reads.row(CHANGES_PARTITION, CHANGES_ROW)
        if row is not None:
            read_changes(row)
    except StorageError as error:
        return False, await describe_error(table, error, READER)
    except MalformedRowError as error:
        return False, f"{error}; delete the row, and the next change of a key makes a new one"
    took = f"{(time.perf_counter() - started) * 1000:.0f} ms"
    empty = "; no key was ever added" if row is None else ""
    return True, f"table {table.name} of the storage account {table.account_name} {took}{empty}"
