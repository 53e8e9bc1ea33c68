"""Counts jobs by state and age, queues and keys every 30 seconds, where metrics are on."""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from adapters.account import AccountStorage
from adapters.errors import StorageError, StorageErrorCode
from adapters.model.jobs import JobRecord, JobStatus
from adapters.model.ticks import PER_SECOND, from_datetime
from adapters.sdk_calls import JITTER
from proxy.keyring.keyring import KeyRing
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.metrics.catalog import OTHER, Metrics
from proxy.observability.storage_observer import reason_label

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 30.0

# Seconds until a queue is asked again whose length the identity may not read: each try counts as a storage error.
QUEUE_DENIED_SECONDS = 3600.0

# Each age with its bound in seconds.
AGES = (("5m", 300.0), ("1h", 3600.0), ("1d", 86400.0), ("older", math.inf))

# The value of what is not known: no comparison with it is true.
UNKNOWN = math.nan

# The reason of an account that is up, with the value 0: a dashboard can't tell a gauge without a series from none.
NO_FAULT = "none"


class InventoryCollector:
    """Counts for all accounts of a ring, and follows its changes."""

    def __init__(self, ring: ActiveKeyRing, metrics: Metrics, window: timedelta, timeout: float) -> None:
        """`window` is the job list's, `timeout` the seconds for one account."""
        self._ring = ring
        self._metrics = metrics
        self._window = window
        self._timeout = timeout
        self._accounts: set[str] = set()
        self._reasons: dict[str, set[str]] = {}
        self._queue_due: dict[str, float] = {}

    async def run(self) -> None:
        """Counts until it is cancelled."""
        while True:
            try:
                await self.collect()
            except Exception:
                log.exception("the inventory failed")
            await asyncio.sleep(INTERVAL_SECONDS * JITTER.uniform(0.9, 1.1))

    async def collect(self) -> None:
        """Counts once."""
        names = {name for name in self._ring.accounts.names if self._metrics.account_label(name) != OTHER}
        for name in self._accounts - names:
            self._reasons.pop(name, None)
            self._metrics.remove_account(name)
        self._accounts = names
        if self._ring.keyring.key_store is None:
            self._count_keys(self._ring.keyring, names)
        await asyncio.gather(*map(self._count_account, sorted(names)))

    def _count_keys(self, ring: KeyRing, names: Collection[str]) -> None:
        now, grants = datetime.now(UTC), list(ring.grants.values())
        for name in names:
            ends = [grant.expires for grant in grants if grant.account == name]
            valid = [end for end in ends if end is None or end > now]
            next_expiry = min((end.timestamp() for end in valid if end is not None), default=UNKNOWN)
            self._metrics.keys.labels(name, "valid").set(len(valid))
            self._metrics.keys.labels(name, "expired").set(len(ends) - len(valid))
            self._metrics.next_key_expiry.labels(name).set(next_expiry)

    async def _count_account(self, name: str) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await self._count_jobs(self._ring.accounts[name])
        except StorageError as error:  # logged and counted where it was met
            self._set_fault(name, error.code)
        except TimeoutError:
            self._set_fault(name, StorageErrorCode.TIMEOUT)

    async def _count_jobs(self, account: AccountStorage) -> None:
        metrics, now = self._metrics, datetime.now(UTC)
        entry = await account.job_cache.list_created_since(from_datetime(now - self._window))
        self._set_jobs(account.name, entry.value, now)
        metrics.inventory_last_success.labels(account.name).set(time.time())
        self._set_fault(account.name, None)
        metrics.queue_messages.labels(account.name).set(await self._queue_length(account))
        counter = account.maps_counter if account.has_maps else None
        share = UNKNOWN if counter is None else await counter.count() / counter.most
        metrics.maps_day_share.labels(account.name).set(share)

    def _set_jobs(self, name: str, records: Collection[JobRecord], now: datetime) -> None:
        ticks = from_datetime(now)
        jobs = [(record.status, (ticks - record.created) / PER_SECOND) for record in records]
        found = Counter((status, _age(seconds)) for status, seconds in jobs)
        for status in JobStatus:
            for age, _ in AGES:
                self._metrics.jobs.labels(name, status.value, age).set(found[status, age])
        pending = [seconds for status, seconds in jobs if status is JobStatus.PENDING]
        self._metrics.oldest_pending_job.labels(name).set(max(pending, default=0))

    def _set_fault(self, name: str, code: StorageErrorCode | None) -> None:
        self._metrics.account_up.labels(name).set(code is None)
        current = NO_FAULT if code is None else reason_label(code)
        reasons = self._reasons.setdefault(name, {NO_FAULT})
        reasons.add(current)
        for reason in reasons:
            self._metrics.account_fault.labels(name, reason).set(reason == current != NO_FAULT)

    async def _queue_length(self, account: AccountStorage) -> float:
        if time.monotonic() < self._queue_due.get(account.name, 0):
            return UNKNOWN
        try:
            return await account.queue.approximate_length()
        except StorageError as error:
            if error.code is StorageErrorCode.ACCESS_DENIED:
                self._queue_due[account.name] = time.monotonic() + QUEUE_DENIED_SECONDS
            return UNKNOWN


def _age(seconds: float) -> str:
    return next(name for name, bound in AGES if seconds < bound)
