"""Answers that may be given again: the same request, the same address, the same ring, only another traceId.

What a request costs is the reading of its path, its key and its record, the links and the rendering. All that is the
same for each poll until the record may have changed, so it is kept, found by a digest of the request: no key is kept.
"""

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from starlette.types import Scope

from adapters.remembered import Reading
from proxy.keyring import KeyRing
from proxy.request_log import Line
from proxy.watching.request_watch import SeenAgain

# Answers kept; the longest kept go first. One is about 3 KB, a job list of 750 jobs half a megabyte.
ANSWERS = 10_000
LARGEST = 16 * 1024
LARGE_ANSWERS = 32

# Headers that are kept once for all answers that have the same; those of two answers differ by their length only.
HEADERS = 1_000


@dataclass(frozen=True, slots=True)
class Validity:
    """How long an answer holds: under one ring, until the key's end, while its reading is fresh and its links are."""

    ring: KeyRing
    key_expires: datetime | None
    reading: Reading[Any]
    links_until: float

    def holds(self, ring: KeyRing, now: float) -> bool:
        """Whether it holds under this ring, at this time of the monotonic clock."""
        return self.holds_of(self.reading, ring, now) and self.reading.is_fresh(now)

    def holds_of(self, reading: Reading[Any], ring: KeyRing, now: float) -> bool:
        """Whether it holds of what has just been read: the same as before, then, and the rest holds too."""
        return (
            self.reading is reading
            and self.ring is ring
            and now < self.links_until
            and (self.key_expires is None or datetime.now(UTC) < self.key_expires)
        )


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: its bytes before and after the traceId, its headers, its line in the log, and who looks on."""

    before: bytes
    after: bytes
    headers: list[tuple[bytes, bytes]]
    line: Line
    validity: Validity
    seen: SeenAgain | None = None


class SaidBefore:
    """A bounded memory of answers."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._headers: dict[tuple[tuple[bytes, bytes], ...], list[tuple[bytes, bytes]]] = {}
        self._small: OrderedDict[bytes, Said] = OrderedDict()
        self._large: OrderedDict[bytes, Said] = OrderedDict()

    def place_of(self, scope: Scope, base: str) -> bytes:
        """Where the answer to a request is kept, whose links have this base.

        The address is part of it: who guesses keys elsewhere gains nothing by what this address was told.
        """
        client = scope.get("client")
        text = b"%b\0%b\0%b\0%b\0%b" % (
            base.encode(),
            scope["method"].encode(),
            (client[0] if client else "").encode(),
            scope["raw_path"],
            scope["query_string"],
        )
        return hashlib.blake2b(text, digest_size=16, key=self._secret).digest()

    def find(self, place: bytes, ring: KeyRing, now: float) -> Said | None:
        """The answer kept there, if it still holds."""
        said = self._small.get(place) or self._large.get(place)
        return said if said is not None and said.validity.holds(ring, now) else None

    def find_of(self, place: bytes, reading: Reading[Any], ring: KeyRing, now: float) -> Said | None:
        """The answer kept there, if it was made of what has just been read."""
        said = self._small.get(place) or self._large.get(place)
        return said if said is not None and said.validity.holds_of(reading, ring, now) else None

    def keep(self, place: bytes, said: Said) -> None:
        """Keeps an answer."""
        said = replace(said, headers=self._headers.setdefault(tuple(said.headers), said.headers))
        if len(self._headers) > HEADERS:
            self._headers.clear()
        large = len(said.before) + len(said.after) > LARGEST
        kept, most = (self._large, LARGE_ANSWERS) if large else (self._small, ANSWERS)
        kept.pop(place, None)
        kept[place] = said
        if len(kept) > most:
            kept.popitem(last=False)
