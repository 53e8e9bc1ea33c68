"""How one request's answer is written to its connection.

uvicorn writes the head of an answer and its body apart, and each write is a call of the system: a quarter of what a
poll costs. Then it judges each header, which are our own, anew: another tenth. So the head waits for what follows it,
and an answer that is there as a whole is written as a whole.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.types import Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

if TYPE_CHECKING:
    from proxy.server.http_protocol import LenientHttpProtocol

Headers = list[tuple[bytes, bytes]]

WHOLE = "proxy.whole"
"""Where a request's scope has, among its extensions, the function that writes a whole answer."""

SendWhole = Callable[[int, Headers, bytes], bool]
"""Takes an answer's status, headers and body; False where it can't be used now."""


async def write_answer(scope: Scope, send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Sends a whole answer, by the shortest way that the server has."""
    whole: SendWhole | None = scope.get("extensions", {}).get(WHOLE)
    if whole is None or not whole(status, headers, body):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class ResponseTransport(asyncio.Transport):
    """A connection as one request's answer is written to it: in one piece, and closed while more comes, it lingers."""

    def __init__(self, protocol: "LenientHttpProtocol") -> None:
        super().__init__()
        self._protocol = protocol
        self._transport, self._cycle = protocol.transport, protocol.cycle
        # Nothing follows the head of an answer to HEAD.
        self._is_head = protocol.scope["method"] == "HEAD"
        self._head: bytes | None = b"" if self._is_head else None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Sends bytes, those of the answer's head with those that follow."""
        if self._head is None and self._cycle.response_started:
            self._head = bytes(data)
        elif self._head:
            self._transport.write(self._head + data)
            self._head = b""
        else:
            self._transport.write(data)

    def whole(self, status: int, headers: Headers, body: bytes) -> bool:
        """Sends an answer, with the headers that the server adds to each.

        Returns:
            Whether it did; not where the client reads too slowly, which uvicorn waits for.
        """
        cycle = self._cycle
        if cycle.flow.write_paused or cycle.disconnected:
            return False
        added, ends = self._protocol.added_head()
        if ends:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            added = b"connection: close\r\n" + added
        head = b"".join(b"%b: %b\r\n" % each for each in headers)
        self._transport.write(b"".join((STATUS_LINE[status], head, added, b"" if self._is_head else body)))
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.close()
        cycle.on_response()
        return True

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Ends the connection once all is sent."""
        if self._head:  # the application broke off
            self._transport.write(self._head)
        if self._cycle.more_body or self._protocol.has_invalid_input:
            self._protocol.half_close()
        else:
            self._transport.close()
