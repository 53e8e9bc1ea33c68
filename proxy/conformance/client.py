"""Sends GET and HEAD to paths that only read, within limits; the keys go to the endpoint's origin and nowhere else."""

import http.client
import socket
import time
from collections.abc import Callable

from proxy.comparison.connection import HttpRequest, TransportError, connect, describe_failure, read_body, send_request
from proxy.comparison.origins import Origin, origin_of
from proxy.comparison.read_only import READING, only_reads
from proxy.comparison.redaction import Redactor
from proxy.conformance.contract import ROOT
from proxy.conformance.exchange import OUTPUTS, Exchange, KeyChoice, Request
from proxy.conformance.recording import Recording
from proxy.conformance.target import Target

WRONG_KEY = "conformance-made-up-key-0000000000000000"
USER_AGENT = "spatial-data-conformance"
PIECE_BYTES = 65536
AFTER_HEAD_SECONDS = 0.5


class NotReadOnlyError(Exception):
    """The request could change something, so it is not sent."""


class UnreachableError(Exception):
    """The endpoint does not answer or refuses a key; the text is a sentence."""


class BudgetExceededError(Exception):
    """The run reaches a limit; the text says which."""


def is_read_only(request: Request) -> bool:
    """Whether a request only reads. Links are URLs of storage, which `GET` and `HEAD` can't change."""
    if request.is_link:
        return request.method in READING
    return request.root.lower() == ROOT.lower() and only_reads(request.method, request.path)


class Client:
    """Sends requests to an endpoint, each on its own connection, and records the exchanges."""

    def __init__(self, target: Target, on_answer: Callable[[], object] = lambda: None) -> None:
        """`on_answer` is called after each answer."""
        self._target = target
        self._on_answer = on_answer
        self._redactor = Redactor(target.secrets)
        self._deadline = time.monotonic() + target.limits.total_seconds
        self._failures = 0
        self._bytes = 0
        self._keys = {
            KeyChoice.MASTER: target.key,
            KeyChoice.QUERY: target.query_key or "",
            KeyChoice.EMPTY: "",
            KeyChoice.WRONG: WRONG_KEY,
            KeyChoice.OTHER_CASE: target.key.swapcase(),
        }
        self.recording = Recording(secrets=target.secrets, scheme=target.base.origin.scheme)

    def send(self, request: Request) -> Exchange:
        """Sends a request and records the exchange.

        Raises:
            BudgetExceededError: a limit of the run is reached.
            NotReadOnlyError: the request may do more than read.
        """
        if not is_read_only(request):
            raise NotReadOnlyError(request.purpose.name)
        self._check_budget()
        try:
            exchange = self._exchange(request)
        except TransportError as error:
            if time.monotonic() > self._deadline:  # the end of the run cut the request short
                raise BudgetExceededError(self._out_of_time) from error
            self._failures += not request.is_link  # unreachable storage is no failure of the endpoint
            exchange = Exchange(request, failure=str(error))
        self._bytes += len(exchange.body)
        self._on_answer()
        return self.recording.add(exchange)

    def _check_budget(self) -> None:
        limits = self._target.limits
        if len(self.recording.exchanges) >= limits.total_requests:
            raise BudgetExceededError(f"after {limits.total_requests} requests, the limit")
        if self._failures >= limits.failures:
            raise BudgetExceededError(f"after {limits.failures} requests without an answer")
        if time.monotonic() > self._deadline:
            raise BudgetExceededError(self._out_of_time)
        if self._bytes > limits.total_bytes:
            raise BudgetExceededError(f"after {limits.total_bytes // 1_000_000} MB of answers")

    @property
    def _out_of_time(self) -> str:
        return f"after {self._target.limits.total_seconds:g} s"

    def _exchange(self, request: Request) -> Exchange:
        origin, path = self._locate(request)
        limits = self._target.limits
        timeout = max(0.1, min(limits.timeout, self._deadline - time.monotonic()))
        address = self._target.addresses.get((origin.host, origin.port), origin.host)
        headers = {"Host": origin.host_header, "User-Agent": USER_AGENT, "Connection": "close", **dict(request.headers)}
        # Of an output the first bytes are enough.
        is_whole = not request.is_link and request.purpose not in OUTPUTS
        try:
            with (
                connect(origin, (address, origin.port), self._target.tls, timeout) as connected,
                send_request(connected, HttpRequest(request.method, path, headers.items())) as response,
            ):
                if request.method == "HEAD":
                    body = _read_after_head(response, connected)
                else:
                    body = read_body(response, limits.max_bytes) if is_whole else response.read(PIECE_BYTES)
                return Exchange(request, response.status, response.reason, tuple(response.getheaders()), body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise TransportError(describe_failure(error, timeout)) from error

    def _locate(self, request: Request) -> tuple[Origin, str]:
        base = self._target.base
        if not request.is_link:
            return base.origin, f"{base.prefix}{request.root}{request.target(self._keys.get(request.key))}"
        try:
            origin, parts = origin_of(request.path)
        except ValueError:
            raise TransportError("it is no http or https URL") from None
        if self._redactor.finds_secret(request.path.encode()):
            raise TransportError("it has the key in it, which goes to the endpoint alone")
        if origin.scheme == "http" and base.origin.scheme == "https":
            raise TransportError("it is not https, as the endpoint is")
        # Clients send no fragment.
        return origin, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _read_after_head(response: http.client.HTTPResponse, connected: socket.socket) -> bytes:
    """What follows the head of an answer to HEAD within a short wait; nothing should."""
    connected.settimeout(AFTER_HEAD_SECONDS)
    try:
        return response.fp.read1(PIECE_BYTES)
    except OSError:
        return b""
