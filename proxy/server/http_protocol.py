"""What uvicorn does with bytes that are no request, and with requests that ask for another protocol.

uvicorn answers what it can't parse by a line of plain text, and stops listening to a connection that asked for an
upgrade. Legacy clients know envelopes only, and Java's client asks for HTTP/2 on every first request.

The framing of a request is judged once, by the parser that reports it. Nothing here looks for the beginning or the end
of a message, because a gateway in front would see other messages than we do. What the parser refuses, or leaves at an
upgrade, goes to a new parser from its first byte on; the old one has reported nothing of it.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import httptools
from starlette.responses import Response
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from proxy.observability.trace_ids import new_trace_id
from proxy.server.request_line import repair_request_line
from proxy.server.response_transport import WHOLE, ResponseTransport

# Bytes of a request's line and headers together.
MAX_HEAD = 64 * 1024

# Seconds from a request's first byte, or from the connection's beginning, to the end of its head.
HEAD_SECONDS = 15

# Requests that one connection may send before the first of them is answered.
PIPELINED = 16

# Bytes of a body that are taken while nobody asks for them. Most operations read none; a load reads at its own pace.
UNREAD_BODY = 256 * 1024

# A connection closed with bytes unread is reset, and what the client has not read of our answer is lost with it. So
# we end our side only, and take what still comes for this long.
LINGER_SECONDS = 2

BAD_REQUEST_FACTORY = "refuse"
"""Where the application's lifespan leaves the function that makes the answer to what is no request, for a traceId."""

log = logging.getLogger("proxy.request")


class RequestHeadTooLargeError(Exception):
    """The request line and headers exceed the bound."""


class PipelineLimitError(Exception):
    """A connection sends request after request without reading the answers."""


