"""Whatever a socket can deliver ends in a response, and hurts nobody else."""

import socket
import ssl

import pytest

from tests.support.live import LiveServer
from tests.support.raw_http import connection, get, talk, target
from tests.support.storage import Storage

LIST = target("Dataflows/ListJobs")
GOOD = get(LIST)


def tls_hello() -> bytes:
    """What a client sends that was told https where we speak http."""
    outgoing = ssl.MemoryBIO()
    hello = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="spatial.virtualearth.net")
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    return outgoing.read()


NOT_HTTP: dict[str, bytes] = {
    "garbage": b"\x00\x01\x02\xfe\xff garbage\r\n\r\n",
    "TLS": tls_hello(),
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "CONNECT": get("example.com:443", method="CONNECT"),
    "HTTP/1.2": get(LIST, version="1.2"),
    "HTTP/3.0": get(LIST, version="3.0"),
    "no target": b"GET  HTTP/1.1\r\n\r\n",
    "a target without a slash": get("REST/v1/Dataflows/ListJobs"),
    "a blank in the target": get("/REST/v1/Dataflows/List Jobs"),
    "NUL in the target": get(b"/REST/v1/\x00"),
    "a tab in the target": get(b"/REST/v1/\tListJobs"),
    "an impossible port": get("http://example.com:99999/REST/v1/Dataflows/ListJobs"),
    "a header without a name": get(LIST, ": x"),
    "a blank in a header's name": get(LIST, "Ho st: x"),
    "a line feed alone": GOOD.replace(b"\r\n", b"\n"),
    "NUL in a header": get(LIST, "X: \x00"),
    "a folded header": get(LIST, "X: a\r\n b"),
    "a negative length": get(LIST, "Content-Length: -1"),
    "a length that is no number": get(LIST, "Content-Length: many"),
    "two lengths": get(LIST, "Content-Length: 1", "Content-Length: 2"),
    "a length and chunks": get(LIST, "Content-Length: 3", "Transfer-Encoding: chunked"),
    "a huge header": get(LIST, "X: " + "x" * 70_000),
    "many headers": get(LIST, *(f"X-{number}: y" for number in range(10_000))),
    "a huge URL": get("/REST/v1/" + "x" * 70_000),
    "a megabyte of a header": get(LIST, "X: " + "x" * 1_000_000),
    "a megabyte of garbage": b"\x16\x03" + b"x" * 1_000_000,
}


@pytest.mark.parametrize("sent", NOT_HTTP.values(), ids=NOT_HTTP.keys())
def test_what_is_no_request_gets_a_400_and_the_connection_ends(sent: bytes, proxy: LiveServer) -> None:
    with connection(proxy) as opened:
        answer = opened.ask(sent)
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert opened.is_ended()
    assert talk(proxy, GOOD).status == 200


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\n", b"GET /?key="])
def test_a_head_without_an_end_is_refused(start: bytes, proxy: LiveServer) -> None:
    with connection(proxy) as opened:
        opened.send(start, *[b"x-y: z\r\n" if start.endswith(b"\n") else b"x" * 8192] * 20_000)
        assert opened.answer().status == 400
        assert opened.is_ended()


