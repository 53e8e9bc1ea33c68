"""However the bytes of a connection are split, the same requests are seen, and their bodies are what was sent."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import quote_from_bytes

from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from proxy.server.http_protocol import LenientHttpProtocol
from proxy.server.run import uvicorn_config
from proxy.settings import load_settings
from tests.support import virtual_time

UPGRADES = {
    "none": b"",
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAA\r\n",
    "websocket": b"Connection: keep-alive, upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    "empty": b"X:\r\nUpgrade: \r\nConnection: upgrade\r\n",
}

BODIES = (
    b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    b"SUBSCRIBED /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /größe HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "\ufeffBing Spatial Data Services, 1.0, Größe\r\n\r\n".encode(),
    b"\r\n\r\n0\r\n\r\n",
)


@dataclass(frozen=True)
class Sent:
    """One request: what the application must see of it, and how it is sent."""

    method: str
    path: bytes
    body: bytes
    framing: str
    upgrade: str

    @property
    def data(self) -> bytes:
        """Its bytes."""
        lines = b"%b %b HTTP/1.1\r\nHost: a\r\n%b" % (self.method.encode(), self.path, UPGRADES[self.upgrade])
        match self.framing:
            case "length":
                return b"%bContent-Length: %d\r\n\r\n%b" % (lines, len(self.body), self.body)
            case "chunks":
                pieces = (b"%x\r\n%b\r\n" % (len(piece), piece) for piece in _halves(self.body))
                return b"%bTransfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % (lines, b"".join(pieces))
            case _:
                return lines + b"\r\n"

    @property
    def seen(self) -> tuple[str, bytes, bytes]:
        """What the application sees."""
        method = "UNLINK" if self.method == "BREW" else self.method
        return method, quote_from_bytes(self.path, safe="/").encode(), self.body if self.framing != "none" else b""


def _halves(body: bytes) -> Iterator[bytes]:
    yield from (part for part in (body[: len(body) // 2], body[len(body) // 2 :]) if part)


@st.composite
def requests(draw: st.DrawFn) -> list[Sent]:
    """Requests of one connection. What the parser refuses is mended at the beginning of a connection only."""
    made = []
    for number in range(draw(st.integers(1, 6))):
        odd = number == 0
        path = draw(st.sampled_from(["/größe", "/a"] if odd else ["/a", "/b"])).encode()
        made.append(
            Sent(
                draw(st.sampled_from(["GET", "POST", "PUT", *(["BREW"] if odd else [])])),
                path,
                draw(st.sampled_from(BODIES) | st.binary(max_size=30)),
                draw(st.sampled_from(["none", "length", "chunks"])),
                draw(st.sampled_from(list(UPGRADES))),
            )
        )
    return made


@st.composite
def splits(draw: st.DrawFn, size: int) -> list[tuple[int, int]]:
    """Where the bytes are split: each from its neighbour, or at random places."""
    if draw(st.integers(0, 3)) == 0:
        step = draw(st.integers(1, 3))
        places = set(range(0, size, step))
    else:
        places = draw(st.sets(st.integers(1, size), max_size=12))
    return list(pairwise(sorted({0, size} | places)))


class Recorder(asyncio.Transport):
    """A connection that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def is_closing(self) -> bool:
        return False

    def write_eof(self) -> None:
        pass

    def close(self) -> None:
        pass


SETTINGS = load_settings(keyring="{}")


async def served(pieces: list[bytes]) -> tuple[list[tuple[str, bytes, bytes]], bytes]:
    """What the application has seen of these pieces, and what was answered."""
    seen = []

    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        seen.append((scope["method"], scope["raw_path"], body))
        await Response(b"ok")(scope, receive, send)

    recorder = Recorder()
    protocol = LenientHttpProtocol(uvicorn_config(echo, SETTINGS), ServerState(), {})
    protocol.connection_made(recorder)
    for piece in pieces:
        protocol.data_received(piece)
        while recorder.is_paused:  # noqa: ASYNC110 - a transport tells of this by no event
            await asyncio.sleep(0)
    await asyncio.sleep(1)  # on its clock, this is when nothing is left to do
    protocol.connection_lost(None)
    return seen, recorder.written


@settings(max_examples=400)
@given(st.data(), requests())
def test_a_stream_is_the_same_requests_however_it_is_split(data: st.DataObject, sent: list[Sent]) -> None:
    stream = b"".join(each.data for each in sent)
    pieces = [stream[start:end] for start, end in data.draw(splits(len(stream)))]
    seen, written = virtual_time.run(served(pieces))
    assert seen == [each.seen for each in sent]
    assert written.count(b"HTTP/1.1 200 OK\r\n") == len(sent)
    assert b" 400 " not in written
