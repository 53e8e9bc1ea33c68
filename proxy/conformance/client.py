"""Sends GET and HEAD to paths that only read, within limits; the keys go to the endpoint's origin and nowhere else."""

import http.client
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Timer

from proxy.conformance.contract import ROOT
from proxy.conformance.exchange import OUTPUTS, Exchange, KeyChoice, Request
from proxy.conformance.recording import Recording
from proxy.conformance.redaction import Redactor
from proxy.conformance.target import Origin, Target, origin_of

WRONG_KEY = "conformance-made-up-key-0000000000000000"
USER_AGENT = "spatial-data-conformance"
PIECE_BYTES = 65536
AFTER_HEAD_SECONDS = 0.5

_KIND = "LoadDataSource|DataSourceDownload|Geocode|DataSourceRollback"
# One path segment, before and after decoding: two would name a data source, and some GETs of those create a job.
_SEGMENT = r"(?!\.{1,2}(?:/|$))(?:(?!%2f|%5c)[^/\\?#])+"
# Names of actions begin with $, such as $commit; %25 may become one when it is decoded twice.
_NAME = rf"(?!\$|%24|%25){_SEGMENT}"
_READ_ONLY = re.compile(
    rf"""(?xi) (?:
        Dataflows/ListJobs
        | Dataflows/(?:{_KIND})/{_SEGMENT}
        | Dataflows/(?:{_KIND}|ListJobs|Download)/{_SEGMENT}/output/(?:succeeded|failed)
        | data/jobs/{_SEGMENT}/\$getstatus
        | Dataflows/LoadDataSource
        | data
        | data//?{_NAME}/{_NAME}(?:/{_NAME}|/\$metadata)?
        | NoSuchPath
        | Dataflows/NoSuchKind/x
    ) /?"""
)


class NotReadOnlyError(Exception):
    """The request could change something, so it is not sent."""


class UnreachableError(Exception):
    """The endpoint does not answer or refuses a key; the text is a sentence."""


class BudgetExceededError(Exception):
    """The run reaches a limit; the text says which."""


class TransportError(Exception):
    """No whole answer came; the text is a sentence without its full stop."""


def is_read_only(request: Request) -> bool:
    """Whether a request only reads. Links are URLs of storage, which `GET` and `HEAD` can't change."""
    if request.method not in {"GET", "HEAD"}:
        return False
    return request.is_link or (request.root.lower() == ROOT.lower() and bool(_READ_ONLY.fullmatch(request.path)))


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
            with _connect(origin, address, self._target.tls, timeout) as connected:
                connection = http.client.HTTPConnection(origin.host)
                connection.sock = connected
                connection.putrequest(request.method, path, skip_host=True, skip_accept_encoding=True)
                for name, value in headers.items():
                    connection.putheader(name, value)
                connection.endheaders()
                with connection.getresponse() as response:
                    if request.method == "HEAD":
                        body = _read_after_head(response, connected)
                    else:
                        body = _read_body(response, limits.max_bytes) if is_whole else response.read(PIECE_BYTES)
                    return Exchange(request, response.status, response.reason, tuple(response.getheaders()), body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise TransportError(_sentence(error, timeout)) from error

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


@contextmanager
def _connect(origin: Origin, address: str, tls: ssl.SSLContext, timeout: float) -> Iterator[socket.socket]:
    """A connection that a timer ends after `timeout` seconds, whatever the other side sends.

    Raises:
        TimeoutError: the timer ended it.
    """
    expired = Event()
    with socket.create_connection((address, origin.port), timeout) as plain, plain.dup() as handle:

        def expire() -> None:
            expired.set()
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

        timer = Timer(timeout, expire)
        timer.start()
        try:
            is_plain = origin.scheme == "http"
            with plain if is_plain else tls.wrap_socket(plain, server_hostname=origin.host) as connected:
                yield connected
        finally:
            timer.cancel()
            if expired.is_set():
                raise TimeoutError


def _read_body(response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    body = response.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise TransportError(f"its answer is larger than {max_bytes // 1_000_000} MB")
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return body


def _read_after_head(response: http.client.HTTPResponse, connected: socket.socket) -> bytes:
    """What follows the head of an answer to HEAD within a short wait; nothing should."""
    connected.settimeout(AFTER_HEAD_SECONDS)
    try:
        return response.fp.read1(PIECE_BYTES)
    except OSError:
        return b""


# The first kind that fits counts. The errors' own texts are no sentences.
_SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "it did not answer as a whole within {timeout:g} s"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted: {error.verify_message}"),
    (ssl.SSLError, "TLS failed: {error.reason}"),
    (socket.gaierror, "its name has no address"),
    (UnicodeError, "its name has no address"),
    (ConnectionRefusedError, "the connection is refused"),
    (http.client.RemoteDisconnected, "it closed the connection without an answer"),
    (http.client.IncompleteRead, "its answer breaks off"),
    (OSError, "the connection failed: {error.strerror}"),
    (Exception, "its answer is no HTTP: {kind}"),
)


def _sentence(error: Exception, timeout: float) -> str:
    text = next(text for kind, text in _SENTENCES if isinstance(error, kind))
    return text.format(error=error, timeout=timeout, kind=type(error).__name__)
