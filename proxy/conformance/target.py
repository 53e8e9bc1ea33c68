"""The endpoint under test and what a run may cost: base URL, keys, addresses, certificates and limits."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from proxy.comparison.origins import BaseUrl


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Limits of each request in seconds and bytes, and of the whole run: bytes, requests, seconds, failures."""

    timeout: float = 10
    max_bytes: int = 32_000_000  # a list of 12,000 jobs has up to 16 MB
    total_bytes: int = 1_024_000_000
    total_requests: int = 350
    total_seconds: float = 300
    failures: int = 3


@dataclass(frozen=True, slots=True)
class Target:
    """The endpoint under test. `addresses` replaces DNS for its (host, port) pairs."""

    base: BaseUrl
    key: str = field(repr=False)
    query_key: str | None = field(default=None, repr=False)
    addresses: Mapping[tuple[str, int], str] = field(default_factory=dict)
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)
    limits: ClientLimits = field(default_factory=ClientLimits)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no report may show."""
        return tuple(each for each in (self.key, self.key.swapcase(), self.query_key) if each)
