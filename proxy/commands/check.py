"""The command `check`: whether the settings hold and each account's storage answers."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from adapters.accounts import Accounts
from adapters.errors import Fault, StorageFaultError


async def check(accounts: Accounts, seconds: float) -> int:
    """Reaches each account's storage within the deadline, prints a line for each; gives the exit status."""
    results = await asyncio.gather(*(_check_account(accounts, name, seconds) for name in accounts.names))
    for name, (sound, text) in zip(accounts.names, results, strict=True):
        print(f"{'ok' if sound else 'broken':6} {name}: {text}")
    return 0 if all(sound for sound, _ in results) else 1


async def _check_account(accounts: Accounts, name: str, seconds: float) -> tuple[bool, str]:
    try:
        account = accounts[name]
    except StorageFaultError as fault:
        return False, _told(fault)
    parts: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        ("tables", account.jobs.reach),
        ("blobs", account.reach_blobs),
        ("links", account.links.signer),
    ]
    results = await asyncio.gather(*(_time(part, ask, seconds) for part, ask in parts))
    return all(sound for sound, _ in results), ", ".join(text for _, text in results)


async def _time(part: str, ask: Callable[[], Awaitable[object]], seconds: float) -> tuple[bool, str]:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(seconds):
            await ask()
    except StorageFaultError as fault:
        if fault.fault is Fault.NO_TABLE:  # storage answers, and before the first start there is none
            return True, f"{part} without the jobs table, which serve creates if it may"
        return False, f"{part} {_told(fault)}"
    except TimeoutError:
        return False, f"{part} timeout: nothing within {seconds:g} s"
    return True, f"{part} {(time.perf_counter() - started) * 1000:.0f} ms"


def _told(fault: StorageFaultError) -> str:
    return f"{fault} ({fault.fault.value.advice})"