WELL: dict[str, tuple[bytes, int]] = {
    "a body on GET": (get(LIST, "Content-Length: 5") + b"hello", 200),
    "chunks on GET": (get(LIST, "Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n", 200),
    "a body on POST": (get(LIST, "Content-Length: 5", method="POST") + b"hello", 405),
    "a lower-case method": (get(LIST, method="get"), 405),
    "an unknown method": (get(LIST, method="BREW"), 405),
    "an unknown method elsewhere": (get("/nowhere", method="M-SEARCH"), 404),
    "Expect: 100-continue": (get(LIST, "Expect: 100-continue"), 200),
    "another Expect": (get(LIST, "Expect: miracles"), 200),
    "absolute form": (get("http://spatial.virtualearth.net" + LIST), 200),
    "absolute form, https": (get("https://spatial.virtualearth.net:443" + LIST), 200),
    "GET *": (get("*"), 404),
    "no Host": (GOOD.replace(b"Host: proxy.example\r\n", b""), 200),
    "two Hosts": (get(LIST, "Host: other.example"), 200),
    "a fragment": (get(LIST + "#part"), 200),
    "empty lines before": (b"\r\n\r\n" + GOOD, 200),
    "UTF-8 in the query": (get("/REST/v1/Dataflows/ListJobs?näme=größe&key=master-key"), 200),
    "Latin-1 in the query": (get(b"/REST/v1/Dataflows/ListJobs?n\xe4me=x&key=master-key"), 200),
    "signs in the query": (get(LIST + '&{}|^`"<>\\[]=;,'), 200),
    "UTF-8 in the path": (get("/REST/v1/größe"), 404),
    "signs in the path": (get('/REST/v1/{}|^`"<>\\[];,'), 404),
    "UTF-8 in a header": (get(LIST, "X-Name: größe"), 200),
    "an escape that is none": (get(LIST + "&%=%zz&%"), 200),
}


@pytest.mark.parametrize(("sent", "status"), WELL.values(), ids=WELL.keys())
def test_an_odd_request_keeps_its_connection(sent: bytes, status: int, proxy: LiveServer) -> None:
    with connection(proxy) as opened:
        answer = opened.ask(sent)
        assert (answer.status, answer.envelope["statusCode"]) == (status, status)
        assert opened.ask(GOOD).status == 200


LATE: dict[str, tuple[bytes, int]] = {
    "a large body on GET": (get(LIST, "Content-Length: 300000") + b"x" * 300_000, 200),
    "a large body on POST": (get(LIST, "Content-Length: 200000", method="POST") + b"x" * 200_000, 405),
    "a body that is held back": (get(LIST, "Expect: 100-continue", "Content-Length: 100", method="POST"), 405),
    "half a body": (get(LIST, "Content-Length: 10") + b"he", 200),
}


@pytest.mark.parametrize(("sent", "status"), LATE.values(), ids=LATE.keys())
def test_a_late_body_ends_the_connection(sent: bytes, status: int, proxy: LiveServer) -> None:
    with connection(proxy) as opened:
        answer = opened.ask(sent)
        assert (answer.status, answer.envelope["statusCode"], answer.headers["connection"]) == (status, status, "close")
        assert opened.is_ended()


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_connection_close_ends_the_connection(version: str, proxy: LiveServer) -> None:
    with connection(proxy) as opened:
        assert opened.ask(get(LIST, "Connection: close", version=version)).status == 200
        assert opened.is_ended()


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_request_may_come_in_pieces(size: int, proxy: LiveServer, account: Storage) -> None:
    account.alias("alias:id:größe", account.job("Geocode", LegacyId="Größe"))
    sent = get(target("Dataflows/Geocode/größe"), "Connection: close")
    with connection(proxy) as opened:
        opened.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.send(*(sent[start : start + size] for start in range(0, len(sent), size)))
        assert opened.answer().envelope["resourceSets"][0]["resources"][0]["id"] == "Größe"


@pytest.mark.parametrize("garbage", [b"\x00\x01garbage\r\n\r\n", b"\x16\x03" * 500_000, tls_hello()])
def test_garbage_behind_a_request_leaves_it_its_answer(garbage: bytes, proxy: LiveServer) -> None:
    with connection(proxy) as opened:
        opened.send(GOOD + GOOD + garbage)
        assert [opened.answer().status for _ in range(2)] == [200, 200]
        assert opened.is_ended()


@pytest.mark.parametrize("body", [b"zz\r\nhello\r\n", b"5\r\nhelloX", b"5\r\nhello\r\n0\r\nX: " + b"x" * 1_000_000])
def test_bad_chunks_end_the_connection_with_one_answer(body: bytes, proxy: LiveServer) -> None:
    with connection(proxy) as opened:
        assert opened.ask(get(LIST, "Transfer-Encoding: chunked") + body).status == 400
        assert opened.is_ended()
    assert talk(proxy, GOOD).status == 200


@pytest.mark.parametrize("sent", [GOOD, GOOD + GOOD, get(LIST, "Connection: close")])
def test_a_client_that_ends_its_side_still_gets_its_answers(sent: bytes, proxy: LiveServer) -> None:
    with connection(proxy) as opened:
        opened.send(sent)
        opened.socket.shutdown(socket.SHUT_WR)
        assert [opened.answer().status for _ in range(sent.count(b"GET "))] == [200] * sent.count(b"GET ")
        assert opened.is_ended()


def test_half_a_head_is_no_request(proxy: LiveServer) -> None:
    with connection(proxy) as opened:
        opened.send(GOOD[:-2])
        opened.socket.shutdown(socket.SHUT_WR)
        assert opened.is_ended()


@pytest.mark.parametrize("sent", [b"", get(LIST, "Content-Length: 9", method="POST") + b"x"])
def test_a_client_that_leaves_disturbs_no_other(sent: bytes, proxy: LiveServer) -> None:
    for _ in range(20):
        with connection(proxy) as opened:
            opened.send(sent)
    assert talk(proxy, GOOD).status == 200


@pytest.mark.parametrize("connection_header", ["Connection: close", "Connection: keep-alive"])
def test_a_response_outlives_a_large_unread_body(connection_header: str, proxy: LiveServer) -> None:
    size = 8_000_000
    with connection(proxy) as opened:
        opened.send(get(LIST, connection_header, f"Content-Length: {size}", method="POST"), b"x" * size)
        assert opened.answer().status == 405
