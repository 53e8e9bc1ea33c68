"""What the server and the worker do alike at start-up: storage options, missing resources, background tasks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from adapters.account import AccountStorage, StorageOptions
from adapters.accounts import AccountRegistry
from adapters.credentials.config import StorageEntry
from adapters.errors import StorageError, StorageErrorCode
from adapters.job_cache import CacheTtl
from adapters.maps.options import MapsOptions
from adapters.maps.throttle import Throttles
from adapters.sdk_calls import JITTER
from adapters.tables.key_table import KeyTable
from proxy.keyring.change_watch import StoreTiming
from proxy.keyring.reload import ActiveKeyRing, OpenStore, reload_on_change
from proxy.keyring.store import StoredKeys
from proxy.observability.load_needs import LoadNeedsMonitor
from proxy.observability.setup import DISABLED, Telemetry
from proxy.settings import Settings, SettingsError

log = logging.getLogger(__name__)

# Seconds before the resources of an account are created again, doubling from the first to the last.
RETRY_SECONDS = (1.0, 15.0)


def storage_options(settings: Settings, telemetry: Telemetry = DISABLED) -> StorageOptions:
    """Returns the options of the accounts' storage."""
    return StorageOptions(
        settings.jobs_table,
        timedelta(minutes=settings.sas_minutes),
        settings.storage_timeout,
        CacheTtl(settings.pending_ttl, settings.finished_ttl),
        settings.worker_lease,
        telemetry.storage_observer,
        allow_cors=bool(settings.cors_origins),
        maps=MapsOptions(
            settings.maps_items_per_day, Throttles(settings.maps_calls_per_second), telemetry.maps_observer
        ),
    )


def key_store_opener(settings: Settings, telemetry: Telemetry = DISABLED) -> OpenStore:
    """Returns what opens the key store of a ring, for a process that reads keys. Opening makes no request."""
    timing = StoreTiming(settings.key_store_seconds, settings.key_store_stale_seconds, settings.storage_timeout)
    observer = telemetry.key_store_observer()
    count = (lambda _: None) if telemetry.metrics is None else telemetry.metrics.count_key_store_read

    def open_store(entry: StorageEntry, has_account: Callable[[str], bool]) -> StoredKeys:
        try:
            table = KeyTable(entry, settings.keys_table, settings.storage_timeout, observer)
        except StorageError as error:
            raise SettingsError(f"key ring: key_store: {error.detail}; mend that entry") from None
        except ValueError:  # the SDKs' text may repeat the malformed name or endpoint
            raise SettingsError("key ring: key_store: its name or endpoint is malformed; mend that entry") from None
        return StoredKeys(table, timing, has_account, count)

    return open_store


def start_background_tasks(
    settings: Settings, ring: ActiveKeyRing, telemetry: Telemetry, *, grace_seconds: float, signs_links: bool
) -> list["asyncio.Task[None]"]:
    """Starts what runs beside requests or jobs. The tasks end when they are cancelled.

    Args:
        settings: the settings of this process.
        ring: the key ring in use.
        telemetry: what this process counts.
        grace_seconds: seconds until an account that leaves the ring is closed.
        signs_links: whether this process signs links, as a server does.

    Returns:
        The tasks; the first ends when nothing is missing in storage.
    """
    timeout, metrics = settings.storage_timeout, telemetry.metrics
    prepare = partial(prepare_storage, ring, step_seconds=timeout, signs_links=signs_links)
    report = None if metrics is None else metrics.report_load_need
    work: list[Coroutine[Any, Any, None]] = [
        prepare(ring.accounts),
        LoadNeedsMonitor(ring, timeout, report, signs_links=signs_links).run(),
    ]
    if settings.keyring_file is not None:
        count = (lambda _: None) if metrics is None else metrics.count_keyring_reload
        work.append(reload_on_change(settings.keyring_file, ring, grace_seconds, prepare, count))
    if metrics is not None:
        from proxy.observability.metrics.inventory import InventoryCollector  # noqa: PLC0415 - needs prometheus_client

        window = timedelta(days=settings.job_window_days)
        work.append(InventoryCollector(ring, metrics, window, timeout).run())
    return [asyncio.create_task(each) for each in work]


