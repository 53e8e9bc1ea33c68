"""What a process does beside its requests or jobs: it follows the key ring's file, and counts what there is."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from adapters.accounts import AccountRegistry
from proxy.keyring.reload import ActiveKeyRing, reload_on_change
from proxy.observability.load_needs import LoadNeedsWatch
from proxy.observability.metrics import catalog as metric_table
from proxy.observability.metrics.server import acquire_leadership
from proxy.observability.setup import Telemetry
from proxy.settings import Settings

Prepare = Callable[[AccountRegistry], Awaitable[object]]


def start_background_tasks(
    settings: Settings, ring: ActiveKeyRing, grace: float, watching: Telemetry, prepare: Prepare
) -> list["asyncio.Task[None]"]:
    """Begins it, each where it is asked for; the tasks end when they are cancelled.

    An account that leaves the ring is closed after `grace` seconds.
    """
    tasks, series = [], watching.metrics
    if settings.keyring_file is not None:
        counted = None if series is None else partial(series.count, metric_table.RING_RELOADS)
        tasks.append(asyncio.create_task(reload_on_change(settings.keyring_file, ring, grace, prepare, counted)))
    if series is not None:
        from proxy.observability.metrics.inventory import InventoryCollector  # noqa: PLC0415 - what it stands on is not imported for nothing

        window = timedelta(days=settings.job_window_days)
        census = InventoryCollector(ring, series, window, settings.storage_timeout, acquire_leadership)
        tasks.append(asyncio.create_task(census.run()))
    return tasks


def watch_load_needs(
    settings: Settings, ring: ActiveKeyRing, watching: Telemetry, *, signs: bool
) -> "asyncio.Task[None]":
    """Begins to look at what loads need of each account; `signs` says whether this process signs links."""
    report = None if watching.metrics is None else watching.metrics.report_load_need
    return asyncio.create_task(LoadNeedsWatch(ring, settings.storage_timeout, report, signs=signs).run())
