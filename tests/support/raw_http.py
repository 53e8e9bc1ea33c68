"""A client that sends whatever bytes it is told to, and reads the answers one by one."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import parse_headers
from typing import Any

from tests.support.live import MASTER, WAIT_SECONDS, LiveServer


@dataclass(frozen=True)
class Answer:
    """One answer, its header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def envelope(self) -> dict[str, Any]:
        """Its JSON envelope, checked to be one."""
        assert self.headers["content-type"] == "application/json; charset=utf-8"
        envelope = dict(json.loads(self.body))
        assert envelope["statusCode"] == self.status
        assert re.fullmatch("[0-9a-f]{32}", envelope["traceId"])
        return envelope


class Connection:
    """One connection to a server."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._file = connected.makefile("rb")

    def send(self, *chunks: bytes) -> None:
        """Sends bytes; that the server has ended the connection meanwhile is no fault."""
        with suppress(BrokenPipeError, ConnectionResetError):
            for chunk in chunks:
                self.socket.sendall(chunk)

    def answer(self, method: str = "GET") -> Answer:
        """The next answer."""
        status = self._file.readline().split()
        headers = {name.lower(): value for name, value in parse_headers(self._file).items()}
        length = int(headers.get("content-length", -1))  # without one, the server ends the connection
        body = b"" if method == "HEAD" else self._file.read(length)
        return Answer(int(status[1]), headers, body)

    def ask(self, *chunks: bytes) -> Answer:
        """Sends bytes, gives the next answer."""
        self.send(*chunks)
        return self.answer()

    def is_ended(self) -> bool:
        """Whether the server has ended the connection, and sent nothing more before it did."""
        return self._file.read(1) == b""

    def close(self) -> None:
        """Ends it."""
        self._file.close()


@contextmanager
def connection(server: LiveServer, seconds: float = WAIT_SECONDS) -> Iterator[Connection]:
    """A connection to a server, whose reads wait at most that long."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as connected:
        opened = Connection(connected)
        try:
            yield opened
        finally:
            opened.close()


def talk(server: LiveServer, *chunks: bytes) -> Answer:
    """What a server answers to these bytes on a connection of their own."""
    with connection(server) as opened:
        return opened.ask(*chunks)


def get(target: str | bytes, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    """The bytes of a request whose target is sent as it stands."""
    sent = target.encode() if isinstance(target, str) else target
    line = method.encode() + b" " + sent + b" HTTP/" + version.encode()
    return b"\r\n".join([line, b"Host: proxy.example", *(header.encode() for header in headers), b"", b""])


def target(path: str, key: str = MASTER, **parameters: str) -> str:
    """A path below /REST/v1/ with a query, nothing in it encoded."""
    query = "&".join(f"{name}={value}" for name, value in {**parameters, "key": key}.items())
    return f"/REST/v1/{path}?{query}"
