"""Throttles attempts to guess keys, per client network.

A key already seen from this network, valid or not, is never delayed: repeating it reveals nothing. New keys are delayed
once the network has used up its burst. The delay comes before the look-up, so that a right guess is as slow as a wrong
one. So a valid key that is new to a network waits too while another client there guesses. Each process counts alone.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

# New keys that a network may try at once, and then per second.
BURST = 100
PER_SECOND = 10.0

# A key with a longer delay is refused.
MAX_DELAY_S = 4.0

# How many networks, and how many keys with their networks, are remembered. The longest unused are forgotten first.
MAX_NETWORKS = 10_000
MAX_KEYS = 100_000


class AuthThrottle:
    """A leaky bucket of attempts for each network. Times are seconds of the clock.

    Args:
        clock: tests pass their own.
        burst: new keys that a network may try at once.
        per_second: how many it may try per second after that.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, burst: int = BURST, per_second: float = PER_SECOND
    ) -> None:
        self._clock, self._burst, self._per_second = clock, burst, per_second
        self._attempts: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._known: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    def delay(self, address: str, digest: bytes) -> float | None:
        """Seconds to wait before the look-up of a key; None: too many, refuse it.

        The attempt counts until `record_success` takes it back, so that many at once wait one behind the other.
        """
        network = client_network(address)
        if (network, digest) in self._known:
            self._known.move_to_end((network, digest))
            return 0.0
        attempts = self._level(network) + 1
        seconds = max(0.0, attempts - self._burst) / self._per_second
        if seconds > MAX_DELAY_S:
            return None
        self._set_level(network, attempts)
        return seconds

    def record_success(self, address: str, digest: bytes) -> None:
        """Notes that the key ring has this key."""
        network = client_network(address)
        if (network, digest) not in self._known:
            self._add_known(network, digest)
            self._set_level(network, max(0.0, self._level(network) - 1))

    def record_no_answer(self, address: str, digest: bytes) -> None:
        """Takes an attempt back that revealed nothing, because the key could not be looked up."""
        network = client_network(address)
        if (network, digest) not in self._known:  # else it did not count
            self._set_level(network, max(0.0, self._level(network) - 1))

    def record_failure(self, address: str, digest: bytes) -> None:
        """Notes that the key ring does not have it."""
        self._add_known(client_network(address), digest)

    @property
    def remembered(self) -> tuple[int, int]:
        """How many networks and how many keys are remembered."""
        return len(self._attempts), len(self._known)

    def _add_known(self, network: str, digest: bytes) -> None:
        self._known[network, digest] = None
        if len(self._known) > MAX_KEYS:
            self._known.popitem(last=False)

    def _level(self, network: str) -> float:
        attempts, at = self._attempts.get(network, (0.0, 0.0))
        return max(0.0, attempts - (self._clock() - at) * self._per_second)

    def _set_level(self, network: str, attempts: float) -> None:
        self._attempts[network] = (attempts, self._clock())
        self._attempts.move_to_end(network)
        if len(self._attempts) > MAX_NETWORKS:
            self._attempts.popitem(last=False)


@lru_cache(maxsize=MAX_NETWORKS)
def client_network(address: str) -> str:
    """The network that counts as one client: an IPv4 address, or the /64 of an IPv6 one, which one customer has."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
