"""What the server and the worker do alike at start-up: storage options, missing resources, background tasks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from adapters.account import AccountStorage, StorageOptions
from adapters.accounts import AccountRegistry
from adapters.errors import StorageError, StorageErrorCode
from adapters.job_cache import CacheTtl
from adapters.sdk_calls import JITTER
from proxy.keyring.reload import ActiveKeyRing, reload_on_change
from proxy.observability.load_needs import LoadNeedsMonitor
from proxy.observability.setup import DISABLED, Telemetry
from proxy.settings import Settings

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
    )


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
