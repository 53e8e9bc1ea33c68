"""What one client may send is bounded, and what it sends beyond is not kept: looked at from outside the process."""

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from proxy.server import http_protocol as protocol
from proxy.server.http_protocol import MAX_HEAD
from tests.conftest import StartServer
from tests.support.live import MASTER, wait_for
from tests.support.raw_http import talk
from tests.support.serve_command import Served, serving
from tests.support.storage import Storage

MOST_SECONDS = 60.0
GROWTH_KB = 40 * 1024
LIST = f"/REST/v1/Dataflows/ListJobs?key={MASTER}".encode()


@pytest.fixture(scope="module")
def server(account: Storage) -> Iterator[Served]:
    """A server in a process of its own, whose memory can be looked at."""
    with serving(account, storage_timeout=20) as running:
        yield running


def memory_kb(server: Served, name: str = "VmRSS") -> int:
    """What the process uses, `VmRSS`, or the most that it has used, `VmHWM`."""
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        pytest.skip("this system does not show a process's memory in /proc")
    match = re.search(rf"{name}:\s+(\d+) kB", status.read_text(encoding="utf-8"))
    assert match is not None
    return int(match[1])


def is_ended_under(server: Served, first: bytes, piece: bytes) -> bool:
    """Whether the server ends the connection of a client that sends without end and reads nothing."""
    end = time.monotonic() + MOST_SECONDS
    with socket.create_connection(("127.0.0.1", server.port), timeout=MOST_SECONDS) as client:
        try:
            client.sendall(first)
            while time.monotonic() < end:
                client.sendall(piece)
        except ConnectionError:  # reset, or a broken pipe
            return True
        except TimeoutError:
            return False
    return False


FLOODS = {
    "requests": (b"", b"GET / HTTP/1.1\r\n\r\n" * 1000),
    "upgrades": (b"", b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" * 500),
    "a head": (b"GET / HTTP/1.1\r\nX: ", b"x" * 65536),
    "a body": (b"GET " + LIST + b" HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"x" * 65536),
    "chunks": (b"GET " + LIST + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n" * 5000),
    "a trailer": (b"GET " + LIST + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"x" * 65536),
    "garbage": (b"", b"\xff" * 65536),
}


@pytest.mark.slow
def test_floods_are_not_buffered_and_end(server: Served) -> None:
    server.get("Dataflows/ListJobs")
    before = memory_kb(server, "VmRSS")
    with ThreadPoolExecutor(len(FLOODS)) as threads:
        ended = {name: threads.submit(is_ended_under, server, *flood) for name, flood in FLOODS.items()}
    assert [name for name, each in ended.items() if not each.result()] == []
    assert memory_kb(server, "VmHWM") - before < GROWTH_KB
    assert server.get("Dataflows/ListJobs").status_code == 200


def is_ended(client: socket.socket) -> bool:
    """Whether the server ends a connection without another byte; what it has not read resets it."""
    try:
        return client.recv(65536) == b""
    except ConnectionResetError:
        return True


def test_a_head_just_below_the_bound_is_a_request(storage: Storage, start: StartServer) -> None:
    filler = b"x" * (MAX_HEAD - 200)
    head = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: "
    assert talk(start(storage), head + filler + b"\r\n\r\n").status == 200


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nX: ", b"\r\n"], ids=["silence", "half a head", "a stray line"]
)
def test_a_connection_without_a_whole_head_is_closed(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    with socket.create_connection(("127.0.0.1", start(storage).port), timeout=MOST_SECONDS) as client:
        client.sendall(sent)
        assert is_ended(client)


def test_a_byte_after_an_answer_does_not_hold_the_connection(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(storage)
    with socket.create_connection(("127.0.0.1", server.port), timeout=MOST_SECONDS) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
        client.sendall(b"G")
        wait_for(lambda: is_ended(client))  # after the rest of the answer, if that comes apart


def test_a_trailer_is_no_header(storage: Storage, start: StartServer) -> None:
    # With a trusted proxy in front, a trailer could say another address each time.
    server = start(storage, trusted_proxies="127.0.0.1")
    chunked = b"GET " + LIST + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n"
    assert talk(server, chunked).status == 200
