"""What one client may send is bounded, and what it sends beyond is not kept: looked at from outside the process."""

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.server import http_protocol as protocol
from proxy.server.http_protocol import MAX_HEAD
from tests.conftest import StartServer
from tests.support.live import MASTER
from tests.support.serve_command import Served, serving
from tests.support.storage import Storage

SECONDS = 3.0
GROWTH_KB = 40 * 1024
LIST = f"/REST/v1/Dataflows/ListJobs?key={MASTER}".encode()


@pytest.fixture
def server(storage: Storage) -> Iterator[Served]:
    """A server in a process of its own, whose memory can be told."""
    with serving(storage) as running:
        yield running


def memory_kb(server: Served) -> int:
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        pytest.skip("this system does not tell a process's memory in /proc")
    match = re.search(r"VmRSS:\s+(\d+) kB", status.read_text(encoding="utf-8"))
    assert match is not None
    return int(match[1])


def flood(server: Served, first: bytes, piece: bytes) -> float:
    """Sends without end and without reading; gives the seconds until the server has had enough."""
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as client:
        try:
            client.sendall(first)
            while time.perf_counter() - started < 2 * SECONDS:
                client.sendall(piece)
        except OSError:  # reset, broken pipe, or nobody reads any more
            pass
    return time.perf_counter() - started


FLOODS = {
    "requests": (b"", b"GET / HTTP/1.1\r\n\r\n" * 1000),
    "upgrades": (b"", b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" * 500),
    "a head": (b"GET / HTTP/1.1\r\nX: ", b"x" * 65536),
    "a body": (b"GET " + LIST + b" HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"x" * 65536),
    "chunks": (b"GET " + LIST + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n" * 5000),
    "a trailer": (b"GET " + LIST + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"x" * 65536),
    "garbage": (b"", b"\xff" * 65536),
}


@pytest.mark.parametrize(("first", "piece"), FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_is_not_buffered_and_ends(server: Served, first: bytes, piece: bytes) -> None:
    server.get("Dataflows/ListJobs")
    before = memory_kb(server)
    assert flood(server, first, piece) < 2 * SECONDS
    assert memory_kb(server) - before < GROWTH_KB
    assert server.get("Dataflows/ListJobs").status_code == 200


def test_a_head_just_below_the_bound_is_a_request(storage: Storage, start: StartServer) -> None:
    filler = b"x" * (MAX_HEAD - 200)
    head = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: "
    assert start(storage).raw(head + filler + b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nX: ", b"\r\n"], ids=["silence", "half a head", "a stray line"]
)
def test_a_connection_without_a_whole_head_is_closed(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    with socket.create_connection(("127.0.0.1", start(storage).port), timeout=10) as client:
        client.sendall(sent)
        assert client.recv(65536) == b""


def test_a_byte_after_an_answer_does_not_hold_the_connection(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    server = start(storage)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        client.sendall(b"G")
        assert client.recv(65536) == b""


def test_a_trailer_is_no_header(storage: Storage, start: StartServer) -> None:
    # With a trusted proxy in front, a trailer could tell another address each time.
    server = start(storage, trusted_proxies="127.0.0.1")
    head = b"GET " + LIST + b" HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = head + b"0\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n"
    assert server.raw(chunked).startswith(b"HTTP/1.1 200 ")
