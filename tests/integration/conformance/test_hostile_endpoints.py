"""Whatever an endpoint does, the command ends soon, with a plain sentence or a report, and 1."""

import json
import socket
import time

import pytest

from proxy.cli.main import main
from proxy.conformance import http as wire
from proxy.conformance.client import BudgetExceededError, Client, ClientLimits, Target
from proxy.conformance.exchange import Purpose, Request
from proxy.conformance.request_plan import FIRST
from proxy.conformance.target import parse_base_url
from tests.integration.conformance.endpoints import Said, answering
from tests.support.stub_servers import Serve, closed_port, drip, hang, hang_up, listening, saying

KEY = "true-key-of-the-owner"
OK = b"HTTP/1.1 200 OK\r\n"


def drip_headers(connected: socket.socket) -> None:
    """Sends its head a byte at a time, without an end."""
    connected.recv(65536)
    connected.sendall(OK + b"X: ")
    while True:
        time.sleep(0.02)
        connected.sendall(b"x")


def flood(beginning: bytes, piece: bytes) -> Serve:
    """Sends without an end, as fast as it is read."""

    def serve(connected: socket.socket) -> None:
        connected.recv(65536)
        connected.sendall(beginning)
        while True:
            connected.sendall(piece)

    return serve


def bare(text: bytes) -> Serve:
    """Sends this and closes."""

    def serve(connected: socket.socket) -> None:
        connected.recv(65536)
        connected.sendall(text)

    return serve


