"""What may be remembered of an account's jobs, and for how long (design, "What may be remembered").

A finished job hardly changes and is kept for minutes, an unfinished one for a second, "not found" never. Callers who
want the same row at the same time share one read. When storage is down, a remembered finished job is still served.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from adapters.circuit_breaker import CircuitBreaker
from adapters.errors import StorageError
from adapters.model.jobs import JobRecord, JobStatus
from adapters.model.ticks import Ticks
from adapters.request_coalescing import SingleFlight
from adapters.tables.job_store import JobStore
from adapters.tables.properties import MalformedRowError
from adapters.tables.reader import Page

_T = TypeVar("_T")

# Jobs of one account, and as many rendered by their readers; the longest unused are forgotten first.
REMEMBERED = 10_000

# What a whole list may take, as a multiple of one read's time. Callers wait for no more than their own deadline.
LIST_READS = 12

# What part of a read's time a caller waits when there is a remembered job to fall back on.
STALE_WAIT_FRACTION = 0.5

# What part of its life has passed when a record in use is read again.
REFRESH_AHEAD = 0.95

_JOB = "job"
_DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class CacheTtl:
    """Seconds that the record of an unfinished, a finished job may be reused."""

    pending: float
    finished: float

    def of(self, record: JobRecord) -> float:
        """The seconds for this record."""
        return self.pending if record.status is JobStatus.PENDING else self.finished


NOTHING_REMEMBERED = CacheTtl(pending=0, finished=0)


@dataclass(slots=True)
class CacheEntry(Generic[_T]):
    """What was read, and until when (by the monotonic clock) it may be reused.

    As long as what is read again is the same, this is the same object: who made something of it may keep that too.
    """

    value: _T
    until: float
    renew_at: float = float("inf")
    renew: Callable[[], None] | None = None

    def is_fresh(self, now: float) -> bool:
        """Whether it may be reused; what is in use is read again shortly before it ends, so that nobody waits."""
        if now >= self.until:
            return False
        if self.renew is not None and self.renew_at < self.until:
            asyncio.get_running_loop().call_later(max(0.0, self.renew_at - now), self.renew)
            self.renew_at = float("inf")
        return True


class JobCache:
    """The jobs of one account as requests read them."""

    def __init__(
        self,
        store: JobStore,
        lifetimes: CacheTtl,
        guard: CircuitBreaker,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds` is the longest that one read takes."""
        self._watch = guard.watch
        self._store = store
        self._lifetimes = lifetimes
        self._clock = clock
        self._seconds = seconds
        self._patience = seconds * STALE_WAIT_FRACTION
        self._shared = SingleFlight(guard, seconds)
        self._known: OrderedDict[Hashable, CacheEntry[JobRecord]] = OrderedDict()
        self._renewals: set[asyncio.Task[None]] = set()
        self._list: CacheEntry[list[JobRecord]] | None = None
        self._creations = 0

    async def job(self, job_id: str) -> CacheEntry[JobRecord] | None:
        """The job of this id, as JobStore.job gives it."""
        key = (_JOB, job_id.lower())
        known = self._known.get(key)
        if known is not None and known.is_fresh(self._clock()):
            self._known.move_to_end(key)
            self._watch.read("remembered")
            return known
        return await self._read(key)

    async def newest_download(self, data_source_name: str) -> CacheEntry[JobRecord] | None:
        """The newest download job of a data source, as JobStore.newest_download gives it.

        Only an unfinished one is reused: of a finished one nobody knows whether a newer has come since, and the first
        poll of that must find it.
        """
        key = (_DOWNLOAD, data_source_name.lower())
        known = self._known.get(key)
        if known is not None and known.value.status is JobStatus.PENDING and known.is_fresh(self._clock()):
            self._watch.read("remembered")
            return known
        reading = await self._read(key)
        if reading is None or reading.value.status is JobStatus.PENDING:
            return reading
        return CacheEntry(reading.value, 0.0)

    async def created_since(self, moment: Ticks) -> CacheEntry[list[JobRecord]]:
        """The jobs created at this instant or later, as JobStore.created_since gives them.

        Read anew when older than an unfinished job may be. A list that takes longer than one caller may wait is read on
        to its end, each page within the time of one read, and is then given for as long as reading it took: else nobody
        would ever get it.
        """
        known = self._list
        if known is not None and self._clock() < known.until:
            self._watch.read("remembered")
            return known
        creations = self._creations

        async def keep() -> CacheEntry[list[JobRecord]]:
            started, whole = self._clock(), object()

            async def ask(read: Callable[[], Awaitable[Page]]) -> Page:
                return (await self._shared.read(whole, read))[0]

            records = await self._store.created_since(moment, ask)
            if creations != self._creations:  # a job was created meanwhile, which these may not have
                return CacheEntry(records, 0.0)
            if self._list is None or self._list.value != records:
                self._list = CacheEntry(records, 0.0)
            ended = self._clock()
            is_long = ended - started > self._seconds
            self._list.until = ended + (ended - started) if is_long else started + self._lifetimes.pending
            return self._list

        whole_seconds = self._seconds * LIST_READS
        reading, joined = await self._shared.read(("list", creations), keep, in_parts=whole_seconds)
        self._watch.read("shared" if joined else "storage")
        return reading

    def invalidate(self, record: JobRecord) -> None:
        """Tells of a job that this process has just created: the next request must find it.

        Forgets the list, and which download of the data source is the newest.
        """
        self._creations += 1
        forgotten = self._known.pop((_DOWNLOAD, (record.data_source_name or "").lower()), None)
        for reading in (self._list, forgotten):
            if reading is not None:
                reading.until = 0.0

    async def probe(self, patience: float) -> None:
        """Asks storage for something, for so many seconds: the guard knows what came of it."""
        with suppress(StorageError, TimeoutError):
            await self._shared.read("look", self._store.ping, patience)

    def close(self) -> None:
        """Ends the reads that are under way."""
        self._shared.close()

    async def _read(self, key: tuple[str, str]) -> CacheEntry[JobRecord] | None:
        known = self._known.get(key)
        finished = known if known is not None and known.value.status is not JobStatus.PENDING else None
        try:
            return await self._read_now(key, None if finished is None else self._patience)
        except (StorageError, TimeoutError):
            if finished is None:
                raise
            # Nobody else has to wait for storage either, as long as an unfinished job would be reused.
            finished.until, finished.renew_at = self._clock() + self._lifetimes.pending, float("inf")
            self._watch.read("remembered")
            return finished

    def _keep(self, key: tuple[str, str], record: JobRecord | None, started: float) -> CacheEntry[JobRecord] | None:
        known = self._known.pop(key, None)
        if known is None or known.value != record:
            if known is not None:
                known.until = 0.0
            if record is None:
                return None
            known = CacheEntry(record, 0.0, renew=partial(self._renew, key))
        life = self._lifetimes.of(known.value)
        known.until, known.renew_at = started + life, started + life * REFRESH_AHEAD
        self._known[key] = known
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return known

    def _renew(self, key: tuple[str, str]) -> None:
        async def quietly() -> None:
            with suppress(StorageError, TimeoutError, MalformedRowError):  # the next caller will be told
                await self._read(key)

        task = asyncio.create_task(quietly())
        self._renewals.add(task)
        task.add_done_callback(self._renewals.discard)

    async def _read_now(self, key: tuple[str, str], patience: float | None) -> CacheEntry[JobRecord] | None:
        kind, reference = key

        async def keep() -> CacheEntry[JobRecord] | None:
            # Kept before the read counts as ended: who comes in between would read again, and so would each who waits.
            started = self._clock()
            record = await (self._store.job if kind == _JOB else self._store.newest_download)(reference)
            return self._keep(key, record, started)

        reading, joined = await self._shared.read(key, keep, patience)
        # A read that had begun before the caller came does not know of a job made in between: what is not found, and
        # which download is the newest, is looked up once more.
        if joined and (reading is None or (key[0] == _DOWNLOAD and reading.value.status is not JobStatus.PENDING)):
            reading, joined = await self._shared.read(key, keep, patience)
        self._watch.read("shared" if joined else "storage")
        return reading
