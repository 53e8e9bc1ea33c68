"""Whatever an endpoint answers, the run is bounded, the keys stay at its origin, and the report is redacted."""

import json
import socket
import time

import pytest

from proxy.comparison.origins import parse_base_url
from proxy.conformance.client import BudgetExceededError, Client, is_read_only
from proxy.conformance.exchange import Purpose, Request
from proxy.conformance.recording import Recording
from proxy.conformance.report import as_text
from proxy.conformance.request_plan import ERRORS, FIRST, LISTS, WITH_KEY
from proxy.conformance.target import ClientLimits, Target
from tests.conftest import StartServer
from tests.integration.conformance.endpoints import Answer, list_of, record, run, scripted
from tests.support.storage import Storage
from tests.support.stub_servers import Serve, closed_port, drip, hang, hang_up, listening, saying

KEY = "AbCd-secret/Key+1&é"  # characters that each format escapes in its own way
QUERY_KEY = "the-query-key"
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def flood(beginning: bytes, piece: bytes, pause: float = 0) -> Serve:
    """Sends without an end."""

    def serve(connected: socket.socket) -> None:
        connected.recv(65536)
        connected.sendall(beginning)
        while True:
            time.sleep(pause)
            connected.sendall(piece)

    return serve


def bare(text: bytes) -> Serve:
    """Sends this and closes."""

    def serve(connected: socket.socket) -> None:
        connected.recv(65536)
        connected.sendall(text)

    return serve


IN_TIME = "it did not answer as a whole within 0.3 s"
UNANSWERED: dict[str, tuple[Serve, str]] = {
    "silence": (hang, IN_TIME),
    "a body that drips": (drip, IN_TIME),
    "a head that drips": (flood(OK + b"X: ", b"x", 0.02), IN_TIME),
    "an endless 100": (flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.001), IN_TIME),
    "a closed connection": (hang_up, "it closed the connection without an answer"),
    "an endless body": (flood(OK + b"\r\n", b"x" * 65536), "larger than 32 MB"),
    "endless chunks": (flood(CHUNKED, b"8000\r\n" + b"x" * 32768 + b"\r\n"), "larger than 32 MB"),
    "an endless header": (flood(OK + b"X: ", b"x" * 65536), "its answer is no HTTP: LineTooLong"),
    "another protocol": (bare(b"SSH-2.0-OpenSSH_9.6\r\n"), "its answer is no HTTP: BadStatusLine"),
    "a body that breaks off": (saying("200 OK", b"{", cut=5), "its answer breaks off"),
    "a chunk that breaks off": (bare(CHUNKED + b"ff\r\nx"), "its answer breaks off"),
}


@pytest.mark.parametrize("name", UNANSWERED)
def test_endpoint_without_whole_answer_is_one_sentence(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    serve, text = UNANSWERED[name]
    with listening(serve) as port:
        url = f"http://127.0.0.1:{port}"
        assert run("--base-url", url, "--key", KEY, "--timeout", "0.3" if text == IN_TIME else "60") == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"{url} can't be reached: it")
    assert text in err


def test_unreachable_endpoint_is_json_with_json_option(capsys: pytest.CaptureFixture[str]) -> None:
    with closed_port() as port:
        url = f"http://127.0.0.1:{port}"
        assert run("--base-url", url, "--key", KEY, "--json") == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == {"schema": 1, "error": f"{url} can't be reached: the connection is refused."}
    assert err.count("\n") == 1