UNANSWERED: dict[str, tuple[Serve, str]] = {
    "nothing": (hang, "it did not answer as a whole within 0.3 s"),
    "a body that drips": (drip, "it did not answer as a whole within 0.3 s"),
    "a head that drips": (drip_headers, "it did not answer as a whole within 0.3 s"),
    "closed": (hang_up, "it closed the connection without an answer"),
    "endless body": (flood(OK + b"\r\n", b"x" * 65536), "larger than 32 MB"),
    "endless chunks": (
        flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"8000\r\n" + b"x" * 32768 + b"\r\n"),
        "larger",
    ),
    "endless headers": (flood(OK, b"X-A: b\r\n"), "it is no HTTP|its answer is no HTTP: HTTPException"),
    "one endless header": (flood(OK + b"X: ", b"x" * 65536), "its answer is no HTTP: LineTooLong"),
    "endless 100": (flood(b"", b"HTTP/1.1 100 Continue\r\nX: " + b"x" * 60_000 + b"\r\n\r\n"), "larger than 32 MB"),
    "garbage": (bare(b"\x00\xff\xfe garbage \r\n\r\n"), "its answer is no HTTP: BadStatusLine"),
    "a status of letters": (bare(b"HTTP/1.1 OK 200\r\n\r\n"), "its answer is no HTTP"),
    "another protocol": (bare(b"SSH-2.0-OpenSSH_9.6\r\n"), "its answer is no HTTP: BadStatusLine"),
    "a body that breaks off": (saying("200 OK", b"{", cut=5), "its answer breaks off"),
    "a chunk that breaks off": (bare(OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\nx"), "its answer breaks off"),
    "a chunk of no size": (bare(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx"), "its answer"),
}


@pytest.mark.parametrize("name", UNANSWERED)
def test_no_answer_is_one_sentence(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    serve, texts = UNANSWERED[name]
    slow = "drip" in name or name == "nothing"
    with listening(serve) as port:
        status = main(
            [
                "conformance",
                "--base-url",
                f"http://127.0.0.1:{port}",
                "--key",
                KEY,
                "--timeout",
                "0.3" if slow else "20",
            ]
        )
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"http://127.0.0.1:{port} could not be asked: it")
    assert any(text in err for text in texts.split("|")), err


def test_machines_are_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}"
        assert main(["conformance", "--base-url", url, "--key", KEY, "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == {"schema": 1, "error": f"{url} could not be asked: nobody listens there."}
    assert err.count("\n") == 1


@pytest.mark.parametrize("serve", [hang, bare(b"HTTP/1.1 400 Bad Request\r\n\r\n"), hang_up])
def test_what_speaks_no_tls_is_one_sentence(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    with listening(serve) as port:
        assert main(["conformance", "--base-url", f"https://127.0.0.1:{port}", "--key", KEY, "--timeout", "0.5"]) == 1
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "could not be asked: " in err


BODIES: dict[str, bytes] = {
    "empty": b"",
    "HTML": b"<html><body>Welcome</body></html>",
    "deep JSON": b'{"a":' + b"[" * 200_000,
    "deep XML": b"<a>" * 200_000,
    "an XML bomb": b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Response>&b;</Response>',
    "null": b"null",
    "a list": b"[]",
    "no UTF-8": b'{"traceId":"\xff\xfe"}',
    "lone surrogates": rb'{"traceId":"\ud800","resourceSets":[{"resources":[{"id":"\ud800","name":"\udfff",'
    rb'"description":"Geocode","status":"Completed"}]}]}',
    "a long number": b'{"statusCode":' + b"9" * 5000 + b"}",
    "NaN": b'{"statusCode":NaN}',
    "a name twice": b'{"statusCode":1,"statusCode":2}',
    "odd types": b'{"authenticationResultCode":[1],"errorDetails":{"a":1},"resourceSets":[1,{"resources":{"a":[]}},'
    b'{"estimatedTotal":[],"resources":[1,[],{"__type":[],"id":{},"links":[1,{"role":[],"name":{},"url":[]},'
    b'{"role":"output","name":"succeeded","url":"http://[x?sig=1"}],"status":{},"createdDate":[1],"description":[]},'
    b'{"id":"../..","description":"Geocode","status":"Completed","name":"a/b","links":{}},'
    b'{"id":"a\\u0000b","description":"DataSourceComplete","status":"Completed","links":[{"role":"self","url":"//["}]}'
    b']}],"statusCode":{},"traceId":null}',
    "control characters": b'{"traceId":"\\u001b[31m\\u0007","copyright":"\\r\\n\\r\\nFAKE: 0 broken"}',
}


@pytest.mark.parametrize("name", BODIES)
def test_any_body_is_judged(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(lambda _: Said(BODIES[name])) as (url, _):
        assert main(["conformance", "--base-url", url, "--key", KEY]) == 1
    out, err = capsys.readouterr()
    assert not err
    assert out.splitlines()[-1].endswith("not judged")
    assert "\x1b" not in out
    assert "\nFAKE" not in out


def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(lambda _: Said(b"{}")) as (other, asked_elsewhere):
        moved = Said(b"", 302, (("Location", f"{other}/REST/v1/Dataflows/ListJobs?key={KEY}"),))
        with answering(lambda _: moved) as (url, asked):
            assert main(["conformance", "--base-url", url, "--key", KEY]) == 1
    assert asked
    assert asked_elsewhere == []
    assert "BROKEN" in capsys.readouterr().out


def test_links_to_another_host_are_asked_without_the_key() -> None:
    with answering(lambda _: Said(b"export")) as (other, asked_elsewhere):
        links = [
            {"role": "self", "url": f"{other}/REST/v1/dataflows/Geocode/abc"},
            {"name": "succeeded", "role": "output", "url": f"{other}/exports/a?sig=abc&legacy=#"},
        ]
        job = {"__type": "DataflowJob:", "id": "abc", "links": links, "description": "Geocode", "status": "Completed"}
        list_body = json.dumps({"resourceSets": [{"estimatedTotal": 1, "resources": [job]}]}).encode()

        def say(path: str) -> Said:
            if "/output/" in path:
                return Said(b"", 302, (("Location", f"{other}/exports/b?sig=abc"),))
            return Said(list_body)

        with answering(say) as (url, asked):
            main(["conformance", "--base-url", url, "--key", KEY, "--query-key", "the-query-key"])
    assert any(KEY in each for each in asked)
    assert len(asked_elsewhere) == 4
    for each in asked_elsewhere:
        assert KEY.lower() not in each.lower()
        assert "the-query-key" not in each
        assert each.startswith(("GET /exports/", "HEAD /exports/"))
    assert "?key=stand-in" in "".join(asked_elsewhere)


def test_a_link_that_has_the_key_in_it_is_not_asked_for() -> None:
    with answering(lambda _: Said(b"")) as (other, asked):
        asker = Client(Target(parse_base_url(other), KEY, "the-query-key"))
        for told in (KEY, KEY.swapcase(), "the-query-key"):
            found = asker.ask(Request(purpose=Purpose.LOCATION, path=f"{other}/a?sig=b&key={told}", is_link=True))
            assert found.failure == "it has the key in it, which goes to the endpoint alone"
            assert told not in found.ask.told
    assert asked == []


@pytest.mark.parametrize(
    ("link", "text"),
    [
        ("http://127.0.0.1:1/a?sig=b", "it is not https, as the endpoint is"),
        ("file:///etc/passwd?sig=b", "it is no URL that can be asked"),
        ("//127.0.0.1/a?sig=b", "it is no URL that can be asked"),
        ("https://a b/c?sig=b", "it is no URL that can be asked"),
        ("https://a:99999/c?sig=b", "it is no URL that can be asked"),
        ("https://127.0.0.1:1/a?sig=b", "nobody listens there"),
    ],
)
def test_an_odd_link_is_a_sentence_and_no_silence_of_the_endpoint(link: str, text: str) -> None:
    asker = Client(Target(parse_base_url("https://spatial.contoso.example"), KEY))
    for _ in range(5):
        assert asker.ask(Request(purpose=Purpose.LOCATION, path=link, is_link=True)).failure == text


def test_what_an_id_or_a_link_leads_to_is_not_asked_for() -> None:
    evil = "/REST/v1/Dataflows/DataSourceDownload/20181f26/Shop"
    job = {
        "id": "20181f26/Shop",
        "links": [{"role": "self", "url": f"https://a{evil}"}],
        "description": "DataSourceRollback",
        "status": "Completed",
        "name": "20181f26/Shop",
    }
    other = job | {"id": "abc", "description": "DataSourceComplete"}
    body = json.dumps({"resourceSets": [{"estimatedTotal": 2, "resources": [job, other]}]}).encode()
    with answering(lambda _: Said(body)) as (url, asked):
        main(["conformance", "--base-url", url, "--key", KEY])
    paths = [each.partition(" ")[2].partition("?")[0].lower() for each in asked]
    assert any("loaddatasource/abc" in path for path in paths)
    assert not [path for path in paths if "20181f26" in path]


def test_a_name_that_is_padded_in_the_list_is_asked_for_without_that() -> None:
    job = {"id": "abc", "name": "Shop ", "description": "DataSourceDelete", "status": "Completed"}
    body = json.dumps({"resourceSets": [{"estimatedTotal": 1, "resources": [job]}]}).encode()
    with answering(lambda _: Said(body)) as (url, asked):
        main(["conformance", "--base-url", url, "--key", KEY])
    assert any("/DataSourceDownload/Shop?" in each for each in asked)
    assert not any("Shop%20" in each for each in asked)


def test_an_endpoint_that_falls_silent_is_given_up(capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[float] = []

    def serve(connected: socket.socket) -> None:
        asked.append(0)
        (saying("200 OK", b"{}") if len(asked) < 5 else hang_up)(connected)

    with listening(serve) as port:
        assert main(["conformance", "--base-url", f"http://127.0.0.1:{port}", "--key", KEY]) == 1
    out = capsys.readouterr().out
    assert "NOT ALL WAS ASKED: it ended after 3 requests without an answer" in out
    assert len(asked) == 4 + 3


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (ClientLimits(requests=5), "after 5 requests"),
        (ClientLimits(all_size=100_000), "after 0 MB of answers"),
        (ClientLimits(all_seconds=0.3), "after 0.3 s"),
    ],
)
def test_all_together_has_limits(limits: ClientLimits, text: str) -> None:
    def say(_: str) -> Said:
        time.sleep(0.02)
        return Said(b"x" * 20_000)

    with answering(say) as (url, asked):
        asker = Client(Target(parse_base_url(url), KEY, limits=limits))

        def ask_on() -> None:
            for _ in range(1000):
                asker.ask(FIRST)

        with pytest.raises(BudgetExceededError, match=text):
            ask_on()
    assert len(asked) < 50


def test_a_request_that_the_end_cuts_short_is_no_silence_of_the_endpoint() -> None:
    with listening(hang) as port:
        endpoint = Target(
            parse_base_url(f"http://127.0.0.1:{port}"), KEY, limits=ClientLimits(seconds=5, all_seconds=0.3)
        )
        asker = Client(endpoint)
        with pytest.raises(BudgetExceededError, match=r"after 0\.3 s"):
            asker.ask(FIRST)
    assert asker.exchanges == []


def test_a_body_after_head_is_seen_and_not_waited_for() -> None:
    saying_more = bare(OK + b"Content-Length: 2\r\n\r\n{}")
    for serve, body in ((saying_more, b"{}"), (bare(OK + b"\r\n"), b"")):
        with listening(serve) as port:
            origin = parse_base_url(f"http://127.0.0.1:{port}").origin
            request = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
            answer = wire.exchange(
                origin, "127.0.0.1", request, Target(parse_base_url("http://a"), "k").tls, wire.Bounds(5, 1000)
            )
            assert (answer.status, answer.body) == (200, body)
