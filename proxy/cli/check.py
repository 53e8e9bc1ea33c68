"""The command `check`: checks settings, key ring, key store, and all that jobs need of each account's storage."""

import asyncio
import os
import sys
from argparse import Namespace

from adapters.accounts import AccountRegistry
from proxy.cli.accounts import run_with_accounts
from proxy.keyring.file import load_keyring
from proxy.operations.checks import MAPS_SECONDS, Check, CheckLimits, PartCheck, check_accounts
from proxy.operations.key_store_check import check_key_store
from proxy.operations.query_cache_check import check_query_cache
from proxy.settings import SettingsError, load_settings
from proxy.unknown_variables import unknown_variables


def run_check(options: Namespace) -> int:
    """Checks settings and key ring, then each account's storage, the cache of queries and the key store.

    Returns:
        1 where a part does not answer or refuses us.

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
        limits = CheckLimits(seconds, max(seconds, MAPS_SECONDS), queries=settings.queries, asks_maps=options.maps)
        looking = None
        if store is not None:
            looking = asyncio.create_task(check_key_store(store, settings.keys_table, seconds))
        found = await check_accounts(accounts, limits)
        if settings.queries:
            found.append(await asyncio.to_thread(check_query_cache, settings.query_cache_mb))
        if looking is not None:
            found.append(await looking)
        for check in found:
            print(f"{'ok' if check.is_sound else 'broken':6} {check.name}: {describe_check(check)}")
        return 0 if all(check.is_sound for check in found) else 1

    return run_with_accounts(settings, run)


def describe_check(check: Check) -> str:
    """What was found, in one line."""
    return ", ".join(map(_describe_part, check.parts))


def _describe_part(part: PartCheck) -> str:
    took = "" if part.seconds is None else f"{part.seconds * 1000:.0f} ms"
    return f"{part.part} {part.remark or took}".lstrip()
