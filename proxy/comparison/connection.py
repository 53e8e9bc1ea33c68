"""A bounded connection: a timer ends it, an answer is read up to a limit, and each failure is a sentence."""

import http.client
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Timer
from typing import NamedTuple

from proxy.comparison.origins import Origin

MEGABYTE = 1_000_000


class TransportError(Exception):
    """No whole answer came; the text is a sentence without its full stop, and holds neither a key nor a query."""


@contextmanager
def connect(
    origin: Origin, address: tuple[str, int], tls: ssl.SSLContext, timeout: float, total: float = 0
) -> Iterator[socket.socket]:
    """A connection that a timer ends after `timeout` seconds, whatever the other side sends.

    Args:
        origin: what the certificate must name.
        address: where to connect to: a name or an IP address, and a port.
        tls: the trusted authorities.
        timeout: seconds for each read, and for all where `total` is 0.
        total: seconds until the timer ends the connection.

    Raises:
        TimeoutError: the timer ended it.
    """
    expired = Event()
    with socket.create_connection(address, timeout) as plain, plain.dup() as handle:

        def expire() -> None:
            expired.set()
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

        timer = Timer(total or timeout, expire)
        timer.daemon = True  # Ctrl-C need not wait for it
        timer.start()
        try:
            is_plain = origin.scheme == "http"
            with plain if is_plain else tls.wrap_socket(plain, server_hostname=origin.host) as connected:
                yield connected
        finally:
            timer.cancel()
            if expired.is_set():
                raise TimeoutError


class HttpRequest(NamedTuple):
    """A request as it is sent. `target` is the path with the query; `fields` are all headers, Host among them."""

    method: str
    target: str
    fields: Iterable[tuple[str, str]]
    body: bytes = b""


@contextmanager
def send_request(connected: socket.socket, request: HttpRequest) -> Iterator[http.client.HTTPResponse]:
    """Sends a request on a connection, and gives the head of its answer; the caller reads the body.

    Raises:
        OSError: the connection fails.
        http.client.HTTPException: the answer is no HTTP.
    """
    connection = http.client.HTTPConnection("")  # it is connected already
    connection.sock = connected
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.fields:
        connection.putheader(name, value)
    with suppress(BrokenPipeError, ConnectionResetError):  # an answer may come before the whole body left
        connection.endheaders(request.body or None)
    with connection.getresponse() as response:
        yield response


def read_body(response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    """A whole body of at most so many bytes.

    Raises:
        TransportError: it is larger.
        http.client.IncompleteRead: it ends before its announced length.
    """
    body = response.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise TransportError(f"its answer is larger than {max_bytes // MEGABYTE} MB")
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return body


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


def describe_failure(error: Exception, timeout: float) -> str:
    """A sentence about a failure, without its full stop; `timeout` is the limit in seconds."""
    text = next(text for kind, text in _SENTENCES if isinstance(error, kind))
    return text.format(error=error, timeout=timeout, kind=type(error).__name__)
