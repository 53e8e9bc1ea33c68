"""uvicorn's HTTP protocol, made to accept what real legacy clients send and to bound what hostile ones send.

Java's client asks for HTTP/2 by an `Upgrade` header on every first request, and uvicorn stops reading there. Browsers
of the time and curl send raw UTF-8 in a URL, and the parser refuses it.

One parser judges the framing of a message. Nothing here searches for the beginning or the end of one, because a gateway
in front would see other messages than the server does. A head that the parser refuses, or leaves at an upgrade, goes
to a new parser from its first byte on. The old parser has reported nothing of it.
"""

import asyncio
import logging

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from proxy.server.request_line import repair_request_line

# Bytes of a request's line and headers together, and of chunk extensions and trailers between two pieces of a body.
MAX_HEAD = 64 * 1024

# Seconds from a request's first byte, or from the start of the connection, to the end of the head.
HEAD_SECONDS = 15

# Requests that one connection may send before the first of them is answered.
PIPELINE_LIMIT = 16

# Closing a connection with unread bytes resets it, and the client may lose the response. So the server ends its side
# and discards what the client still sends for this many seconds.
LINGER_SECONDS = 2

_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\n%bcontent-type: text/plain\r\ncontent-length: 24\r\nconnection: close\r\n\r\n"
    b"This is not valid HTTP.\n"
)

log = logging.getLogger("proxy.request")


class RequestRefusedError(Exception):
    """A head exceeds MAX_HEAD, or too many requests wait. Raised in a callback, it stops the parser."""


class LenientHttpProtocol(HttpToolsProtocol):
    """One connection of a legacy client."""

    _in_head = False
    _head = b""
    """The bytes of the current head, while they can still go to a new parser."""
    _unreported = 0
    """Bytes received since the parser last reported a whole head or a piece of a body."""
    ignores_input = False
    """Whether what the client still sends is discarded: it is no HTTP, or comes after the last response."""
    _keep_alive = True
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Starts to wait for the first request, but not for ever."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Releases the connection."""
        self._cancel_head_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begins a request."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Starts to answer a request. One that asks for an upgrade is parsed again first, without that header."""
        self._head = b""
        if self.parser.should_upgrade():
            return
        is_large = self._unreported > MAX_HEAD and self._head_size() > MAX_HEAD
        if is_large or len(self.pipeline) >= PIPELINE_LIMIT:
            raise RequestRefusedError
        self._in_head, self._unreported = False, 0
        self._cancel_head_timer()
        super().on_headers_complete()
        self.headers = []  # trailers of the body go here, and are no headers of the request
        self.cycle.transport = ResponseTransport(self)
        # A response that is there before the body ends the connection: nobody waits for a body that nobody reads.
        self._keep_alive, self.cycle.keep_alive = self.cycle.keep_alive, False

    def on_body(self, body: bytes) -> None:
        """Passes a piece of the body on."""
        self._unreported = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Ends a request. Only a request that is complete before its response begins leaves the connection open."""
        if self.parser.should_upgrade():
            return
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._keep_alive
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Feeds the parser, and bounds the time and the bytes of what is no whole head yet."""
        self._unset_keepalive_if_required()
        if self.ignores_input:
            return
        if not self._in_head:
            self._head = data
        elif self._head:  # else it began behind another request, and its first byte is not known
            self._head += data
        self._unreported += len(data)
        self._parse(data)
        if self._unreported > MAX_HEAD and not self.ignores_input:
            self.send_400_response("the head is too large")
        elif self._in_head and self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self.parser.get_method() == b"CONNECT":
                self.send_400_response("the method CONNECT")
            else:
                # The parser has left out the body. A new one judges the head again, all but the ignored header.
                self._parse_anew(self._head_without_upgrade() + data[upgrade.args[0] :])
        except httptools.HttpParserError:
            repaired = repair_request_line(self._head)
            if repaired is None:
                self.send_400_response("the parser refuses it")
            elif repaired:  # else the end of the line is still to come, and the parser refuses the next piece too
                self._head = b""
                self._parse_anew(repaired)

    def _parse_anew(self, data: bytes) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as in uvicorn
        self._parse(data)

    def _head_without_upgrade(self) -> bytes:
        line = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        headers = (b"%b: %b\r\n" % each for each in self.headers if each[0] != b"upgrade")
        return b"".join((line, *headers, b"\r\n"))

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def send_400_response(self, msg: str) -> None:
        """Answers bytes that are no HTTP and ends the connection, after the responses to earlier requests."""
        log.info("not HTTP: %s", msg)
        self.ignores_input = True
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:
                cycle.keep_alive = False
                return
            cycle.disconnected = True  # the body has no end: what reads it must not answer too
            cycle.message_event.set()
            if self.pipeline or cycle.response_started:
                self.transport.close()
                return
        added = b"".join(b"%b: %b\r\n" % each for each in self.server_state.default_headers)
        self.transport.write(_BAD_REQUEST % added)
        self.half_close()

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn never keeps a connection open here
        """Returns whether the connection stays open for a response that is due: some clients end their side early."""
        cycle = self.cycle
        if self.ignores_input or cycle is None or cycle.response_complete or cycle.more_body:
            return False
        cycle.keep_alive = False
        return True

    def on_response_complete(self) -> None:
        """Begins the next request, and reads no more while others wait."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    def half_close(self) -> None:
        """Ends the server's side now, and the connection when the client ends its own or after LINGER_SECONDS."""
        if not self.transport.is_closing():
            self.ignores_input = True
            self._cancel_head_timer()
            self.transport.write_eof()
            self.flow.resume_reading()
            self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _cancel_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class ResponseTransport(asyncio.Transport):
    """A connection as one response sees it.

    uvicorn writes a head and its body apart. Both in one piece save a fifth of what a poll costs. A response that ends
    the connection while the client still sends closes it by halves.
    """

    def __init__(self, protocol: LenientHttpProtocol) -> None:
        super().__init__()
        self._protocol, self._transport, self._cycle = protocol, protocol.transport, protocol.cycle
        self._head = b""
        self._holds_head = protocol.scope["method"] != "HEAD"  # whose head nothing follows

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Sends bytes; those of a head with those that follow."""
        if self._holds_head and self._cycle.response_started:
            self._head, self._holds_head = bytes(data), False
        elif not self._transport.is_closing():  # as it may be for the response to an earlier request
            self._transport.write(self._head + data)
            self._head = b""

    def is_closing(self) -> bool:
        """Returns whether the connection is closed, or about to be."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Ends the connection once all is sent."""
        if self._cycle.more_body or self._protocol.ignores_input:
            self._protocol.half_close()
        else:
            self._transport.close()
