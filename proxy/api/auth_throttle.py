"""Slows down who guesses keys.

A key that has been good from an address is never held up there, and neither is one that was wrong there before: asking
again tells nothing. Any other key has to wait its turn once its address has tried many. The wait comes before the
look-up, so that a right guess is as slow as a wrong one; so a good key that an address has not used before waits too
while somebody guesses there, for a few seconds at most, or is asked to come again. Each process counts for itself.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address, ip_network

# Wrong keys that an address may try at once, and then in a second.
ALLOWANCE = 100
PER_SECOND = 10.0

# Who would have to wait longer is turned away instead.
LONGEST_WAIT = 4.0

# What is remembered, of addresses and of keys with their addresses; the longest unused are forgotten first.
ADDRESSES = 10_000
KEYS = 100_000


class AuthThrottle:
    """What is known of the addresses that try keys. Times are seconds of the clock given."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._seen: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    def delay(self, address: str, digest: bytes) -> float | None:
        """Seconds that a key has to wait before it is looked up; None: too long, turn it away.

        The try counts until `good` takes it back, so that many at once wait one behind the other.
        """
        place = _place(address)
        if (place, digest) in self._seen:
            self._seen.move_to_end((place, digest))
            return 0.0
        tries = self._level(place) + 1
        seconds = max(0.0, tries - ALLOWANCE) / PER_SECOND
        if seconds > LONGEST_WAIT:
            return None
        self._remember(place, tries)
        return seconds

    def record_success(self, address: str, digest: bytes) -> None:
        """Tells that the ring has this key."""
        place = _place(address)
        if (place, digest) not in self._seen:
            self._see(place, digest)
            self._remember(place, max(0.0, self._level(place) - 1))

    def record_failure(self, address: str, digest: bytes) -> None:
        """Tells that the ring does not have it."""
        self._see(_place(address), digest)

    @property
    def remembered(self) -> tuple[int, int]:
        """How many addresses and how many keys are remembered."""
        return len(self._tries), len(self._seen)

    def _see(self, place: str, digest: bytes) -> None:
        self._seen[place, digest] = None
        if len(self._seen) > KEYS:
            self._seen.popitem(last=False)

    def _level(self, place: str) -> float:
        tries, at = self._tries.get(place, (0.0, 0.0))
        return max(0.0, tries - (self._clock() - at) * PER_SECOND)

    def _remember(self, place: str, tries: float) -> None:
        self._tries[place] = (tries, self._clock())
        self._tries.move_to_end(place)
        if len(self._tries) > ADDRESSES:
            self._tries.popitem(last=False)


def network_of(address: str) -> str:
    """The addresses that count as one: an IPv4 address, or the /64 of an IPv6 one."""
    return _place(address)


@lru_cache(maxsize=ADDRESSES)
def _place(address: str) -> str:
    """Who counts as one: an IPv4 address, or the /64 of an IPv6 one, which a single customer has whole."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 6:  # noqa: PLR2004 - the version of IP
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped is not None else str(ip_network((parsed, 64), strict=False))
    return address
