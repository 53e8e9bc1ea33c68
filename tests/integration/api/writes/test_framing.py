"""The framing of a request is judged once: a body is a body, whatever stands in it and before it."""

import re
import socket

import pytest

from tests.integration.api.writes.test_bodies import post
from tests.integration.api.writes.test_loads import XML
from tests.support.live import LiveServer
from tests.support.raw_http import connection, get, talk, target
from tests.support.storage import Storage
from tests.support.stored_jobs import Written

# A request without a key: where it is run, there is a 401.
SMUGGLED = b"GET /REST/v1/Dataflows/ListJobs HTTP/1.1\r\nHost: a\r\n\r\n"
LENGTH = (f"Content-Length: {len(SMUGGLED)}",)
CHUNKED = ("Transfer-Encoding: chunked",)
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)

UPGRADES = {
    "h2c": ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAA"),
    "websocket": ("Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
    "twice": ("Connection: Upgrade", "Upgrade: h2c", "Upgrade: websocket"),
    "behind an empty header": ("Connection: Upgrade", "X-Empty:", "Upgrade: TLS/1.2"),
}
FRAMINGS = {"length": (LENGTH, SMUGGLED), "chunks": (CHUNKED, CHUNKS)}


@pytest.mark.parametrize("headers", UPGRADES.values(), ids=UPGRADES.keys())
@pytest.mark.parametrize(("framing", "body"), FRAMINGS.values(), ids=FRAMINGS.keys())
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_behind_an_upgrade_is_no_request(
    *, headers: tuple[str, ...], framing: tuple[str, ...], body: bytes, method: str, proxy: LiveServer
) -> None:
    sent = get("/livez", *headers, *framing, method=method) + body + get("/nowhere", "Connection: close")
    assert _statuses(proxy, sent) == [200, 404]
    for split in (len(sent) // 2, sent.index(body), sent.index(body) + 1):
        # Where the body is not there in time, the connection ends with the answer.
        assert _statuses(proxy, sent[:split], sent[split:]) in ([200], [200, 404])


def _statuses(server: LiveServer, *chunks: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", server.raw(*chunks))]


@pytest.mark.parametrize("headers", UPGRADES.values(), ids=UPGRADES.keys())
@pytest.mark.parametrize(("framing", "body"), FRAMINGS.values(), ids=FRAMINGS.keys())
def test_a_load_behind_an_upgrade_is_stored_as_it_was_sent(
    headers: tuple[str, ...], framing: tuple[str, ...], body: bytes, server: LiveServer, written: Written
) -> None:
    with connection(server) as opened:
        opened.send(post(*headers, *framing, "Expect: 100-continue"))
        assert opened.socket.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert opened.ask(body).status == 201
        assert opened.ask(get(target("Dataflows/ListJobs"))).status == 200
    assert written.upload(written.job()["Work"]["upload"]) == SMUGGLED


NO_FRAMING = {
    "a length and chunks": ("Content-Length: 3", "Transfer-Encoding: chunked"),
    "chunks and a length": ("Transfer-Encoding: chunked", "Content-Length: 3"),
    "two lengths": ("Content-Length: 1", "Content-Length: 2"),
    "no chunks at the end": ("Transfer-Encoding: chunked, gzip",),
    "an encoding that is none": ("Transfer-Encoding: xchunked",),
    "a length that is no number": ("Content-Length: +3",),
}


@pytest.mark.parametrize("framing", NO_FRAMING.values(), ids=NO_FRAMING.keys())
@pytest.mark.parametrize("headers", [(), *UPGRADES.values()], ids=["none", *UPGRADES.keys()])
def test_an_ambiguous_framing_is_refused(headers: tuple[str, ...], framing: tuple[str, ...], proxy: LiveServer) -> None:
    with connection(proxy) as opened:
        assert opened.ask(get("/livez", *headers, *framing, method="POST") + CHUNKS).status == 400
        assert opened.is_ended()


@pytest.mark.parametrize("headers", [(), *UPGRADES.values()], ids=["none", *UPGRADES.keys()])
@pytest.mark.parametrize("address", ["example.com:443", "/livez"])
def test_connect_is_refused(address: str, headers: tuple[str, ...], proxy: LiveServer) -> None:
    assert talk(proxy, get(address, *headers, method="CONNECT")).status == 400


DATA = {
    "a mark of byte order": "\ufeffBing Spatial Data Services, 1.0, Shops\r\nGröße\r\n".encode(),
    "32 high bytes and a request": b"\xff" * 32 + b"\r\n" + SMUGGLED,
    "an unknown method": b"SUBSCRIBED /x HTTP/1.1\r\nHost: a\r\n\r\n",
    "a URL in UTF-8": "GET /größe HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "a request": SMUGGLED,
}


@pytest.mark.parametrize("data", DATA.values(), ids=DATA.keys())
@pytest.mark.parametrize("cut", [0, 1, 33])
def test_a_pipelined_load_is_stored_as_it_was_sent(data: bytes, cut: int, server: LiveServer, written: Written) -> None:
    with connection(server) as opened:
        opened.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.send(get("/livez") + post(f"Content-Length: {len(data)}") + data[:cut])
        assert opened.answer().status == 200
        opened.send(data[cut:] + get("/nowhere"))
        assert [opened.answer().status for _ in range(2)] == [201, 404]
    assert written.upload(written.job()["Work"]["upload"]) == data


def test_a_request_line_in_pieces_is_mended_as_a_whole(proxy: LiveServer, account: Storage) -> None:
    account.alias("alias:id:größe", account.job("Geocode", LegacyId="Größe"))
    sent = get(target("Dataflows/Geocode/größe"), "Connection: Upgrade", "Upgrade: h2c", *LENGTH) + SMUGGLED
    for size in (1, 5, len(sent)):
        with connection(proxy) as opened:
            opened.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.send(b"\r\n", *(sent[start : start + size] for start in range(0, len(sent), size)))
            assert opened.answer().envelope["resourceSets"][0]["resources"][0]["id"] == "Größe"
            if size == len(sent):  # else the response may come before the body's end, which ends the connection
                assert opened.ask(get("/nowhere")).status == 404


def test_a_request_line_without_an_end_is_refused(proxy: LiveServer) -> None:
    with connection(proxy) as opened:
        opened.send(*["GET /größe".encode() * 800] * 10)
        assert opened.answer().status == 400
        assert opened.is_ended()


def test_a_load_goes_on_where_the_client_ends_its_side(server: LiveServer, written: Written) -> None:
    with connection(server) as opened:
        opened.send(post("Connection: Upgrade, close", "Upgrade: h2c", f"Content-Length: {len(XML)}") + XML)
        opened.socket.shutdown(socket.SHUT_WR)
        assert opened.answer().status == 201
        assert opened.is_ended()
    assert written.upload(written.job()["Work"]["upload"]) == XML
