"""One request on a connection of its own, bounded in time and size whatever the other side does."""

import http.client
import io
import socket
import ssl
import time
from dataclasses import dataclass
from typing import cast

from proxy.conformance.target import Origin

PIECE = 65536
AFTER_HEAD_SECONDS = 0.5


class TransportError(Exception):
    """No whole answer came; the text is a sentence without its full stop."""


class ResponseTooLargeError(Exception):
    """More came than an answer may have."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer as it came."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class _Bounded(io.RawIOBase):
    """What comes on a socket, until a moment of the monotonic clock, and so many bytes at the most."""

    def __init__(self, connected: socket.socket, ends: float, left: int) -> None:
        self._connected = connected
        self.ends = ends
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        if self._left <= 0:
            raise ResponseTooLargeError
        self._connected.settimeout(remaining(self.ends))
        count = self._connected.recv_into(memoryview(buffer)[: self._left])
        self._left -= count
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What http.client asks of a socket."""
        return io.BufferedReader(self, PIECE)


def remaining(ends: float) -> float:
    """The seconds until then.

    Raises:
        TimeoutError: there are none.
    """
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one answer may cost: seconds for all of it together, bytes of its head and its body together.

    Of a body that is not wanted as a whole no more than its first piece is read.
    """

    seconds: float
    size: int
    whole: bool = True


def exchange(origin: Origin, address: str, request: bytes, tls: ssl.SSLContext, bounds: Bounds) -> HttpResponse:
    """Sends a request to an address, and reads its answer.

    Args:
        origin: whose certificate is expected, and the port.
        address: a host name or an IP address.
        request: the whole request; it says that the connection is to be closed.
        tls: what is trusted.
        bounds: of time and size.

    Raises:
        WireError: no whole answer came.
    """
    ends = time.monotonic() + bounds.seconds
    try:
        with socket.create_connection((address, origin.port), timeout=bounds.seconds) as plain:
            if origin.scheme == "http":
                return _talk(plain, request, ends, bounds)
            plain.settimeout(remaining(ends))
            with tls.wrap_socket(plain, server_hostname=origin.host) as connected:
                return _talk(connected, request, ends, bounds)
    except (OSError, http.client.HTTPException, ValueError, ResponseTooLargeError) as error:
        raise TransportError(_sentence(error, bounds)) from error


def _talk(connected: socket.socket, request: bytes, ends: float, bounds: Bounds) -> HttpResponse:
    connected.settimeout(remaining(ends))
    connected.sendall(request)
    bounded = _Bounded(connected, ends, bounds.size)
    is_head = request.startswith(b"HEAD ")
    response = http.client.HTTPResponse(cast("socket.socket", bounded), method="HEAD" if is_head else "GET")
    try:
        response.begin()
        headers = tuple(response.getheaders())
        return HttpResponse(
            response.status, response.reason, headers, _body(response, bounded, bounds, is_head=is_head)
        )
    finally:
        response.close()


def _body(response: http.client.HTTPResponse, bounded: _Bounded, bounds: Bounds, *, is_head: bool) -> bytes:
    if is_head:
        return _after_head(response, bounded)
    if not bounds.whole:
        return response.read(PIECE)
    body = b"".join(iter(lambda: response.read(PIECE), b""))
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return body


def _after_head(response: http.client.HTTPResponse, bounded: _Bounded) -> bytes:
    """What comes after the head of an answer to HEAD, which is to be nothing: a little while is waited for it."""
    bounded.ends = min(bounded.ends, time.monotonic() + AFTER_HEAD_SECONDS)
    try:
        return response.fp.read1(PIECE)
    except OSError:
        return b""


# The first that fits; what each kind of error says of itself would be no sentence.
_SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "it did not answer as a whole within {seconds:g} s"),
    (ResponseTooLargeError, "its answer is larger than {megabytes} MB"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted: {error.verify_message}"),
    (ssl.SSLError, "TLS failed: {error.reason}"),
    (socket.gaierror, "its name has no address"),
    (UnicodeError, "its name has no address"),
    (ConnectionRefusedError, "nobody listens there"),
    (http.client.RemoteDisconnected, "it closed the connection without an answer"),
    (http.client.IncompleteRead, "its answer breaks off"),
    (OSError, "the connection failed: {error.strerror}"),
    (Exception, "its answer is no HTTP: {kind}"),
)


def _sentence(error: Exception, bounds: Bounds) -> str:
    text = next(text for kind, text in _SENTENCES if isinstance(error, kind))
    megabytes = bounds.size // 1_000_000
    return text.format(error=error, seconds=bounds.seconds, megabytes=megabytes, kind=type(error).__name__)
