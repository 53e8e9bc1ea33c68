"""What happens to a load whose body is held back, late, too large, broken off or no body at all."""

import socket
import time

import pytest

from proxy.api import request_body as body
from tests.conftest import StartServer
from tests.integration.api.writes.test_loads import LOAD, XML, load, pieces, refused
from tests.support.live import LiveServer, wait_for
from tests.support.raw_http import connection, get, talk, target
from tests.support.storage import Storage
from tests.support.stored_jobs import Written

MEGABYTE = 1024 * 1024


def post(*headers: str, key: str = "master-key", **parameters: str) -> bytes:
    return get(target("Dataflows/LoadDataSource", key, **LOAD | parameters), *headers, method="POST")


def wait_until_idle(server: LiveServer) -> None:
    """A request that comes after another has been seen to its end, as far as its caller can tell."""
    for _ in range(5):
        assert server.get("Dataflows/ListJobs").status_code == 200
        time.sleep(0.05)


def test_expect_continue_gets_100_continue(server: LiveServer, written: Written) -> None:
    with connection(server) as opened:
        opened.send(post("Expect: 100-continue", f"Content-Length: {len(XML)}"))
        assert opened.socket.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert opened.ask(XML).status == 201
        assert opened.ask(get(target("Dataflows/ListJobs"))).status == 200
    assert written.upload(written.job()["Work"]["upload"]) == XML


@pytest.mark.parametrize(
    ("parameters", "status"), [({"key": "unheard-of"}, 401), ({"input": "pdf"}, 400), ({"accessId": "no"}, 404)]
)
def test_a_client_that_waits_for_nothing_sends_nothing(
    parameters: dict[str, str], status: int, server: LiveServer, written: Written
) -> None:
    with connection(server) as opened:
        answer = opened.ask(post("Expect: 100-continue", "Content-Length: 100000000", **parameters))
        assert (answer.status, answer.envelope["statusCode"], answer.headers["connection"]) == (status, status, "close")
        assert opened.is_ended()
    assert written.nothing()


def test_a_connection_goes_on_after_a_load(server: LiveServer, written: Written) -> None:
    with connection(server) as opened:
        for _ in range(2):
            assert opened.ask(post(f"Content-Length: {len(XML)}"), XML).status == 201
        chunks = b"4\r\n<a/>\r\n0\r\n\r\n"
        assert opened.ask(post("Transfer-Encoding: chunked"), chunks).status == 201
    assert len(written.uploads()) == 3


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_body_may_come_in_the_smallest_pieces(size: int, server: LiveServer, written: Written) -> None:
    content = bytes(range(256)) * 8
    chunks = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(part), part) for part in _parts(content, size))
    with connection(server) as opened:
        opened.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.send(post("Transfer-Encoding: chunked"), *_parts(chunks + b"0\r\n\r\n", 997))
        assert opened.answer().status == 201
    assert written.upload(written.job()["Work"]["upload"]) == content


def test_a_body_whose_framing_is_longer_than_itself_is_taken(server: LiveServer, written: Written) -> None:
    extension = b"x" * 200
    chunks = b"1;%b\r\na\r\n" % extension * 20_000
    with connection(server) as opened:
        opened.send(post("Transfer-Encoding: chunked"))
        for part in _parts(chunks + b"0\r\n\r\n", 65_536):
            opened.send(part)
        assert opened.answer().status == 201
    assert written.upload(written.job()["Work"]["upload"]) == b"a" * 20_000


def _parts(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


def test_a_too_large_body_is_refused_early(storage: Storage, start: StartServer) -> None:
    server = start(storage, max_upload_mb=1)
    with connection(server) as opened:
        answer = opened.ask(post("Expect: 100-continue", f"Content-Length: {MEGABYTE + 1}"))
        assert (answer.status, "larger" in answer.envelope["errorDetails"][0]) == (400, True)
    assert refused(load(server, pieces(*[b"x" * 100_000] * 20)))[0] == 400
    wait_for(Written(storage).nothing)
    assert load(server, b"x" * MEGABYTE).status_code == 201


def test_a_caller_that_goes_away_leaves_nothing(server: LiveServer, written: Written) -> None:
    for header, content in (
        ("Content-Length: 9000000", b"x" * 5_000_000),
        ("Content-Length: 9", b"x"),
        ("Transfer-Encoding: chunked", b"5\r\nhello\r\n"),
    ):
        with connection(server) as opened:
            opened.send(post(header), content)
    with connection(server) as opened:  # ends its own side, and listens
        opened.send(post("Content-Length: 9"), b"x")
        opened.socket.shutdown(socket.SHUT_WR)
        assert opened.is_ended()
    wait_until_idle(server)
    wait_for(written.nothing)


@pytest.mark.parametrize("broken", [b"zz\r\nhello\r\n", b"5\r\nhelloX", b"5\r\nhello\r\n-1\r\n"])
def test_a_body_that_is_none_is_refused_and_the_connection_ends(
    broken: bytes, server: LiveServer, written: Written
) -> None:
    with connection(server) as opened:
        answer = opened.ask(post("Transfer-Encoding: chunked"), b"4\r\n<a/>\r\n" + broken)
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert opened.is_ended()
    wait_until_idle(server)
    wait_for(written.nothing)


def test_a_broken_pipelined_body_ends_the_connection(
    server: LiveServer, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "WINDOW_SECONDS", 0.3)
    with connection(server) as opened:
        first = get(target("Dataflows/ListJobs"))
        opened.send(first + first + post("Transfer-Encoding: chunked") + b"zz\r\n")
        received = b"".join(iter(lambda: opened.socket.recv(65_536), b""))  # until the server ends it
    assert b" 201 " not in received
    wait_for(written.nothing)


def test_a_sender_that_stops_is_not_waited_for(
    server: LiveServer, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "WINDOW_SECONDS", 0.3)
    answer = talk(server, post("Content-Length: 9") + b"x")
    assert (answer.status, "in time" in answer.envelope["errorDetails"][0]) == (400, True)
    wait_for(written.nothing)


def test_a_trickling_sender_is_too_slow(server: LiveServer, written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "WINDOW_SECONDS", 0.4)
    monkeypatch.setattr(body, "WINDOW_BYTES", 1000)
    with connection(server) as opened:
        opened.send(post("Content-Length: 100000"))
        started = time.monotonic()
        while time.monotonic() - started < 1:
            opened.send(b"x" * 10)
            time.sleep(0.05)
        assert opened.answer().status == 400
    wait_for(written.nothing)


def test_a_steady_sender_may_take_many_windows(
    server: LiveServer, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "WINDOW_SECONDS", 0.4)
    monkeypatch.setattr(body, "WINDOW_BYTES", 1000)

    def is_taken() -> bool:
        with connection(server) as opened:
            opened.send(post("Content-Length: 20000"))
            for _ in range(20):
                opened.send(b"x" * 1000)
                time.sleep(0.06)
            return opened.answer().status == 201

    wait_for(is_taken)  # again where a busy machine has kept the sender waiting
    assert len(written.jobs()) == 1


def test_a_load_by_get_is_a_405(server: LiveServer) -> None:
    response = server.client.get(f"{server.url}/REST/v1/Dataflows/LoadDataSource", params=LOAD)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
