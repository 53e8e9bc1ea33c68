"""What one client may send is bounded, and what it sends beyond is not kept."""

import resource
import socket

from proxy.protocol import MAX_HEAD
from tests.live import MASTER, LiveServer

BODY = 64 * 1024 * 1024


def test_a_head_over_the_bound_is_refused_before_it_ends(server: LiveServer) -> None:
    pieces = [b"x" * 4096] * (MAX_HEAD // 4096 + 1)
    answer = server.raw(b"GET / HTTP/1.1\r\nX: ", *pieces)
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_head_just_below_the_bound_is_a_request(server: LiveServer) -> None:
    filler = b"x" * (MAX_HEAD - 200)
    answer = server.raw(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: " + filler + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_body_is_not_kept(server: LiveServer) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    head = f"GET /REST/v1/Dataflows/ListJobs?key={MASTER} HTTP/1.1\r\nHost: a\r\nContent-Length: {BODY}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(head.encode())
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        for _ in range(BODY // 65536):
            client.sendall(b"x" * 65536)
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < BODY / 1024 / 4
