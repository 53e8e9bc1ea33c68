"""Metrics of the key store: what this process knows of it, and how many keys it has (keys contract, section 3)."""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256

from adapters.credentials.config import StorageEntry
from adapters.errors import StorageError
from adapters.instrumentation import StorageObserver
from adapters.model.key_records import KeyRecord
from adapters.model.ticks import PER_SECOND, UNIX_EPOCH, Ticks, from_datetime
from adapters.tables.key_table import KeyTable
from proxy.keyring.reload import ActiveKeyRing
from proxy.keyring.store import READ_RESULTS, StoredKeys
from proxy.observability.metrics.catalog import OTHER, Metrics
from proxy.observability.metrics.process_lock import ProcessLock

log = logging.getLogger(__name__)

# Seconds between two counts, and between two tries to be the process that counts.
COUNT_SECONDS = 600.0
TRY_SECONDS = 30.0

# Rows that are counted before other work of the event loop has its turn.
ROWS_AT_ONCE = 100

PROPERTIES = "RowKey,Account,Role,ExpiresAt,RevokedAt"
"""What a count asks of each row. A row of an unknown role counts as none."""

STATES = ("valid", "expired", "revoked")


def watch_key_store(ring: ActiveKeyRing, metrics: Metrics) -> None:
    """Lets each scrape see what this process knows of the key store in use."""
    started = time.monotonic()

    def read(value: Callable[[StoredKeys], float]) -> Callable[[], float]:
        return lambda: value(ring.keys) if isinstance(ring.keys, StoredKeys) else math.nan

    def age(keys: StoredKeys) -> float:
        return keys.age_seconds if keys.is_ready else time.monotonic() - started

    for result in READ_RESULTS:
        metrics.key_store_reads.labels(result)
    metrics.key_store_age.set_function(read(age))
    for kind, count in {"known": lambda keys: keys.known, "unknown": lambda keys: keys.unknown}.items():
        metrics.key_cache_entries.labels(kind).set_function(read(count))


class KeyStoreInventory:
    """Counts the keys of the store by account and state, in one process of a machine.

    A server's identity may only read the store, so it can't take a lease there: of several machines each counts.
    """

    def __init__(
        self, ring: ActiveKeyRing, metrics: Metrics, table: str, timeout: float, observer: StorageObserver
    ) -> None:
        """Counts nothing yet.

        Args:
            ring: the key ring in use.
            metrics: takes the counts.
            table: the name of the store's table.
            timeout: seconds for one page of rows.
            observer: is called for each request to the store.
        """
        self._ring = ring
        self._metrics = metrics
        self._open_table = partial(KeyTable, table=table, timeout=timeout, observer=observer)
        self._entry: StorageEntry | None = None
        self._store: tuple[KeyTable, ProcessLock] | None = None
        self._due = 0.0

    async def run(self) -> None:
        """Counts until it is cancelled."""
        try:
            while True:
                try:
                    await self.collect()
                except StorageError as error:
                    hint = error.code.value.hint
                    log.warning("key store: its keys can't be counted: %s", error, extra={"hint": hint})
                except Exception:
                    log.exception("key store: its keys can't be counted")
                await asyncio.sleep(TRY_SECONDS)
        finally:
            await self._close()

    async def collect(self) -> None:
        """Counts, if it is time to and no other process does.

        Raises:
            StorageError: the store can't be read. The next try is at the next count's time.
        """
        if (entry := self._ring.keyring.key_store) != self._entry:
            await self._close()
            if entry is not None:
                table = self._open_table(entry)
                self._store = table, ProcessLock(sha256(table.url.encode()).hexdigest()[:16])
            self._entry = entry
        if self._store is None or time.monotonic() < self._due:
            return
        table, lock = self._store
        if lock.acquire():
            self._due = time.monotonic() + COUNT_SECONDS
            await self._count(table)

    async def _close(self) -> None:
        """Lets another process count, and forgets the counts, which nobody would renew."""
        if self._store is not None:
            table, lock = self._store
            self._entry, self._store, self._due = None, None, 0.0
            for gauge in (self._metrics.keys, self._metrics.next_key_expiry):
                gauge.clear()
            lock.release()
            await table.close()

    async def _count(self, table: KeyTable) -> None:
        found, ends, seen, now = Counter[tuple[str, str]](), dict[str, Ticks](), 0, from_datetime(datetime.now(UTC))
        async for key in table.list_keys(select=PROPERTIES):
            seen += 1
            if seen % ROWS_AT_ONCE == 0:
                await asyncio.sleep(0)
            if isinstance(key, KeyRecord):
                state = _state(key, now)
                found[key.account, state] += 1
                if state == "valid" and key.expires is not None:
                    ends[key.account] = min(key.expires, ends.get(key.account, key.expires))
        for name in self._ring.keyring.accounts:
            if self._metrics.account_label(name) == OTHER:
                continue
            for state in STATES:
                self._metrics.keys.labels(name, state).set(found[name, state])
            end = ends.get(name)
            seconds = math.nan if end is None else (end - UNIX_EPOCH) / PER_SECOND
            self._metrics.next_key_expiry.labels(name).set(seconds)


def _state(key: KeyRecord, now: Ticks) -> str:
    if key.revoked is not None:
        return "revoked"
    return "expired" if key.expires is not None and key.expires <= now else "valid"
