"""What a process does beside its requests or jobs: it follows the key ring's file, and counts what there is."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from adapters.accounts import Accounts
from proxy.load_needs import LoadNeedsWatch
from proxy.ring_watch import RingInUse, watch
from proxy.settings import Settings
from proxy.watching import metric_table
from proxy.watching.choice import Watching
from proxy.watching.port import is_the_one

Prepare = Callable[[Accounts], Awaitable[object]]


def follow(
    settings: Settings, ring: RingInUse, grace: float, watching: Watching, prepare: Prepare
) -> list["asyncio.Task[None]"]:
    """Begins it, each where it is asked for; the tasks end when they are cancelled.

    An account that leaves the ring is closed after `grace` seconds.
    """
    tasks, series = [], watching.series
    if settings.keyring_file is not None:
        counted = None if series is None else partial(series.count, metric_table.RING_RELOADS)
        tasks.append(asyncio.create_task(watch(settings.keyring_file, ring, grace, prepare, counted)))
    if series is not None:
        from proxy.watching.census import Census  # noqa: PLC0415 - what it stands on is not imported for nothing

        window = timedelta(days=settings.job_window_days)
        census = Census(ring, series, window, settings.storage_timeout, is_the_one)
        tasks.append(asyncio.create_task(census.run()))
    return tasks


def watch_load_needs(settings: Settings, ring: RingInUse, watching: Watching, *, signs: bool) -> "asyncio.Task[None]":
    """Begins to look at what loads need of each account; `signs` says whether this process signs links."""
    report = None if watching.series is None else watching.series.report_load_need
    return asyncio.create_task(LoadNeedsWatch(ring, settings.storage_timeout, report, signs=signs).run())
