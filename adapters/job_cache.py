"""Caches the jobs of one account.

A finished job hardly changes and stays for minutes, an unfinished one for a second, "not found" never. Concurrent
callers share one read. While storage is down, a cached finished job is still served.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from adapters.circuit_breaker import CircuitBreaker
from adapters.errors import StorageError, StorageErrorCode
from adapters.model.jobs import JobRecord, JobStatus
from adapters.model.ticks import Ticks
from adapters.request_coalescing import SingleFlight
from adapters.tables.job_store import JobStore
from adapters.tables.properties import MalformedRowError

_T = TypeVar("_T")

# Jobs of one account. The least recently used are evicted first.
MAX_ENTRIES = 10_000

# The longest that a whole list may take, in read timeouts. Callers wait for no more than their own deadline.
LIST_READS = 12

# The part of a read timeout for which a caller waits before it gets a stale finished job.
STALE_WAIT_FRACTION = 0.5

# The part of its lifetime after which an entry in use is read again.
REFRESH_AHEAD = 0.95

NEVER = float("inf")

_JOB = "job"
_DOWNLOAD = "download"
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CacheTtl:
    """Seconds for which the record of an unfinished and of a finished job may be reused."""

    pending: float
    finished: float

    def of(self, record: JobRecord) -> float:
        """The seconds for this record."""
        return self.pending if record.status is JobStatus.PENDING else self.finished


NO_CACHING = CacheTtl(pending=0, finished=0)


@dataclass(slots=True)
class CacheEntry(Generic[_T]):
    """A value, and until when (by the monotonic clock) it may be reused.

    A refresh that finds an unchanged record keeps this object, so callers can use its identity to reuse a rendered
    response.
    """

    value: _T
    until: float
    refresh_at: float = NEVER
    refresh: Callable[[], None] | None = None

    def is_fresh(self, now: float) -> bool:
        """Whether the value may be reused. Schedules the next refresh, so that no caller of an entry in use waits."""
        if now >= self.until:
            return False
        if self.refresh is not None and self.refresh_at < self.until:
            asyncio.get_running_loop().call_later(max(0.0, self.refresh_at - now), self.refresh)
            self.refresh_at = NEVER
        return True


class JobCache:
    """The jobs of one account as requests read them."""

    def __init__(
        self,
        store: JobStore,
        ttl: CacheTtl,
        breaker: CircuitBreaker,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`timeout` is the longest that one read takes, in seconds."""
        self._observer = breaker.observer
        self._store = store
        self._ttl = ttl
        self._breaker = breaker
        self._timeout = timeout
        self._clock = clock
        self._in_flight = SingleFlight()
        self._entries: OrderedDict[_Key, CacheEntry[JobRecord]] = OrderedDict()
        self._refreshes: set[asyncio.Task[None]] = set()
        self._list: CacheEntry[list[JobRecord]] | None = None
        self._creations = 0

    async def get_job(self, job_id: str) -> CacheEntry[JobRecord] | None:
        """The job of this id, as `JobStore.get` reads it."""
        key = (_JOB, job_id.lower())
        entry = self._entries.get(key)
        if entry is not None and entry.is_fresh(self._clock()):
            self._entries.move_to_end(key)
            self._observer.cache_lookup("hit")
            return entry
        return await self._read(key)

    async def get_newest_download(self, data_source_name: str) -> CacheEntry[JobRecord] | None:
        """The newest download job of a data source, as `JobStore.get_newest_download` reads it.

        Only an unfinished one is reused: after a finished one, another may have been created since.
        """
        key = (_DOWNLOAD, data_source_name.lower())
        entry = self._entries.get(key)
        if entry is not None and entry.value.status is JobStatus.PENDING and entry.is_fresh(self._clock()):
            self._observer.cache_lookup("hit")
            return entry
        entry = await self._read(key)
        if entry is None or entry.value.status is JobStatus.PENDING:
            return entry
        return CacheEntry(entry.value, 0.0)

    async def list_created_since(self, moment: Ticks) -> CacheEntry[list[JobRecord]]:
        """The jobs created at this instant or later, as `JobStore.list_created_since` reads them.

        A list is reused for as long as an unfinished job. One that takes longer than a caller may wait is read to its
        end and reused for as long as that took; otherwise no caller would ever get it.
        """
        if self._list is not None and self._clock() < self._list.until:
            self._observer.cache_lookup("hit")
            return self._list
        entry, joined = await self._in_flight.run(("list", self._creations), partial(self._fetch_list, moment))
        self._observer.cache_lookup("coalesced" if joined else "miss")
        return entry

    def invalidate(self, record: JobRecord) -> None:
        """Drops the list and the data source's newest download, since this process has just created this job."""
        self._creations += 1
        download = self._entries.pop((_DOWNLOAD, (record.data_source_name or "").lower()), None)
        for entry in (self._list, download):
            if entry is not None:
                entry.until = 0.0

    async def probe(self, wait: float) -> None:
        """Reads from storage, for at most `wait` seconds. The circuit breaker records the result."""
        with suppress(StorageError, TimeoutError):
            await self._in_flight.run("probe", partial(self._breaker.call, self._store.ping), wait)

    def close(self) -> None:
        """Cancels the reads in flight."""
        self._in_flight.close()

    async def _read(self, key: _Key) -> CacheEntry[JobRecord] | None:
        known = self._entries.get(key)
        finished = known if known is not None and known.value.status is not JobStatus.PENDING else None
        wait = None if finished is None else self._timeout * STALE_WAIT_FRACTION
        fetch = partial(self._fetch, key)
        try:
            entry, joined = await self._in_flight.run(key, fetch, wait)
            # A read that started before this call may miss a job created in between.
            if joined and (entry is None or (key[0] == _DOWNLOAD and entry.value.status is not JobStatus.PENDING)):
                entry, joined = await self._in_flight.run(key, fetch, wait)
        except (StorageError, TimeoutError):
            if finished is None:
                raise
            # The next callers get it at once, for as long as an unfinished job is reused.
            finished.until, finished.refresh_at = self._clock() + self._ttl.pending, NEVER
            self._observer.cache_lookup("hit")
            return finished
        self._observer.cache_lookup("coalesced" if joined else "miss")
        return entry

    async def _fetch(self, key: _Key) -> CacheEntry[JobRecord] | None:
        """Reads a job and stores it before the read ends; otherwise waiting callers would start another read."""
        kind, reference = key
        started = self._clock()
        read = self._store.get if kind == _JOB else self._store.get_newest_download
        record = await self._breaker.call(partial(read, reference))
        entry = self._entries.pop(key, None)
        if entry is None or entry.value != record:
            if entry is not None:
                entry.until = 0.0
            if record is None:
                return None
            entry = CacheEntry(record, 0.0, refresh=partial(self._refresh, key))
        ttl = self._ttl.of(entry.value)
        entry.until, entry.refresh_at = started + ttl, started + ttl * REFRESH_AHEAD
        self._entries[key] = entry
        if len(self._entries) > MAX_ENTRIES:
            self._entries.popitem(last=False)
        return entry

    async def _fetch_list(self, moment: Ticks) -> CacheEntry[list[JobRecord]]:
        started, creations, longest = self._clock(), self._creations, self._timeout * LIST_READS
        try:
            async with asyncio.timeout(longest):
                records = await self._store.list_created_since(moment, self._breaker.call)
        except TimeoutError:
            raise StorageError(StorageErrorCode.TIMEOUT, f"no whole list within {longest:g} s") from None
        if creations != self._creations:  # a job was created meanwhile and may be missing
            return CacheEntry(records, 0.0)
        if self._list is None or self._list.value != records:
            self._list = CacheEntry(records, 0.0)
        ended = self._clock()
        is_slow = ended - started > self._timeout
        self._list.until = ended + (ended - started) if is_slow else started + self._ttl.pending
        return self._list

    def _refresh(self, key: _Key) -> None:
        async def refresh() -> None:
            with suppress(StorageError, TimeoutError, MalformedRowError):  # the next caller meets the error itself
                await self._read(key)

        task = asyncio.create_task(refresh())
        self._refreshes.add(task)
        task.add_done_callback(self._refreshes.discard)
