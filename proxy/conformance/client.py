"""Asks an endpoint: GET and HEAD only, within limits, and its key goes to nobody else."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from proxy.conformance.allowlist import is_read_only
from proxy.conformance.exchange import OUTPUTS, ROOT, Exchange, Key, Request
from proxy.conformance.http import Bounds, HttpResponse, TransportError, exchange
from proxy.conformance.long_lists import LongLists
from proxy.conformance.parsed import ParsedEnvelope
from proxy.conformance.parser import read
from proxy.conformance.redaction import holds
from proxy.conformance.target import BaseUrl, Origin, origin_of

READING = frozenset(("GET", "HEAD"))
WRONG_KEY = "conformance-made-up-key-0000000000000000"
AGENT = "spatial-data-conformance"


class NotReadOnlyError(Exception):
    """A request that could change something; it is not made."""


class UnreachableError(Exception):
    """The endpoint could not be asked, or refuses a key; the text is a sentence."""


class BudgetExceededError(Exception):
    """No more is asked; the text says why."""


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """What asking may cost: seconds and bytes for each request, and for all; requests; failures until it ends."""

    seconds: float = 10
    size: int = 32_000_000  # a list of 12,000 jobs has up to 16 MB, and may be asked for 32 times
    all_size: int = 1_024_000_000
    requests: int = 250
    all_seconds: float = 300
    failures: int = 3


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked, and how: addresses by host and port stand in for those of the DNS."""

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


class Client:
    """Makes exchanges of requests, each on a connection of its own."""

    def __init__(self, endpoint: Target, asked: Callable[[], object] = lambda: None) -> None:
        """`asked` is called with each answer."""
        self._endpoint = endpoint
        self._asked = asked
        self.long_lists = LongLists()
        self._ends = time.monotonic() + endpoint.limits.all_seconds
        self._failed = 0
        self._size = 0
        self.exchanges: list[Exchange] = []

    def ask(self, ask: Request) -> Exchange:
        """Asks, and remembers.

        Raises:
            GaveUpError: a limit is reached.
            NotReadOnlyError: the request may do more than read.
        """
        limits = self._endpoint.limits
        may_be_read = ask.root.lower() == ROOT.lower() and is_read_only(ask.path)
        if ask.method not in READING or not (ask.is_link or may_be_read):
            raise NotReadOnlyError(ask.purpose.name)
        if len(self.exchanges) >= limits.requests:
            raise BudgetExceededError(f"after {limits.requests} requests, as many as are made")
        if self._failed >= limits.failures:
            raise BudgetExceededError(f"after {limits.failures} requests without an answer")
        if time.monotonic() > self._ends:
            raise BudgetExceededError(f"after {limits.all_seconds:g} s")
        if self._size > limits.all_size:
            raise BudgetExceededError(f"after {limits.all_size // 1_000_000} MB of answers")
        try:
            answer = self._send(ask)
            found = Exchange(
                ask=ask, status=answer.status, reason=answer.reason, headers=answer.headers, body=answer.body
            )
        except TransportError as error:
            if time.monotonic() > self._ends:  # the request had less time than is its due
                raise BudgetExceededError(f"after {limits.all_seconds:g} s") from error
            self._failed += not ask.is_link  # storage that is out of reach is not the endpoint's silence
            found = Exchange(ask=ask, failure=str(error))
        self._size += len(found.body)
        found = self.long_lists.keep(found)
        self.exchanges.append(found)
        self._asked()
        return found

    def envelope_of(self, exchange: Exchange) -> ParsedEnvelope | None:
        """The envelope of an answer, None where it has none that could be read."""
        return self.long_lists.envelopes.get(id(exchange)) or read(exchange)

    def _send(self, ask: Request) -> HttpResponse:
        base = self._endpoint.base
        if not ask.is_link:
            target = f"{base.prefix}{ask.root}{ask.target(self._key(ask.key))}"
            return self._exchange(base.origin, ask, target)
        try:
            origin, parts = origin_of(ask.path)
        except ValueError:
            raise TransportError("it is no URL that can be asked") from None
        if holds(ask.path.encode(), self._endpoint.secrets):
            raise TransportError("it has the key in it, which goes to the endpoint alone")
        if origin.scheme == "http" and base.origin.scheme == "https":
            raise TransportError("it is not https, as the endpoint is")
        # As a client sends it: without the fragment.
        return self._exchange(origin, ask, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))

    def _exchange(self, origin: Origin, ask: Request, target: str) -> HttpResponse:
        given = dict(ask.headers)
        headers = {"Host": origin.host_header, "User-Agent": AGENT, "Connection": "close"} | given
        lines = [f"{ask.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        address = self._endpoint.addresses.get((origin.host, origin.port), origin.host)
        limits = self._endpoint.limits
        seconds = max(0.1, min(limits.seconds, self._ends - time.monotonic()))
        bounds = Bounds(seconds, limits.size, whole=not (ask.is_link or ask.purpose in OUTPUTS))
        return exchange(origin, address, "\r\n".join(lines).encode("ascii"), self._endpoint.tls, bounds)

    def _key(self, which: Key) -> str | None:
        endpoint = self._endpoint
        keys = {
            Key.GOOD: endpoint.key,
            Key.QUERY: endpoint.query_key or "",
            Key.EMPTY: "",
            Key.WRONG: WRONG_KEY,
            Key.OTHER_CASE: endpoint.key.swapcase(),
        }
        return keys.get(which)
