"""The command `check`: checks settings, key ring, key store, and all that jobs need of each account's storage."""

import asyncio
import os
import sys
import time
from argparse import Namespace
from collections.abc import Awaitable, Callable

from adapters.account import AccountStorage
from adapters.accounts import AccountRegistry
from adapters.blobs.store import VERSIONS
from adapters.errors import StorageError, StorageErrorCode
from adapters.maps.errors import MapsError
from adapters.model.geocoding import ForwardItem
from proxy.cli.accounts import run_with_accounts
from proxy.cli.key_store_check import check_key_store
from proxy.cli.query_cache_check import check_query_cache
from proxy.keyring.file import load_keyring
from proxy.observability.load_needs import LOAD_NEEDS, Finding, Probe, probe_maps
from proxy.settings import SettingsError, load_settings
from proxy.unknown_variables import unknown_variables

MAPS_SECONDS = 30.0
"""For a token and one call."""
MAPS_ITEM = ForwardItem(query="Redmond, WA")
"""A place that every Azure Maps knows."""


def run_check(options: Namespace) -> int:
    """Checks settings and key ring, then each account's storage, the cache of queries and the key store.

    Returns the exit status.

    Raises:
        SettingsError: a setting is wrong or unknown, or the key ring can't be used.
    """
    settings = load_settings()
    keyring = load_keyring(settings)
    if unknown := unknown_variables(os.environ, keyring.variables):
        raise SettingsError("; ".join(unknown))
    if not settings.public_url:
        print("PROXY_PUBLIC_URL is not set; serve requires it", file=sys.stderr)

    async def run(accounts: AccountRegistry) -> int:
        seconds, store = settings.storage_timeout, keyring.key_store
        looking = None
        if store is not None:
            looking = asyncio.create_task(check_key_store(store, settings.keys_table, seconds))
        status = await check(accounts, seconds, queries=settings.queries, asks_maps=options.maps)
        lines = {}
        if settings.queries:
            lines["query cache"] = await asyncio.to_thread(check_query_cache, settings.query_cache_mb)
        if looking is not None:
            lines["key store"] = await looking
        for name, (sound, text) in lines.items():
            _print_line(name, text, sound=sound)
        return status if all(sound for sound, _ in lines.values()) else 1

    return run_with_accounts(settings, run)


async def check(accounts: AccountRegistry, seconds: float, *, queries: bool = True, asks_maps: bool = False) -> int:
    """Reaches everything that each account needs, within the deadline, and prints a line for each account.

    Args:
        accounts: the accounts of the key ring.
        seconds: the deadline of each part, such as the queue.
        queries: whether versions of data sources are read to answer queries.
        asks_maps: whether one item is asked of each account's Azure Maps, which is billed.

    Returns:
        1 where a part does not answer or refuses us. A part that does not exist yet, or no live worker, is printed and
        leaves 0: before the first start nothing exists, and a server that only reads needs no worker.
    """
    results = await asyncio.gather(
        *(_check_account(accounts, name, seconds, queries=queries, asks_maps=asks_maps) for name in accounts.names)
    )
    for name, (sound, text) in zip(accounts.names, results, strict=True):
        _print_line(name, text, sound=sound)
    return 0 if all(sound for sound, _ in results) else 1


def _print_line(name: str, text: str, *, sound: bool) -> None:
    print(f"{'ok' if sound else 'broken':6} {name}: {text}")


async def _check_account(
    accounts: AccountRegistry, name: str, seconds: float, *, queries: bool, asks_maps: bool
) -> tuple[bool, str]:
    try:
        account = accounts[name]
    except StorageError as fault:
        return False, _describe(fault)
    parts: dict[str, Probe] = {"tables": _look_at_tables, **LOAD_NEEDS} | (
        {"queries": _look_at_versions} if queries else {}
    )
    looks = [_time(part, look, account, seconds) for part, look in parts.items()]
    if account.has_maps:
        longest = max(seconds, MAPS_SECONDS)
        looks.append(_time("maps", _ask_maps if asks_maps else probe_maps, account, longest))
    results = await asyncio.gather(*looks)
    return all(sound for sound, _ in results), ", ".join(text for _, text in results)


async def _time(part: str, look: Probe, account: AccountStorage, seconds: float) -> tuple[bool, str]:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(seconds):
            remarks = await look(account)
    except StorageError as fault:
        return False, f"{part} {_describe(fault)}"
    except MapsError as fault:
        return False, f"maps {fault} ({fault.failure.value.hint})"
    except TimeoutError:
        return False, f"{part} timeout: nothing within {seconds:g} s"
    took = f"{(time.perf_counter() - started) * 1000:.0f} ms"
    return True, f"{part} {'; '.join(remark.text for remark in remarks) or took}"


async def _ask_maps(account: AccountStorage) -> list[Finding]:
    """Asks one item, to learn that Azure Maps takes the key or the token."""
    answer = await account.maps.look_up(MAPS_ITEM, "en-US")
    answered = "finds" if answer and isinstance(answer, tuple) else "does not find"
    return [Finding(f"{answered} {MAPS_ITEM.query}", is_missing=False), *await probe_maps(account)]


async def _look_at_tables(account: AccountStorage) -> list[Finding]:
    async def look(table: str, reach: Callable[[], Awaitable[None]]) -> list[Finding]:
        try:
            await reach()
        except StorageError as fault:
            if fault.code is not StorageErrorCode.NO_TABLE:
                raise
            return [Finding(f"without the {table} table, which serve creates if it may")]
        return []

    looks = look("jobs", account.jobs.ping), look("datasources", account.data_sources.ping)
    return [remark for remarks in await asyncio.gather(*looks) for remark in remarks]


async def _look_at_versions(account: AccountStorage) -> list[Finding]:
    try:
        await account.blobs.has_container(VERSIONS)  # whether it is there is said of the blobs
    except StorageError as fault:
        if fault.code is StorageErrorCode.ACCESS_DENIED:
            text = f"this identity may not read the container {VERSIONS}; give it Storage Blob Data Reader there"
            raise StorageError(fault.code, f"{text}, or set PROXY_QUERIES=false ({fault.detail})") from None
        raise
    return []


def _describe(fault: StorageError) -> str:
    return f"{fault} ({fault.code.value.hint})"
