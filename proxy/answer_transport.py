"""How one request's answer is written to its connection.

uvicorn writes the head of an answer and its body apart, and each write is a call of the system: a quarter of what a
poll costs. Then it judges each header anew: another tenth. So the head waits for what follows it, and an answer that is
given again comes as bytes.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.protocol import LegacyProtocol

WHOLE = "proxy.whole"
"""Where a request's scope has, among its extensions, the function that writes a whole answer."""

Whole = Callable[[bytes, bytes], bool]
"""Takes the answer's status line with its headers, each line ended, and its body; False where it can't be used now."""


class AnswerTransport(asyncio.Transport):
    """A connection as one request's answer is written to it: in one piece, and closed while more comes, it lingers."""

    def __init__(self, protocol: "LegacyProtocol") -> None:
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

    def whole(self, head: bytes, body: bytes) -> bool:
        """Sends an answer that was made before, with the headers that the server adds to each.

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
        self._transport.write(head + added + (b"" if self._is_head else body))
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.close()
        cycle.on_response()
        return True

    def is_closing(self) -> bool:  # pragma: no cover - uvicorn asks when a request's body is read, and none is yet
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Ends the connection once all is sent."""
        if self._head:  # the application broke off
            self._transport.write(self._head)
        if self._cycle.more_body or self._protocol.garbled:
            self._protocol.linger()
        else:
            self._transport.close()
