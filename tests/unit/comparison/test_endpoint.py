"""Where the key goes, and which ends of an answer are seen."""

import gzip
import io
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from proxy.comparison.answer import Answer, AnswerKind
from proxy.comparison.connection import TransportError
from proxy.comparison.endpoint import Endpoint
from proxy.comparison.origins import AddressError
from tests.support.stub_servers import listening

KEY = "secret/key +1"
SENT = "key=secret%2Fkey%20%2B1"
SECONDS = 60
"""The longest wait, where it is not what is tested."""


@dataclass
class Site:
    """A server whose answers are bytes by path, and the requests that it got."""

    answers: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, body: bytes = b"", status: str = "200 OK", *headers: str) -> None:
        """Answers a path, with the length of the body unless a header has it."""
        length = () if any(each.lower().startswith("content-length") for each in headers) else (len(body),)
        lines = [f"HTTP/1.1 {status}", *headers, *(f"Content-Length: {each}" for each in length)]
        self.answers[path] = "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def serving() -> Iterator[Site]:
    """A site on a port of its own."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            site.requests.append(f"{self.requestline}\n{self.headers}{body.decode()}")
            self.wfile.write(site.answers.get(self.path.partition("?")[0], b"HTTP/1.1 404 Not Found\r\n\r\n"))

        do_POST = do_GET  # noqa: N815 - the standard library's name

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield site
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def own() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture(scope="module")
def other() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def endpoint(own: Site, other: Site) -> Endpoint:
    for site in (own, other):
        site.requests.clear()
    return Endpoint(own.url, KEY, timeout=SECONDS)


def test_question_carries_encoded_parameters_and_the_key_last(endpoint: Endpoint, own: Site) -> None:
    own.answer("/REST/v1/data/a", b"{}")
    answer = endpoint.ask("POST", "data/a", {"$filter": "Name eq 'Ü&'"}, body=b"text", headers=[("X-Marker", "1")])
    assert (answer.status, answer.body) == (200, b"{}")
    assert own.requests[0].startswith(f"POST /REST/v1/data/a?$filter=Name%20eq%20%27%C3%9C%26%27&{SENT} HTTP/1.1")
    assert "X-Marker: 1" in own.requests[0]
    assert own.requests[0].endswith("text")


def test_question_does_not_follow_a_redirect(endpoint: Endpoint, own: Site, other: Site) -> None:
    own.answer("/REST/v1/data", b"", "302 Found", f"Location: {other.url}/x")
    assert endpoint.ask("GET", "data").kind is AnswerKind.REDIRECT
    assert not other.requests


def test_fetch_sends_the_key_to_its_own_origin_only(endpoint: Endpoint, own: Site, other: Site) -> None:
    own.answer("/REST/v1/out", b"own")
    other.answer("/blob", b"other")
    first, second, third = io.BytesIO(), io.BytesIO(), io.BytesIO()
    endpoint.fetch(f"{own.url}/REST/v1/out?x=1#part", first)
    endpoint.fetch("out", second)
    endpoint.fetch(f"{other.url}/blob?sig=s", third)
    assert [each.getvalue() for each in (first, second, third)] == [b"own", b"own", b"other"]
    assert [each.splitlines()[0] for each in own.requests] == [
        f"GET /REST/v1/out?x=1&{SENT} HTTP/1.1",
        f"GET /REST/v1/out?{SENT} HTTP/1.1",
    ]
    assert "secret" not in other.requests[0]


def test_fetch_follows_a_redirect_without_the_key(endpoint: Endpoint, own: Site, other: Site) -> None:
    own.answer("/REST/v1/out", b"", "302 Found", f"Location: {other.url}/blob")
    other.answer("/blob", b"", "302 Found", f"Location: {own.url}/plain")
    own.answer("/plain", b"data")
    file = io.BytesIO()
    assert endpoint.fetch("out", file).status == 200
    assert file.getvalue() == b"data"
    assert "secret" not in other.requests[0] + own.requests[1]


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("http://198.51.100.1/x", "the link is not https"),
        ("ftp://198.51.100.1/x", "no http or https URL"),
        ("http://[/x", "no URL"),
        (f"https://198.51.100.1/x?{SENT}", "has the key in it"),
        ("out", "redirects more than"),
    ],
)
def test_fetch_refuses_a_redirect_elsewhere(endpoint: Endpoint, own: Site, location: str, problem: str) -> None:
    own.answer("/REST/v1/out", b"", "302 Found", f"Location: {location}")
    with pytest.raises(TransportError, match=problem) as caught:
        endpoint.fetch("out", io.BytesIO())
    assert "secret" not in str(caught.value)


def test_fetch_of_the_own_host_by_http_goes_to_the_own_origin(own: Site) -> None:
    endpoint = Endpoint("https://127.0.0.1", KEY, connect_to=own.url.removeprefix("http://"), timeout=SECONDS)
    with pytest.raises(TransportError, match=r"https://127\.0\.0\.1: TLS failed"):
        endpoint.fetch("http://127.0.0.1/REST/v1/out", io.BytesIO())


def _zip(text: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("data.txt", text)
    return file.getvalue()


@pytest.mark.parametrize(
    "whole",
    [_zip(b"text" * 99), gzip.compress(b"text" * 99), gzip.compress(b"a") * 2],
    ids=["zip", "gzip", "two members"],
)
def test_fetch_notices_the_missing_end_of_a_compressed_file(endpoint: Endpoint, own: Site, whole: bytes) -> None:
    own.answer("/REST/v1/out", whole)
    file = io.BytesIO()
    endpoint.fetch("out", file)
    assert file.getvalue() == whole
    own.answer("/REST/v1/out", whole[:-5])
    with pytest.raises(TransportError, match="ends early or is damaged"):
        endpoint.fetch("out", io.BytesIO())


def test_fetch_notices_fewer_bytes_than_announced(endpoint: Endpoint, own: Site) -> None:
    own.answer("/REST/v1/out", b"12345", "200 OK", "Content-Length: 9")
    with pytest.raises(TransportError, match="breaks off"):
        endpoint.fetch("out", io.BytesIO())
    with pytest.raises(TransportError, match="breaks off"):
        endpoint.ask("GET", "out")


def test_fetch_leaves_the_file_alone_where_the_answer_is_an_error(endpoint: Endpoint, own: Site) -> None:
    own.answer("/REST/v1/out", b"<html>", "503 Service Unavailable", "Retry-After: 7")
    file = io.BytesIO()
    answer = endpoint.fetch("out", file)
    assert (answer.kind, answer.retry_after, file.getvalue()) == (AnswerKind.UNAVAILABLE, 7, b"")


def test_fetch_raises_what_writing_raises(endpoint: Endpoint, own: Site) -> None:
    class Full(io.BytesIO):
        def write(self, _: object, /) -> int:
            raise OSError(28, "No space left on device")

    own.answer("/REST/v1/out", b"data")
    with pytest.raises(OSError, match="No space left"):
        endpoint.fetch("out", Full())


def test_answer_that_trickles_ends_at_the_timeout() -> None:
    def trickle(connected: socket.socket) -> None:
        while True:
            connected.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            time.sleep(0.02)

    with listening(trickle) as port, pytest.raises(TransportError, match=r"as a whole within 0\.2 s"):
        Endpoint(f"http://127.0.0.1:{port}", KEY, timeout=0.2).ask("GET", "data")


def test_answers_beyond_a_limit_are_refused(endpoint: Endpoint, own: Site) -> None:
    own.answer("/REST/v1/out", b"x" * 2_000_001)
    with pytest.raises(TransportError, match="larger than 2 MB"):
        endpoint.ask("GET", "out", max_bytes=2_000_000)
    with pytest.raises(TransportError, match="larger than 2 MB"):
        endpoint.fetch("out", io.BytesIO(), max_bytes=2_000_000)


def test_failure_names_neither_key_nor_query(endpoint: Endpoint, own: Site) -> None:
    own.answers["/REST/v1/data"] = b"HTTP/1.1 secret/key +1\r\n\r\n"
    with pytest.raises(TransportError) as caught:
        endpoint.ask("GET", "data", {"private": "value"})
    assert str(caught.value) == f"{own.url}: its answer is no HTTP: BadStatusLine"


@pytest.mark.parametrize(
    ("url", "connect_to", "problem"),
    [
        ("http://spatial.example.net", None, "must be https"),
        ("http://127.0.0.1", "198.51.100.1", "must be https"),
        ("https://spatial.example.net", "elsewhere", "must be an IP address"),
        ("https://spatial.example.net", "127.0.0.1:70000", "must be an IP address"),
        ("https://spatial.example.net", "127.0.0.999", "must be an IP address"),
        ("https://spatial.example.net?a=b", None, "must have no query"),
        ("spatial.example.net", None, "must be like https://"),
    ],
)
def test_endpoint_takes_no_address_that_leaks_the_key(url: str, connect_to: str | None, problem: str) -> None:
    with pytest.raises(AddressError, match=problem):
        Endpoint(url, KEY, connect_to=connect_to)


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind"),
    [
        (200, {}, b"{}", AnswerKind.SUCCESS),
        (200, {"Content-Type": "text/html"}, b"", AnswerKind.HTML),
        (500, {}, b" <!DOCTYPE html><p>", AnswerKind.HTML),
        (500, {}, b"{}", AnswerKind.ERROR),
        (401, {}, b"<html>", AnswerKind.KEY_REFUSED),
        (429, {}, b"", AnswerKind.THROTTLED),
        (503, {}, b"", AnswerKind.UNAVAILABLE),
        (404, {}, b"", AnswerKind.NOT_FOUND),
    ],
)
def test_answer_has_a_kind(status: int, headers: dict[str, str], body: bytes, kind: AnswerKind) -> None:
    assert Answer(status, "", tuple(headers.items()), body).kind is kind


def test_answer_describes_itself_by_the_words_of_its_envelope() -> None:
    json = Answer(503, "Service Unavailable", (), b'{"errorDetails":["Too many\\n jobs."]}')
    xml = Answer(400, "Bad Request", (), b"<Response><ErrorDetails><string>No.</string></ErrorDetails></Response>")
    assert json.describe() == "HTTP 503 Service Unavailable: Too many jobs."
    assert xml.describe() == "HTTP 400 Bad Request: No."
    assert Answer(502, "Bad Gateway", (), b"<html>").describe() == "HTTP 502 Bad Gateway, an HTML page"


def test_retry_after_may_be_a_date() -> None:
    assert Answer(429, headers=(("Retry-After", "Thu, 03 Jan 2013 23:22:15 GMT"),)).retry_after == 0
    assert Answer(429, headers=(("Retry-After", "soon"),)).retry_after is None
