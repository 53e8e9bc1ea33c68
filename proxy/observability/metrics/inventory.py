"""Counts what there is, every now and then: jobs by state and age, queues, keys. Runs where metrics are asked for.

It asks storage as a job list does, and after the queue's length where it may. Of several processes one counts.
"""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from adapters.account import AccountStorage
from adapters.errors import StorageError, StorageErrorCode
from adapters.model.jobs import JobRecord, JobStatus
from adapters.model.ticks import PER_SECOND, from_datetime
from adapters.sdk_calls import JITTER
from proxy.keyring.keyring import KeyRing
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.metrics import catalog as metric_table
from proxy.observability.metrics.catalog import Metric
from proxy.observability.metrics.registry import OTHER, Metrics

log = logging.getLogger(__name__)

CENSUS_SECONDS = 30.0

# Who may not ask after a queue is left alone for so long: each try would count as a fault of storage.
QUEUE_REFUSED_SECONDS = 3600.0

# The first limit in seconds that a job's age is below.
AGES = (("5m", 300.0), ("1h", 3600.0), ("1d", 86400.0), ("older", math.inf))

# The value of what is not known, or not there any more: no comparison with it is true.
NOTHING = math.nan

# The kind of fault of an account that is well, with the value 0: a gauge without a value can't be told from none.
NO_FAULT = "none"

OF_A_WORKER = (metric_table.WORKER_LOOK, metric_table.WORKER_RUNNING)

OF_AN_ACCOUNT = (
    metric_table.OLDEST_PENDING,
    metric_table.QUEUE_MESSAGES,
    metric_table.NEXT_KEY_END,
    metric_table.ACCOUNT_BROKEN,
    metric_table.CENSUS_TIME,
)


class InventoryCollector:
    """Counts for all accounts of a ring, and follows its changes."""

    def __init__(
        self, ring: ActiveKeyRing, series: Metrics, window: timedelta, seconds: float, is_ours: Callable[[], bool]
    ) -> None:
        """`window` is the job list's, `seconds` the longest for one account; `is_ours` whether this process counts."""
        self._ring = ring
        self._series = series
        self._window = window
        self._seconds = seconds
        self._is_ours = is_ours
        self._counted: set[str] = set()
        self._faults: dict[str, set[str]] = {}
        self._ask_queue_at: dict[str, float] = {}

    async def run(self) -> None:
        """Counts for ever."""
        while True:
            try:
                if self._is_ours():
                    await self.collect()
            except Exception:
                log.exception("the census failed")
            await asyncio.sleep(CENSUS_SECONDS * JITTER.uniform(0.9, 1.1))

    async def collect(self) -> None:
        """Counts once."""
        names = {name for name in self._ring.accounts.names if self._series.account(name) != OTHER}
        for name in self._counted - names:
            self._forget(name)
        self._counted = names
        self._keys(self._ring.keyring, names)
        await asyncio.gather(*map(self._account, sorted(names)))

    def _forget(self, name: str) -> None:
        for kind in self._faults.pop(name, ()):
            self._set(metric_table.ACCOUNT_FAULT, NOTHING, name, kind)
        for metric in (*OF_AN_ACCOUNT, *(OF_A_WORKER if self._series.of_a_worker else ())):
            self._set(metric, NOTHING, name)
        for state in JobStatus:
            for age, _ in AGES:
                self._set(metric_table.JOBS, NOTHING, name, state.value, age)
        for state_of_key in ("valid", "expired"):
            self._set(metric_table.KEYS, NOTHING, name, state_of_key)

    def _keys(self, ring: KeyRing, names: set[str]) -> None:
        now, grants = datetime.now(UTC), list(ring.grants.values())
        for name in names:
            ends = [grant.expires for grant in grants if grant.account == name]
            valid = [end for end in ends if end is None or end > now]
            coming = [end.timestamp() for end in valid if end is not None]
            self._set(metric_table.KEYS, len(valid), name, "valid")
            self._set(metric_table.KEYS, len(ends) - len(valid), name, "expired")
            self._set(metric_table.NEXT_KEY_END, min(coming, default=NOTHING), name)

    async def _account(self, name: str) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._count(self._ring.accounts[name])
        except (StorageError, TimeoutError) as error:  # told, and counted, where it was met
            self._set(metric_table.ACCOUNT_BROKEN, 1, name)
            self._fault(name, error.fault if isinstance(error, StorageError) else StorageErrorCode.TIMEOUT)

    async def _count(self, account: AccountStorage) -> None:
        now = from_datetime(datetime.now(UTC))
        reading = await account.job_cache.created_since(from_datetime(datetime.now(UTC) - self._window))
        ages = [(record, (now - record.created) / PER_SECOND) for record in reading.value]
        self._jobs(account.name, ages)
        self._set(metric_table.CENSUS_TIME, time.time(), account.name)
        self._set(metric_table.ACCOUNT_BROKEN, 0, account.name)
        self._fault(account.name, None)
        self._set(metric_table.QUEUE_MESSAGES, await self._queue_length(account), account.name)

    def _fault(self, name: str, fault: StorageErrorCode | None) -> None:
        kind = NO_FAULT if fault is None else fault.value.name
        for known in self._faults.setdefault(name, {NO_FAULT, kind}) - {kind}:
            self._set(metric_table.ACCOUNT_FAULT, 0, name, known)
        self._faults[name].add(kind)
        self._set(metric_table.ACCOUNT_FAULT, int(fault is not None), name, kind)

    def _jobs(self, name: str, ages: Sequence[tuple[JobRecord, float]]) -> None:
        found = Counter((record.status, _age(age)) for record, age in ages)
        for state in JobStatus:
            for age, _ in AGES:
                self._set(metric_table.JOBS, found[state, age], name, state.value, age)
        pending = [age for record, age in ages if record.status is JobStatus.PENDING]
        self._set(metric_table.OLDEST_PENDING, max(pending, default=0), name)

    async def _queue_length(self, account: AccountStorage) -> float:
        if time.monotonic() < self._ask_queue_at.get(account.name, 0):
            return NOTHING
        try:
            return await account.queue.length()
        except StorageError as fault:
            if fault.fault is StorageErrorCode.ACCESS_DENIED:
                self._ask_queue_at[account.name] = time.monotonic() + QUEUE_REFUSED_SECONDS
            return NOTHING

    def _set(self, metric: Metric, value: float, *labels: str) -> None:
        self._series.gauge(metric, *labels).set(value)


def _age(seconds: float) -> str:
    return next(name for name, limit in AGES if seconds < limit)
