"""HTTP messages as they pass a hop: where each ends, and the same with another body."""

import asyncio
import re
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer: its head with the empty line, and its body without what frames it."""

    head: bytes
    body: bytes
    sent: bytes

    @property
    def first_line(self) -> str:
        """The request line or the status line."""
        return self.head.partition(b"\r\n")[0].decode("latin-1")

    def with_body(self, body: bytes, length: int) -> bytes:
        """The message with another body, which is said to be of this length."""
        head = _LENGTH.sub(b"", _CHUNKED.sub(b"", self.head)).removesuffix(b"\r\n\r\n")
        return head + b"\r\nContent-Length: %d\r\n\r\n" % length + body


async def read_message(reader: asyncio.StreamReader, *, has_body: bool = True) -> Message:
    """The next message of a connection; an answer to HEAD has no body, whatever length it says.

    Raises:
        IncompleteReadError: the connection ended before the message did.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    if not has_body:
        return Message(head, b"", head)
    if not _CHUNKED.search(head):
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        return Message(head, body, head + body)
    body, framed = b"", b""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line, 16)
        chunk = await reader.readexactly(size + 2)
        framed += line + chunk
        if not size:
            return Message(head, body, head + framed)
        body += chunk[:-2]


def saying(status: str, body: bytes, *headers: str) -> bytes:
    """An answer of this status and body, JSON as storage sends it."""
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json;odata=minimalmetadata",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body