def test_endpoint_without_tls_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with listening(bare(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        assert run("--base-url", f"https://127.0.0.1:{port}", "--key", KEY, "--timeout", "60") == 1
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "can't be reached: TLS failed: " in err


BODIES: dict[str, bytes] = {
    "lone surrogates": rb'{"traceId":"\ud800","resourceSets":[{"resources":[{"id":"\ud800","name":"\udfff",'
    rb'"description":"Geocode","status":"Completed"}]}]}',
    "odd types": b'{"authenticationResultCode":[1],"errorDetails":{"a":1},"resourceSets":[1,{"resources":{"a":[]}},'
    b'{"estimatedTotal":[],"resources":[1,[],{"__type":[],"id":{},"links":[1,{"role":[],"name":{},"url":[]},'
    b'{"role":"output","name":"succeeded","url":"http://[x?sig=1"}],"status":{},"createdDate":[1],"description":[]},'
    b'{"id":"../..","description":"Geocode","status":"Completed","name":"a/b","links":{}},'
    b'{"id":"a\\u0000b","description":"DataSourceComplete","status":"Completed","links":[{"role":"self","url":"//["}]}'
    b']}],"statusCode":{},"traceId":null}',
    "control characters": b'{"traceId":"\\u001b[31m\\u0007","copyright":"\\r\\n\\r\\nFAKE: 0 failed"}',
}


@pytest.mark.parametrize("name", BODIES)
def test_any_body_gets_a_report(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with scripted(lambda _: Answer(BODIES[name])) as (url, _):
        assert run("--base-url", url, "--key", KEY) == 1
    out, err = capsys.readouterr()
    assert not err
    assert out.splitlines()[-1].endswith("skipped")
    assert "\x1b" not in out
    assert "\nFAKE" not in out


def test_keys_go_to_no_other_origin() -> None:
    with scripted(lambda _: Answer(b"export")) as (other, foreign):
        links = [
            {"role": "self", "url": f"{other}/REST/v1/dataflows/Geocode/abc"},
            {"name": "succeeded", "role": "output", "url": f"{other}/exports/a?sig=abc&legacy=#"},
        ]
        job = {"__type": "DataflowJob:", "id": "abc", "links": links, "description": "Geocode", "status": "Completed"}

        def script(path: str) -> Answer:
            moved = "/output/" in path or "XML" in path
            return Answer(b"", 302, (("Location", f"{other}/exports/b?sig=abc"),)) if moved else list_of(job)

        with scripted(script) as (url, own):
            assert run("--base-url", url, "--key", "true-key", "--query-key", QUERY_KEY) == 1
    assert any("true-key" in request for request in own)
    # The link in three forms and the Location; no redirect of another answer is followed.
    assert len(foreign) == 4
    assert all(request.startswith(("GET /exports/", "HEAD /exports/")) for request in foreign)
    assert not [request for request in foreign if "true-key" in request.lower() or QUERY_KEY in request]


@pytest.mark.parametrize("secret", ["true-key", "TRUE-KEY", QUERY_KEY])
def test_link_with_key_is_not_requested(secret: str) -> None:
    with scripted(lambda _: Answer(b"")) as (other, requests):
        client = Client(Target(parse_base_url(other), "true-key", QUERY_KEY))
        found = client.send(Request(Purpose.LOCATION, f"{other}/a?sig=b&key={secret}", is_link=True))
    assert found.failure == "it has the key in it, which goes to the endpoint alone"
    assert secret not in found.request.label
    assert requests == []


@pytest.mark.parametrize(
    ("link", "text"),
    [
        ("http://127.0.0.1:1/a?sig=b", "it is not https, as the endpoint is"),
        ("file:///etc/passwd?sig=b", "it is no http or https URL"),
        ("https://a:99999/c?sig=b", "it is no http or https URL"),
        ("https://127.0.0.1:1/a?sig=b", "the connection is refused"),
    ],
)
def test_odd_link_is_no_failure_of_the_endpoint(link: str, text: str) -> None:
    client = Client(Target(parse_base_url("https://spatial.contoso.example"), KEY))
    for _ in range(5):
        assert client.send(Request(Purpose.LOCATION, link, is_link=True)).failure == text


def test_paths_from_ids_and_links_that_may_create_are_not_requested() -> None:
    evil = "/REST/v1/Dataflows/DataSourceDownload/20181f26/Shop"
    job: dict[str, object] = {
        "id": "20181f26/Shop",
        "links": [{"role": "self", "url": f"https://a{evil}"}],
        "description": "DataSourceRollback",
        "status": "Completed",
        "name": "20181f26/Shop",
    }
    # The documents print a name with a space behind it.
    other = job | {"id": "abc", "description": "DataSourceComplete", "name": "Cafe "}
    with scripted(lambda _: list_of(job, other)) as (url, requests):
        run("--base-url", url, "--key", KEY)
    paths = [request.split(" ")[1].partition("?")[0].lower() for request in requests]
    assert any("loaddatasource/abc" in path for path in paths)
    assert any(path.endswith("/datasourcedownload/cafe") for path in paths)
    assert not [path for path in paths if "20181f26" in path]


def test_whole_run_only_reads(full: Recording, storage: Storage, start: StartServer) -> None:
    requests = {exchange.request for exchange in full.exchanges}
    assert {request.method for request in requests} == {"GET", "HEAD"}
    assert all(is_read_only(request) for request in requests)
    assert {FIRST, WITH_KEY, *LISTS, *ERRORS} <= requests
    storage.job(DataSourceName="Shop", AccessId="a1b2", OutputBlob=storage.export())
    storage.download("Shop", OutputBlob=storage.export())
    before = list(storage.table.list_entities())
    assert len(record(start(storage)).exchanges) > 80
    assert list(storage.table.list_entities()) == before


def test_endpoint_that_falls_silent_ends_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    connections: list[socket.socket] = []

    def serve(connected: socket.socket) -> None:
        connections.append(connected)
        (saying("200 OK", b"{}") if len(connections) < 5 else hang_up)(connected)

    with listening(serve) as port:
        assert run("--base-url", f"http://127.0.0.1:{port}", "--key", KEY) == 1
    assert "INCOMPLETE: the run ended after 3 requests without an answer" in capsys.readouterr().out
    assert len(connections) == 4 + 3


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (ClientLimits(total_requests=5), "after 5 requests"),
        (ClientLimits(total_bytes=100_000), "after 0 MB of answers"),
        (ClientLimits(total_seconds=0.3), "after 0.3 s"),
    ],
)
def test_run_has_limits(limits: ClientLimits, text: str) -> None:
    def script(_: str) -> Answer:
        time.sleep(0.02)
        return Answer(b"x" * 20_000)

    def send_many(client: Client) -> None:
        for _ in range(1000):
            client.send(FIRST)

    with scripted(script) as (url, requests), pytest.raises(BudgetExceededError, match=text):
        send_many(Client(Target(parse_base_url(url), KEY, limits=limits)))
    assert len(requests) < 50


def test_request_cut_short_by_the_end_is_no_failure() -> None:
    with listening(hang) as port:
        limits = ClientLimits(timeout=5, total_seconds=0.3)
        client = Client(Target(parse_base_url(f"http://127.0.0.1:{port}"), KEY, limits=limits))
        with pytest.raises(BudgetExceededError, match=r"after 0\.3 s"):
            client.send(FIRST)
    assert client.recording.exchanges == []


@pytest.mark.parametrize(("serve", "body"), [(b"Content-Length: 2\r\n\r\n{}", b"{}"), (b"\r\n", b"")])
def test_body_after_head_is_recorded(serve: bytes, body: bytes) -> None:
    with listening(bare(OK + serve)) as port:
        client = Client(Target(parse_base_url(f"http://127.0.0.1:{port}"), KEY))
        found = client.send(Request(Purpose.HEAD, "Dataflows/ListJobs", method="HEAD"))
    assert (found.status, found.body) == (200, body)


def echo(path: str) -> Answer:
    """Repeats the key wherever possible: as it came, decoded, escaped, in headers and links."""
    plain = f"{KEY} {KEY.swapcase()} {KEY.upper()} {path}"
    link = f"http://127.0.0.1:1/a/b?sig=SeCrEt%2BsIgNaTuRe%3D&key={KEY}"
    job = {
        "__type": "DataflowJob:x",
        "id": f"id-{KEY}",
        "links": [{"role": "output", "name": "succeeded", "url": link}, {"role": KEY, "url": KEY}],
        "description": "Geocode",
        "status": "Completed",
        "name": KEY,
        "createdDate": plain,
    }
    envelope = {
        KEY: KEY,
        "authenticationResultCode": plain,
        "errorDetails": [plain],
        "resourceSets": [{"estimatedTotal": KEY, "resources": [job]}],
        "traceId": plain,
    }
    headers = (("Content-Type", f"text/{path}"), ("Location", link.encode().decode("latin-1")))
    return Answer(json.dumps(envelope).encode(), 404 if "NoSuch" in path else 200, headers)


@pytest.mark.slow
def test_report_redacts_echoed_key_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    with scripted(echo) as (url, _):
        assert run("--base-url", url, "--key", KEY, "--json") == 1
    out, err = capsys.readouterr()
    report = json.loads(out)
    for text in (json.dumps(report, ensure_ascii=False), "\n".join(as_text(report)), err):
        assert "secret" not in text.lower().replace("5.no-secrets", "")
        assert "signature" not in text.lower().replace("a signature", "")
        assert text == err or "it shows a key" in text
