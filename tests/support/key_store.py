"""A key store in memory with a clock that the test moves, to try each rule of reading at its exact moment."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import sha256

from adapters.errors import StorageError, StorageErrorCode
from adapters.model.key_records import ADDED_MANY, MAX_RECENT, PREFIX_DIGITS, ChangeLog, KeyRecord
from adapters.tables.properties import MalformedRowError
from proxy.keyring.change_watch import StoreTiming
from proxy.keyring.key_cache import StoreView
from proxy.keyring.store import StoredKeys

INTERVAL, STALE, TIMEOUT = 5.0, 3600.0, 4.0
TIMING = StoreTiming(INTERVAL, STALE, TIMEOUT)
UNREACHABLE = StorageError(StorageErrorCode.UNREACHABLE, "ClientConnectorError")
NETWORK = "192.0.2.1"


def digest_of(key: str) -> bytes:
    """The digest of a key."""
    return sha256(key.encode()).digest()


class FakeKeyStore:
    """Rows by the text of their keys. What a writer does is to write a row, and then to announce it."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.wall = 1_800_000_000.0
        self.rows: dict[str, KeyRecord | MalformedRowError] = {}
        self.changes: ChangeLog | None = ChangeLog("first", 0)
        self.look_error: Exception | None = None
        self.read_error: Exception | None = None
        self.reads: Counter[str] = Counter()
        self.looks = 0
        self.results: Counter[str] = Counter()
        self.during_read: Callable[[], Awaitable[object]] | None = None
        """Runs once, after the next read has seen its row and before it returns."""
        self.during_look: Callable[[], Awaitable[object]] | None = None

    def keys(self, timing: StoreTiming = TIMING, accounts: tuple[str, ...] = ("contoso",)) -> StoredKeys:
        """A process that reads this store."""
        view = StoreView(lambda: self.now, lambda: self.wall)
        return StoredKeys(self, timing, accounts.__contains__, lambda result: self.results.update([result]), view)

    def write(self, key: str, **properties: object) -> None:
        """Writes a row and does not announce it."""
        digest = digest_of(key).hex()
        known = self.rows.get(digest)
        record = known if isinstance(known, KeyRecord) else KeyRecord(digest, "contoso")
        self.rows[digest] = replace(record, **properties)  # type: ignore[arg-type]  # the test names them

    def announce(self, *keys: str) -> None:
        """Adds keys, or `+`, to the change row."""
        log = self.changes or ChangeLog("first", 0)
        for key in keys:
            named = key if key == ADDED_MANY else digest_of(key).hex()[:PREFIX_DIGITS]
            recent = ((log.sequence + 1, named), *log.recent)
            log = replace(log, sequence=log.sequence + 1, recent=recent[:MAX_RECENT])
        self.changes = log

    def fail(self, error: Exception | None = UNREACHABLE) -> None:
        """Lets looks and reads fail; None: they are well again."""
        self.look_error = self.read_error = error

    async def read_key(self, digest: str) -> KeyRecord | None:
        """The row of a key."""
        self.reads[digest] += 1
        if self.read_error is not None:
            raise self.read_error
        row = self.rows.get(digest)
        if self.during_read is not None:
            work, self.during_read = self.during_read, None
            await work()
        if isinstance(row, MalformedRowError):
            raise row
        return row

    async def read_changes(self) -> ChangeLog | None:
        """The change row."""
        self.looks += 1
        changes, error = self.changes, self.look_error
        if self.during_look is not None:
            work, self.during_look = self.during_look, None
            await work()
        if error is not None:
            raise error
        return changes

    async def close(self) -> None:
        """Does nothing."""

    def reads_of(self, key: str) -> int:
        """How often the row of a key was read."""
        return self.reads[digest_of(key).hex()]


async def find(keys: StoredKeys, key: str, network: str = NETWORK) -> str:
    """How a look-up ends: the account that the key opens, or the error's name."""
    try:
        return (await keys.find(digest_of(key), network)).grant.account
    except Exception as error:  # noqa: BLE001 - the test compares it
        return type(error).__name__


async def look(keys: StoredKeys, store: FakeKeyStore) -> None:
    """Lets an interval pass, and the process look."""
    store.now += INTERVAL
    await keys._watch.look()  # noqa: SLF001 - `run` looks by the clock of the event loop