class LenientHttpProtocol(HttpToolsProtocol):
    """One connection of a legacy client."""

    has_invalid_input = False
    """Whether what follows the last request is none."""

    _head = 0
    _in_head = True
    _in_request = False
    _unread_head = b""
    _is_refused = False
    _unparsed = 0
    _unread = 0
    _completed = False
    _keep_alive = True
    _ended = False
    _head_timer: asyncio.TimerHandle | None = None
    _added: tuple[list[tuple[bytes, bytes]] | None, bytes, bool] = (None, b"", False)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A new connection: its first request is waited for, but not for ever."""
        super().connection_made(transport)
        self.flow = NotifyingFlowControl(transport, self._body_asked_for)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._head_arrived()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A new request: its head is counted anew."""
        self._head = 0
        self._in_request = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Part of the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header. What comes after the body is none: by then the request is being answered."""
        if self._in_head:
            self._count(len(name) + len(value) + 4)
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The end of a request's head; one that asks for an upgrade is parsed again, without that."""
        self._unread_head = b""
        if self.parser.should_upgrade():
            return
        if len(self.pipeline) >= PIPELINED:
            raise PipelineLimitError
        self._in_head, self._unparsed, self._unread = False, 0, 0
        self._head_arrived()
        super().on_headers_complete()
        transport = self.cycle.transport = ResponseTransport(self)
        extensions: dict[str, Any] = {WHOLE: transport.whole}  # ASGI has no type for a server's own
        self.scope["extensions"] = extensions
        # Nobody waits for a body: where it is not there when the answer is, the connection ends with the answer.
        self._keep_alive, self.cycle.keep_alive = self.cycle.keep_alive, False

    def on_message_complete(self) -> None:
        """The end of a request: what follows is the line of another."""
        if self.parser.should_upgrade():
            return
        self._in_request, self._in_head, self._completed = False, True, True
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._keep_alive
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes from the client. The parser alone says where a request begins and ends."""
        self._unset_keepalive_if_required()
        if self._ended or self.has_invalid_input:
            return
        self._completed = False
        if not self._in_request:
            self._unread_head = data
        elif self._unread_head:
            self._unread_head += data
        if self._is_refused:
            self._parse_mended()
        else:
            self._parse(data)
        if not self._ended and not self.has_invalid_input:
            self._bound(len(data))

    def _parse(self, data: bytes) -> None:
        """Feeds the parser. What it refuses and can't be mended is answered here."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # The parser has left out the body. Another one judges the head anew, all but the header that we ignore.
            if self.parser.get_method() == b"CONNECT":
                self.send_400_response("")
            else:
                self._parse_anew(self._head_without_upgrade() + data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._parse_mended()

    def _parse_anew(self, data: bytes) -> None:
        """Feeds a new parser with a request from its first byte on: the one before has reported nothing of it."""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        self._parse(data)

    def _head_without_upgrade(self) -> bytes:
        """The head of the request that asks for an upgrade, as the parser has read it."""
        line = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        headers = (b"%b: %b\r\n" % each for each in self.headers if each[0] != b"upgrade")
        return b"".join((line, *headers, b"\r\n"))

    def _parse_mended(self) -> None:
        """Parses anew what the parser has refused, where the request line alone is to blame.

        That can be told of the first request of a packet only, whose bytes are all here. The rest of its line is
        waited for.
        """
        head, self._unread_head = self._unread_head.lstrip(b"\r\n"), b""
        mended = repair_request_line(head)
        self._is_refused = mended == b""
        if mended is None:
            self.send_400_response("")
        elif mended:
            self._parse_anew(mended)
        else:
            self._unread_head = head

    def _bound(self, size: int) -> None:
        """Bounds what is not a whole request yet: the time and the bytes of a head, the bytes of a body."""
        if self._completed:
            self._unparsed = 0
        elif self._in_head:  # a header without an end is seen by no callback
            self._await_head()
            self._unparsed += size
            if self._unparsed > MAX_HEAD:
                self.send_400_response("")
        else:
            self._unread += size
            if self._unread > UNREAD_BODY:
                self.flow.pause_reading()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text is for people, ours for clients
        """Answers what is no request by an envelope, and ends the connection."""
        if self._is_body_awaited():
            # Whoever reads the body will never see its end. Its answer would be ours, so we give it now.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        elif self.cycle is not None and not self.cycle.response_complete:
            # An earlier request of this connection is not answered yet: its answer comes first, and alone.
            self.cycle.keep_alive = False
            self.has_invalid_input = True
            return
        trace_id = new_trace_id()
        log.info("not HTTP", extra={"trace_id": trace_id})
        response: Response = self.app_state[BAD_REQUEST_FACTORY](trace_id)
        head = [*self.server_state.default_headers, *response.raw_headers, (b"connection", b"close")]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in head)
        self.transport.write(STATUS_LINE[response.status_code] + lines + b"\r\n" + bytes(response.body))
        self.half_close()

    def _is_body_awaited(self) -> bool:
        """Whether the request under way may be reading its body, which is not complete: only a POST has one."""
        cycle = self.cycle
        is_open = cycle is not None and cycle.more_body and not cycle.response_started and not self.pipeline
        return is_open and cycle.scope["method"] == "POST"

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn's never keeps a connection open
        """The client has ended its side, as some do once they have asked; the answer is still due.

        Returns:
            Whether the connection stays open.
        """
        if self._ended:
            return False
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
            return not self.cycle.more_body
        if self._in_request:
            self.send_400_response("")
        return False

    def added_head(self) -> tuple[bytes, bool]:
        """The headers that the server adds to each answer, with the line that ends a head; whether they end all."""
        headers = self.server_state.default_headers
        if headers is not self._added[0]:
            lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers) + b"\r\n"
            self._added = headers, lines, (b"connection", b"close") in headers
        return self._added[1:]

    def half_close(self) -> None:
        """Ends our side of the connection now, and all of it when the client ends, or goes on for too long."""
        if not self.transport.is_closing():
            self._ended = True
            self._head_arrived()
            self.pipeline.clear()
            self.transport.write_eof()
            self.flow.resume_reading()
            self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def on_response_complete(self) -> None:
        """An answer is sent: the next request is begun, and no more are read while others wait."""
        super().on_response_complete()
        if self.pipeline and not self._ended:
            self.flow.pause_reading()

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_too_slow)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _body_asked_for(self) -> None:
        self._unread = 0

    def _head_too_slow(self) -> None:
        self._head_timer = None
        if self._in_request:
            self.send_400_response("")
        else:
            self.transport.close()

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > MAX_HEAD:
            raise RequestHeadTooLargeError


class NotifyingFlowControl(FlowControl):
    """A connection's flow, which tells when more is asked for: what came before has been taken."""

    def __init__(self, transport: asyncio.Transport, asked_for: Callable[[], None]) -> None:
        super().__init__(transport)
        self._asked_for = asked_for

    def resume_reading(self) -> None:
        """Lets more come."""
        self._asked_for()
        super().resume_reading()
