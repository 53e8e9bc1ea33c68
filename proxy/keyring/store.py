"""Finds keys in the key store: one read for each key, remembered until it changes (keys contract, section 3)."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Protocol

from adapters.errors import StorageError, StorageErrorCode
from adapters.model.key_records import ChangeLog, KeyRecord
from adapters.request_coalescing import SingleFlight
from adapters.tables.properties import MalformedRowError
from proxy.keyring.change_watch import Changes, ChangeWatch, StoreTiming
from proxy.keyring.key_cache import MAX_AGE, NEVER, PREFIX_BYTES, KeyCache, MalformedKey, Row, StoredEntry, StoreView
from proxy.keyring.keyring import ExpiredKeyError, UnknownKeyError, hash_key
from proxy.keyring.lookup import KeyStoreUnavailableError, RevokedKeyError, UnreadableKeyError
from proxy.keyring.miss_limiter import MissLimiter

log = logging.getLogger(__name__)

# Hex digits by which a log line names a key.
LOGGED_DIGITS = 12

# Seconds for which an old entry is used where it can't be read again.
RETRY_SECONDS = 1.0

# The part of a read's deadline for which a caller waits whose old entry is good enough without it.
STALE_WAIT_FRACTION = 0.25

# What a read of the store ends with: a key's row is there or not, or can't be read; the change row was read; storage
# did not answer; the limit of reads without a row refused it.
READ_RESULTS = ("found", "missing", "malformed", "looked", "failed", "shed")


class KeyReader(Protocol):
    """Reads the key store; `adapters.tables.key_table.KeyTable` does. Raises StorageError and MalformedRowError."""

    async def read_key(self, digest: str) -> KeyRecord | None:
        """The key of this digest, 64 hex digits; None: it has no row."""
        ...

    async def read_changes(self) -> ChangeLog | None:
        """The change row, within a second; None: the table has none."""
        ...

    async def close(self) -> None:
        """Closes the connections."""
        ...


def boot_clock() -> Callable[[], float]:
    """A clock in seconds that goes on while the machine sleeps, where the system has one."""
    boot_time: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic if boot_time is None else partial(time.clock_gettime, boot_time)


class StoredKeys:
    """The keys of a key store; implements `KeyLookup`."""

    def __init__(
        self,
        reader: KeyReader,
        timing: StoreTiming,
        has_account: Callable[[str], bool],
        count: Callable[[str], None] = lambda _: None,
        view: StoreView | None = None,
    ) -> None:
        """Starts without a read.

        Args:
            reader: reads the store; `close` closes it.
            timing: how often to look for changes, and the longest times.
            has_account: whether the key ring in use has this account.
            count: is called with one of READ_RESULTS for each read of the store.
            view: holds the clocks; for tests.
        """
        view = view or StoreView(boot_clock())
        self._reader = reader
        self._timeout = timing.timeout
        self._has_account = has_account
        self._count = count
        self._clock = view.clock
        self._cache = KeyCache()
        self._misses = MissLimiter(self._clock)
        self._flights = SingleFlight()
        self._overtaken: dict[bytes, bool] = {}
        self._watch = ChangeWatch(reader.read_changes, self._apply, timing, view, count)

    @property
    def is_ready(self) -> bool:
        """Whether the store was read at least once."""
        return self._watch.last_good > NEVER

    @property
    def age_seconds(self) -> float:
        """Seconds since the last good look began; infinite before the first."""
        return self._clock() - self._watch.last_good

    @property
    def known(self) -> int:
        """How many keys with a row are in memory."""
        return self._cache.known

    @property
    def unknown(self) -> int:
        """How many keys without a row are in memory."""
        return self._cache.unknown

    async def find(self, digest: bytes, network: str) -> StoredEntry:
        """The entry of a key; raises as `KeyLookup.find` does."""
        while self._watch.is_overdue:
            await self._wait_for(self._watch.look())
        if self._watch.is_expired:
            raise KeyStoreUnavailableError
        entry = self._cache.get(digest)
        if entry is None or not entry.is_fresh() or (entry.row is None and self._watch.is_failing):
            entry = await self._refresh(digest, network)
        return self._judge(entry)

    def is_key(self, text: str) -> bool:
        """Whether a text is a key in memory, revoked and expired ones too."""
        entry = self._cache.peek(hash_key(text.encode("utf-8", "surrogatepass")))
        return entry is not None and entry.row is not None

    async def run(self) -> None:
        """Looks for changes until cancelled."""
        await self._watch.run()

    async def close(self) -> None:
        """Ends reads in flight, and closes the connections."""
        self._watch.close()
        self._flights.close()
        await self._reader.close()

    def _apply(self, changes: Changes) -> None:
        """Applies what a look found. Reads in flight that may have come too early for it are repeated."""
        self._cache.mark(changes.named)
        if changes.everything or changes.added_many:
            self._cache.forget_unknown()
            self._overtaken = dict.fromkeys(self._overtaken, True)
        for prefix in changes.named & self._overtaken.keys():
            self._overtaken[prefix] = True

    async def _refresh(self, digest: bytes, network: str) -> StoredEntry:
        """Reads a key. An entry that is only old, or was marked with all others, is good enough where that fails."""
        entry = self._cache.peek(digest)
        if not self._watch.is_failing:
            try:
                return await self._join_read(digest, network, entry)
            except (StorageError, TimeoutError):
                self._watch.suspect()
            entry = self._cache.peek(digest)  # a look may have named it meanwhile
        if entry is None or not _is_good_enough(entry) or self._watch.is_expired:
            raise KeyStoreUnavailableError
        entry.renew(self._watch.view, self._clock() + RETRY_SECONDS)
        return entry

    async def _join_read(self, digest: bytes, network: str, entry: StoredEntry | None) -> StoredEntry:
        """Reads a key with all who wait for it. Raises StorageError, or TimeoutError, where that takes too long."""
        read = partial(self._read, digest, network)
        if entry is not None and _is_good_enough(entry):
            with suppress(TimeoutError):
                return (await self._flights.run(digest, read, self._timeout * STALE_WAIT_FRACTION))[0]
            if entry.view is self._watch.view:
                raise TimeoutError  # it is only old
            await self._watch.look()  # the table may have been restored: a slow read is worth waiting for
            if self._watch.is_failing:
                raise TimeoutError
        return (await self._flights.run(digest, read))[0]

    async def _read(self, digest: bytes, network: str) -> StoredEntry:
        try:
            async with asyncio.timeout(self._timeout):
                if _is_unlimited(self._cache.peek(digest)):
                    return await self._read_current(digest)
                async with self._misses.slot(network) as slot:
                    entry = await self._read_current(digest)
                    slot.missed = entry.row is None
                    return entry
        except (StorageError, TimeoutError):
            self._count("failed")
            raise
        except KeyStoreUnavailableError:
            self._count("shed")
            raise

    async def _read_current(self, digest: bytes) -> StoredEntry:
        """Reads a row, again where a look says that it changed meanwhile."""
        prefix = digest[:PREFIX_BYTES]
        try:
            while True:
                self._overtaken[prefix] = False
                began = self._clock()
                row = await self._read_row(digest)
                if not self._overtaken.get(prefix, True):
                    return self._cache.put(digest, row, self._watch.view, began + MAX_AGE)
        finally:
            self._overtaken.pop(prefix, None)

    async def _read_row(self, digest: bytes) -> Row:
        before = self._cache.peek(digest)
        row: Row
        try:
            row = await self._reader.read_key(digest.hex())
        except MalformedRowError as error:
            row = MalformedKey(str(error))
        self._count("missing" if row is None else "malformed" if isinstance(row, MalformedKey) else "found")
        if row is None and before is not None and before.row is not None:
            # The table itself may have been deleted or emptied, and nobody knows then what the key may do.
            await self._watch.look()
            if self._watch.is_failing:
                raise StorageError(StorageErrorCode.NO_TABLE)
        if before is None or before.row != row:
            self._log_unreadable(digest, row)
        return row

    def _log_unreadable(self, digest: bytes, row: Row) -> None:
        problem = row.problem if isinstance(row, MalformedKey) else ""
        if isinstance(row, KeyRecord) and not self._has_account(row.account):
            problem = "its account is not in the key ring"
        if problem:
            log.warning("key store: the row of key %s can't be used: %s", digest.hex()[:LOGGED_DIGITS], problem)

    def _judge(self, entry: StoredEntry) -> StoredEntry:
        row = entry.row
        if row is None:
            raise UnknownKeyError
        if isinstance(row, MalformedKey):
            raise UnreadableKeyError
        if row.revoked is not None:
            raise RevokedKeyError(row.name)
        if entry.is_expired():
            raise ExpiredKeyError
        if not self._has_account(row.account):
            raise UnreadableKeyError
        return entry

    async def _wait_for(self, look: Awaitable[None]) -> None:
        try:
            await look
        except StorageError:  # the process ends
            raise KeyStoreUnavailableError from None


def _is_good_enough(entry: StoredEntry | None) -> bool:
    """Whether an entry may be used where it can't be read again."""
    return entry is not None and entry.row is not None and not entry.is_named


def _is_unlimited(entry: StoredEntry | None) -> bool:
    """Whether another read of an entry may find no row without a limit: guesses can't make such entries."""
    return entry is not None and (entry.row is not None or entry.is_named)