def follow_keys(settings: Settings, ring: ActiveKeyRing, telemetry: Telemetry) -> list["asyncio.Task[None]"]:
    """Starts what follows changes of keys and counts them, in a process that reads keys."""
    work: list[Coroutine[Any, Any, None]] = [ring.run()]
    if telemetry.metrics is not None:
        from proxy.observability.metrics.key_store import (  # noqa: PLC0415 - needs prometheus_client
            KeyStoreInventory,
            watch_key_store,
        )

        watch_key_store(ring, telemetry.metrics)
        observer = telemetry.key_store_observer()
        counting = KeyStoreInventory(ring, telemetry.metrics, settings.keys_table, settings.storage_timeout, observer)
        work.append(counting.run())
    return [asyncio.create_task(each) for each in work]


async def prepare_storage(
    ring: ActiveKeyRing, accounts: AccountRegistry, *, step_seconds: float, signs_links: bool
) -> None:
    """Creates what accounts miss, and tries again where storage is away, until all is there or the ring changes."""
    wait, longest = RETRY_SECONDS
    missing = await ensure_storage_resources(accounts, step_seconds, signs_links=signs_links)
    while missing and ring.accounts is accounts:
        await asyncio.sleep(wait * JITTER.uniform(0.5, 1.5))
        wait = min(longest, 2 * wait)
        missing = await ensure_storage_resources(accounts, step_seconds, names=missing)


async def ensure_storage_resources(
    accounts: AccountRegistry, step_seconds: float, *, signs_links: bool = True, names: Sequence[str] | None = None
) -> list[str]:
    """Creates what accounts miss in storage and gets the keys that sign links.

    Failures are logged and do not affect other accounts.

    Args:
        accounts: the accounts of a ring.
        step_seconds: the deadline of each step of each account.
        signs_links: whether this process signs links; without, it needs neither keys nor the role that gets them.
        names: the accounts that an earlier call returned; None: all, for the first time.

    Returns:
        The accounts that may still miss something.
    """
    is_first = names is None

    async def attempt(
        name: str, what: str, work: Callable[[AccountStorage], Awaitable[object]]
    ) -> StorageErrorCode | None:
        try:
            async with asyncio.timeout(step_seconds):
                await work(accounts[name])
        except (StorageError, TimeoutError) as error:
            code = error.code if isinstance(error, StorageError) else StorageErrorCode.TIMEOUT
            if is_first:
                text = error if isinstance(error, StorageError) else code.value.name
                log.warning("%s: %s", what, text, extra={"account": name, "hint": code.value.hint})
            return code
        return None

    if is_first:
        for name, error in accounts.errors.items():
            log.error("account can't be opened: %s", error, extra={"account": name, "hint": error.code.value.hint})

    async def prepare(name: str) -> bool:
        # One step after the other, so that they share one token of an identity.
        if signs_links and is_first:
            await attempt(name, "no key to sign links", lambda account: account.links.signer())
        what = "not all tables, queues and containers created"
        code = await attempt(name, what, lambda account: account.create_missing())
        if code is None and not is_first:
            log.info("tables, queues and containers are there now", extra={"account": name})
        if code is not StorageErrorCode.ACCESS_DENIED:
            return code is None
        # A read-only identity is enough where all is there. Trying again would change nothing.
        return await attempt(name, "the jobs table can't be read", lambda account: account.jobs.ping()) is None

    pending = [name for name in accounts.names if name not in accounts.errors] if names is None else names
    are_ready = await asyncio.gather(*map(prepare, pending))
    return [name for name, is_ready in zip(pending, are_ready, strict=True) if not is_ready]
