"""Asks an endpoint of the API. The key goes to the endpoint's own origin and nowhere else (operations.md section 3)."""

import http.client
import ssl
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import quote, urljoin

from proxy.comparison.answer import Answer
from proxy.comparison.connection import (
    MEGABYTE,
    HttpRequest,
    TransportError,
    connect,
    describe_failure,
    read_body,
    send_request,
)
from proxy.comparison.origins import AddressError, Origin, is_loopback, origin_of, parse_base_url, parse_connect_to
from proxy.comparison.read_only import ROOT
from proxy.comparison.redaction import Redactor
from proxy.comparison.truncation import TruncationDetector

USER_AGENT = "spatial-data-comparison"
MAX_BYTES = 64 * MEGABYTE  # a list of 12,000 jobs has up to 16 MB
MAX_REDIRECTS = 5
FETCH_SECONDS = 3600.0
PIECE_BYTES = 262_144

Parameters = Mapping[str, str] | Iterable[tuple[str, str]]


def segment(text: str) -> str:
    """Any text as one segment of a path."""
    return quote(text, safe="", errors="replace")


class Endpoint:
    """An endpoint and a key of it. Several threads may use it: each request has its own connection."""

    def __init__(  # noqa: PLR0913 - each is part of where the endpoint is and how it is reached
        self,
        url: str,
        key: str,
        *,
        connect_to: str | None = None,
        tls: ssl.SSLContext | None = None,
        timeout: float = 30,
        option: str = "the URL",
    ) -> None:
        """Reads the URL; nothing is sent.

        Args:
            url: `https://host[:port][/path]`, with or without /REST/v1 at its end.
            key: goes to this origin alone.
            connect_to: `ADDRESS[:PORT]` in place of what the DNS says of the host.
            tls: the trusted authorities; by default those of the system.
            timeout: seconds for a whole answer; of a fetched file, for each piece.
            option: what the error calls the URL.

        Raises:
            AddressError: the URL or the address can't be read, or the key would go over a network without https.
        """
        self._base = parse_base_url(url, option)
        origin = self._base.origin
        self._address = (origin.host, origin.port)
        if connect_to is not None:
            self._address = parse_connect_to(connect_to, origin.port)
        if origin.scheme != "https" and not is_loopback(self._address[0]):
            raise AddressError(f"{option}: must be https: the key goes there (http is for this machine only)")
        self._is_local = origin.scheme == "http"
        self._key = key
        self._tls = tls or ssl.create_default_context()
        self._timeout = timeout
        self.redactor = Redactor((key,))

    @property
    def url(self) -> str:
        """The URL before /REST/v1/, without a slash at its end."""
        return self._base.url

    def ask(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        path: str,
        parameters: Parameters = (),
        *,
        body: bytes = b"",
        headers: Iterable[tuple[str, str]] = (),
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """Sends a request with the key. A redirect is an answer, and is not followed.

        Args:
            method: of HTTP.
            path: below /REST/v1/, percent-encoded (`segment`), without a query.
            parameters: names and values as they are; the key comes last.
            body: goes with it where it is not empty.
            headers: beside Host, User-Agent, Connection and Content-Length.
            max_bytes: of the answer.

        Raises:
            TransportError: no whole answer came.
        """
        target = f"{self._base.prefix}{ROOT}{path}?{self._query(parameters)}"

        def read(response: http.client.HTTPResponse) -> bytes:
            return read_body(response, max_bytes)

        return self._send(self._base.origin, (method, target, body, headers), self._timeout, read)

    def fetch(self, url_or_path: str, file: BinaryIO, *, max_bytes: int | None = None) -> Answer:
        """Streams what a link or a path leads to into a file; other answers than a success have their body.

        A link to another host, and whatever a redirect leads to, is asked without the key.

        Args:
            url_or_path: a URL, or a path below /REST/v1/ with or without a query.
            file: open for writing.
            max_bytes: of the file.

        Raises:
            TransportError: no whole file came, or a redirect leads to a place that is not asked.
            OSError: the file can't be written.
        """
        own = f"{self._base.prefix}{ROOT}"
        url = url_or_path if "://" in url_or_path else f"{self._base.origin.url}{own}{url_or_path.lstrip('/')}"
        has_key = True
        for _ in range(MAX_REDIRECTS + 1):
            origin, target = self._locate(url, has_key=has_key)
            is_to_write = _FileWriter(file, max_bytes)
            answer = self._send(origin, ("GET", target, b"", ()), FETCH_SECONDS, is_to_write.read)
            location = answer.header("location")
            if not (HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST and location):
                return answer
            try:
                url, has_key = urljoin(url, location), False
            except ValueError:
                raise TransportError(f"{origin.url}: it redirects to what is no URL") from None
        raise TransportError(f"{self._base.origin.url}: it redirects more than {MAX_REDIRECTS} times")

    def _query(self, parameters: Parameters) -> str:
        pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
        return "&".join(
            f"{quote(name, safe='$')}={quote(value, safe='')}" for name, value in (*pairs, ("key", self._key))
        )

    def _locate(self, url: str, *, has_key: bool) -> tuple[Origin, str]:
        """The origin and target of a URL; the endpoint's own get the key where `has_key`.

        Raises:
            TransportError: it is none, is not https, or has the key in it and leads elsewhere.
        """
        try:
            origin, parts = origin_of(url)
        except ValueError:
            raise TransportError(f"{self._base.origin.url}: it links to what is no http or https URL") from None
        base = self._base.origin
        if origin.host == base.host and origin.scheme == "http" and base.scheme == "https" and parts.port is None:
            origin = base  # the service links to itself by http
        target = parts.path or "/"
        query = [parts.query] * bool(parts.query)
        if origin == base:
            if has_key and not any(each.lower().startswith("key=") for each in parts.query.split("&")):
                query.append(f"key={quote(self._key, safe='')}")
        elif self.redactor.finds_secret(url.partition("#")[0].encode()):
            raise TransportError(f"{origin.url}: the link has the key in it, which goes to {base.url} alone")
        if origin.scheme != "https" and not ((self._is_local and is_loopback(origin.host)) or origin == base):
            raise TransportError(f"{origin.url}: the link is not https, so it is not followed")
        return origin, "?".join([target, *["&".join(query)] * bool(query)])

    def _send(
        self,
        origin: Origin,
        request: tuple[str, str, bytes, Iterable[tuple[str, str]]],
        total: float,
        read: Callable[[http.client.HTTPResponse], bytes],
    ) -> Answer:
        method, target, body, headers = request
        address = self._address if origin == self._base.origin else (origin.host, origin.port)
        fields = [("Host", origin.host_header), ("User-Agent", USER_AGENT), ("Connection", "close"), *headers]
        if body or method in {"POST", "PUT"}:
            fields.append(("Content-Length", str(len(body))))
        try:
            with (
                connect(origin, address, self._tls, self._timeout, total) as connected,
                send_request(connected, HttpRequest(method, target, fields, body)) as response,
            ):
                content = read(response)
                return Answer(response.status, response.reason, tuple(response.getheaders()), content)
        except _FileWriteError as error:
            raise error.cause from None
        except TransportError as error:
            raise TransportError(f"{origin.url}: {error}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            # The text of a chained error may hold the target, and with it the key.
            raise TransportError(f"{origin.url}: {describe_failure(error, self._timeout)}") from None


class _FileWriteError(Exception):
    """The file can't be written, which is no failure of the connection."""

    def __init__(self, cause: OSError) -> None:
        super().__init__()
        self.cause = cause


class _FileWriter:
    """Writes a successful answer to a file as it comes; of another one it reads the beginning."""

    def __init__(self, file: BinaryIO, max_bytes: int | None) -> None:
        self._file = file
        self._max_bytes = max_bytes

    def read(self, response: http.client.HTTPResponse) -> bytes:
        if response.status != HTTPStatus.OK:
            return response.read(MEGABYTE)
        end, size = TruncationDetector(), 0
        while piece := response.read(PIECE_BYTES):
            size += len(piece)
            if self._max_bytes is not None and size > self._max_bytes:
                raise TransportError(f"its file is larger than {self._max_bytes // MEGABYTE} MB")
            end.add(piece)
            try:
                self._file.write(piece)
            except OSError as error:
                raise _FileWriteError(error) from error
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        if end.is_truncated:
            raise TransportError("its file ends early or is damaged")
        return b""
