"""The command `check`: whether each account's storage has all that reading jobs and doing them needs."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from adapters.account import Account
from adapters.accounts import Accounts
from adapters.errors import Fault, StorageFaultError
from adapters.files import EXPORTS, UPLOADS, VERSIONS
from adapters.worker_rows import GONE_SECONDS, live_workers

Look = Callable[[Account], Awaitable[list[str]]]
"""Looks at a part of an account; gives remarks, which are no faults, and raises what is one."""


async def check(accounts: Accounts, seconds: float) -> int:
    """Reaches all that each account needs within the deadline, prints a line for each account; gives the exit status.

    What does not answer or refuses us is broken, and the status is 1. What is not there yet, and that no worker lives,
    is said and leaves the status 0: so it is before the first start, and a server that only reads needs no worker.
    """
    results = await asyncio.gather(*(_check_account(accounts, name, seconds) for name in accounts.names))
    for name, (sound, text) in zip(accounts.names, results, strict=True):
        print(f"{'ok' if sound else 'broken':6} {name}: {text}")
    return 0 if all(sound for sound, _ in results) else 1


async def _check_account(accounts: Accounts, name: str, seconds: float) -> tuple[bool, str]:
    try:
        account = accounts[name]
    except StorageFaultError as fault:
        return False, _told(fault)
    parts: list[tuple[str, Look]] = [
        ("tables", _tables),
        ("blobs", _containers),
        ("queue", _queue),
        ("links", _links),
        ("workers", _workers),
    ]
    results = await asyncio.gather(*(_time(part, look, account, seconds) for part, look in parts))
    return all(sound for sound, _ in results), ", ".join(text for _, text in results)


async def _time(part: str, look: Look, account: Account, seconds: float) -> tuple[bool, str]:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(seconds):
            remarks = await look(account)
    except StorageFaultError as fault:
        return False, f"{part} {_told(fault)}"
    except TimeoutError:
        return False, f"{part} timeout: nothing within {seconds:g} s"
    took = f"{(time.perf_counter() - started) * 1000:.0f} ms"
    return True, f"{part} {'; '.join(remarks or [took])}"


async def _tables(account: Account) -> list[str]:
    async def look(table: str, reach: Callable[[], Awaitable[None]]) -> list[str]:
        try:
            await reach()
        except StorageFaultError as fault:
            if fault.fault is not Fault.NO_TABLE:
                raise
            return [f"without the {table} table, which serve creates if it may"]
        return []

    looks = look("jobs", account.jobs.reach), look("datasources", account.datasources.reach)
    return _all(await asyncio.gather(*looks))


async def _containers(account: Account) -> list[str]:
    async def look(container: str) -> list[str]:
        try:
            there = await account.files.has_container(container)
        except StorageFaultError as fault:
            # The identity of a server may read exports alone. Whoever has no such credential is refused there too.
            if fault.fault is not Fault.REFUSED or container == EXPORTS:
                raise
            return [f"this identity may not look at the container {container}"]
        return [] if there else [f"without the container {container}, which serve creates if it may"]

    return _all(await asyncio.gather(*map(look, (EXPORTS, UPLOADS, VERSIONS))))


async def _queue(account: Account) -> list[str]:
    return [] if await account.queue.exists() else ["not there; serve creates it if it may"]


async def _links(account: Account) -> list[str]:
    await account.links.signer()
    return []


async def _workers(account: Account) -> list[str]:
    try:
        found = await live_workers(account)
    except StorageFaultError as fault:
        if fault.fault is not Fault.NO_TABLE:
            raise
        found = ()
    if not found:
        return [f"NONE has given a sign of life within {GONE_SECONDS:g} s: jobs wait until one runs"]
    return [f"{len(found)} alive"]


def _all(remarks: Iterable[list[str]]) -> list[str]:
    return [each for some in remarks for each in some]


def _told(fault: StorageFaultError) -> str:
    return f"{fault} ({fault.fault.value.advice})"
