"""The command `check`: whether each account's storage has all that reading jobs and doing them needs."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from adapters.account import AccountStorage
from adapters.accounts import AccountRegistry
from adapters.errors import StorageError, StorageErrorCode
from proxy.observability.load_needs import LOAD_NEEDS, Look, Remark


async def check(accounts: AccountRegistry, seconds: float) -> int:
    """Reaches all that each account needs within the deadline, prints a line for each account; gives the exit status.

    What does not answer or refuses us is broken, and the status is 1. What is not there yet, and that no worker lives,
    is said and leaves the status 0: so it is before the first start, and a server that only reads needs no worker.
    """
    results = await asyncio.gather(*(_check_account(accounts, name, seconds) for name in accounts.names))
    for name, (sound, text) in zip(accounts.names, results, strict=True):
        print(f"{'ok' if sound else 'broken':6} {name}: {text}")
    return 0 if all(sound for sound, _ in results) else 1


async def _check_account(accounts: AccountRegistry, name: str, seconds: float) -> tuple[bool, str]:
    try:
        account = accounts[name]
    except StorageError as fault:
        return False, _told(fault)
    parts: dict[str, Look] = {"tables": _look_at_tables, **LOAD_NEEDS}
    results = await asyncio.gather(*(_time(part, look, account, seconds) for part, look in parts.items()))
    return all(sound for sound, _ in results), ", ".join(text for _, text in results)


async def _time(part: str, look: Look, account: AccountStorage, seconds: float) -> tuple[bool, str]:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(seconds):
            remarks = await look(account)
    except StorageError as fault:
        return False, f"{part} {_told(fault)}"
    except TimeoutError:
        return False, f"{part} timeout: nothing within {seconds:g} s"
    took = f"{(time.perf_counter() - started) * 1000:.0f} ms"
    return True, f"{part} {'; '.join(remark.text for remark in remarks) or took}"


async def _look_at_tables(account: AccountStorage) -> list[Remark]:
    async def look(table: str, reach: Callable[[], Awaitable[None]]) -> list[Remark]:
        try:
            await reach()
        except StorageError as fault:
            if fault.fault is not StorageErrorCode.NO_TABLE:
                raise
            return [Remark(f"without the {table} table, which serve creates if it may")]
        return []

    looks = look("jobs", account.jobs.ping), look("datasources", account.data_sources.reach)
    return [remark for remarks in await asyncio.gather(*looks) for remark in remarks]


def _told(fault: StorageError) -> str:
    return f"{fault} ({fault.fault.value.advice})"
