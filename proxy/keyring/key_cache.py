"""The keys of the key store that this process has read, in two least-recently-used lists (keys contract, section 3)."""

import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC
from hmac import compare_digest

from adapters.model.key_records import PREFIX_DIGITS, KeyRecord
from adapters.model.ticks import PER_SECOND, UNIX_EPOCH, to_datetime
from proxy.keyring.keyring import KeyGrant, Role
from proxy.keyring.patterns import compile_pattern

# Keys that have a row, and keys that have none. Guesses fill the second list alone.
MAX_KNOWN = 50_000
MAX_UNKNOWN = 50_000

# Seconds after which an entry is read again before it is used.
MAX_AGE = 600.0

# The bytes by which a digest is found. The change row names digests by them.
PREFIX_BYTES = PREFIX_DIGITS // 2

NEVER = float("-inf")


class StoreView:
    """What this process knows of the store's changes. A view ends when everything is marked stale."""

    __slots__ = ("clock", "until", "wall")

    def __init__(self, clock: Callable[[], float], wall: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.wall = wall
        self.until = NEVER
        """When its entries stop to be good without another look, by `clock`."""


@dataclass(frozen=True, slots=True)
class MalformedKey:
    """A row that can't be read, and why."""

    problem: str


Row = KeyRecord | MalformedKey | None
"""What a read of a key finds; None: no row."""


class StoredEntry:
    """What the store has of one digest. A re-read that finds the same row renews the entry; another row ends it."""

    __slots__ = ("_expires", "digest", "grant", "is_named", "is_used", "row", "until", "view")

    def __init__(self, digest: bytes, row: Row) -> None:
        self.digest = digest
        self.row = row
        self.until = NEVER
        self.view: StoreView
        self.is_named = False
        """Whether a look named it as changed and it was not read again since."""
        self.is_used = False
        self._expires: float | None = None
        if isinstance(row, KeyRecord):
            self.grant = _build_grant(row)
            if row.expires is not None:
                self._expires = (row.expires - UNIX_EPOCH) / PER_SECOND

    def is_valid(self) -> bool:
        """Whether a response that was made for this key may be repeated without another look-up; counts as a use."""
        view = self.view
        now = view.clock()
        self.is_used = True
        return now < self.until and now < view.until and (self._expires is None or view.wall() < self._expires)

    def is_fresh(self) -> bool:
        """Whether it may be used without another read."""
        now = self.view.clock()
        return now < self.until and now < self.view.until

    def is_expired(self) -> bool:
        """Whether the key has expired."""
        return self._expires is not None and self._expires <= self.view.wall()

    def renew(self, view: StoreView, until: float) -> None:
        """Makes it good until then, by the clock of its view."""
        self.view, self.until, self.is_named = view, until, False

    def end(self) -> None:
        """Makes it stale."""
        self.until = NEVER


def _build_grant(record: KeyRecord) -> KeyGrant:
    expires = None if record.expires is None else to_datetime(record.expires).astimezone(UTC)
    patterns = None if record.data_sources is None else tuple(map(compile_pattern, record.data_sources))
    return KeyGrant(sys.intern(record.account), Role(record.role), expires, patterns, record.name, record.shadow)


class KeyCache:
    """Entries by the beginning of their digests.

    A look-up leaks nothing by its time: Python hashes bytes with a secret of the process, and the whole digest is
    compared in constant time.
    """

    def __init__(self, max_known: int = MAX_KNOWN, max_unknown: int = MAX_UNKNOWN) -> None:
        self._max_known, self._max_unknown = max_known, max_unknown
        self._known: OrderedDict[bytes, StoredEntry] = OrderedDict()
        self._unknown: OrderedDict[bytes, StoredEntry] = OrderedDict()

    @property
    def known(self) -> int:
        """How many keys with a row there are."""
        return len(self._known)

    @property
    def unknown(self) -> int:
        """How many keys without a row there are."""
        return len(self._unknown)

    def peek(self, digest: bytes) -> StoredEntry | None:
        """The entry of a digest; does not count as a use."""
        prefix = digest[:PREFIX_BYTES]
        entry = self._known.get(prefix) or self._unknown.get(prefix)
        return entry if entry is not None and compare_digest(entry.digest, digest) else None

    def get(self, digest: bytes) -> StoredEntry | None:
        """The entry of a digest; counts as a use."""
        entry = self.peek(digest)
        if entry is not None:
            (self._unknown if entry.row is None else self._known).move_to_end(digest[:PREFIX_BYTES])
        return entry

    def put(self, digest: bytes, row: Row, view: StoreView, until: float) -> StoredEntry:
        """Stores what a read found, and returns its entry: the one that was there where the row is the same."""
        entry = self.peek(digest)
        if entry is None or entry.row != row:
            self._remove(digest[:PREFIX_BYTES])
            entry = StoredEntry(digest, row)
            (self._unknown if row is None else self._known)[digest[:PREFIX_BYTES]] = entry
        entry.renew(view, until)
        self._evict(entry)
        return entry

    def mark(self, prefixes: Collection[bytes]) -> None:
        """Marks entries as changed."""
        for prefix in prefixes:
            for entries in (self._known, self._unknown):
                entry = entries.get(prefix)
                if entry is not None:
                    entry.end()
                    entry.is_named = True

    def forget_unknown(self) -> None:
        """Forgets every key without a row, but those that were named as changed."""
        named = [(prefix, entry) for prefix, entry in self._unknown.items() if entry.is_named]
        self._unknown = OrderedDict(named)

    def _evict(self, newest: StoredEntry) -> None:
        if len(self._unknown) > self._max_unknown:
            self._unknown.popitem(last=False)
        while len(self._known) > self._max_known:
            prefix, entry = self._known.popitem(last=False)
            if entry.is_used or entry is newest:  # used by repeated responses, which don't come by here
                entry.is_used = False
                self._known[prefix] = entry
            else:
                entry.end()  # no look would mark it

    def _remove(self, prefix: bytes) -> None:
        for entries in (self._known, self._unknown):
            entry = entries.pop(prefix, None)
            if entry is not None:
                entry.end()
