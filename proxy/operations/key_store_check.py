"""Checks the key store."""

import asyncio
import time

from adapters.credentials.config import StorageEntry
from adapters.errors import StorageError
from adapters.tables.key_rows import CHANGES_PARTITION, CHANGES_ROW, read_changes
from adapters.tables.key_table import KeyTable
from adapters.tables.properties import MalformedRowError
from proxy.operations.checks import Check, PartCheck
from proxy.operations.keys.store_errors import READER, describe_error


async def check_key_store(entry: StorageEntry, table_name: str, seconds: float) -> Check:
    """Reads the change row of the key store.

    Args:
        entry: the `key_store` of the key ring.
        table_name: the name of its table.
        seconds: the deadline.

    Returns:
        Whether servers can read keys, and what is wrong; its one part is the table.
    """
    started = time.perf_counter()
    try:
        table = KeyTable(entry, table_name, seconds)
    except StorageError as error:
        return _check("", f"{error} (correct the key ring's key_store)")
    part = f"table {table.name} of the storage account {table.account_name}"
    try:
        async with asyncio.timeout(seconds):
            problem, is_empty = await _read(table)
    except TimeoutError:
        problem, is_empty = f"timeout: nothing within {seconds:g} s", False
    finally:
        await table.close()
    took = time.perf_counter() - started
    if problem:
        return _check("", problem, took)
    return _check(part, f"{took * 1000:.0f} ms; no key was ever added" if is_empty else "", took, is_sound=True)


def _check(part: str, remark: str, took: float | None = None, *, is_sound: bool = False) -> Check:
    return Check("key store", (PartCheck(part, is_sound, remark, took),))


async def _read(table: KeyTable) -> tuple[str, bool]:
    """What is wrong, and whether no key was ever added."""
    try:
        row = await table.reads.row(CHANGES_PARTITION, CHANGES_ROW)
        if row is not None:
            read_changes(row)
    except StorageError as error:
        return await describe_error(table, error, READER), False
    except MalformedRowError as error:
        return f"{error}; delete the row, and the next change of a key makes a new one", False
    return "", row is None
