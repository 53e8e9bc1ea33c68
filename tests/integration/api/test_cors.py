"""wire-contract.md, section 1: pages of other origins may read answers, as `PROXY_CORS_ORIGINS` says."""

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.integration.api.writes.test_loads import LOAD
from tests.support.live import LiveServer, start_server
from tests.support.raw_http import connection, get, target
from tests.support.storage import Storage

PAGE, OTHER, STRANGE = "https://maps.example.com", "http://localhost:3000", "https://evil.example"
ALLOW, EXPOSE = "access-control-allow-origin", "access-control-expose-headers"


@pytest.fixture(scope="module")
def servers(account: Storage) -> Iterator[dict[str, LiveServer]]:
    """Servers by their setting, which remember answers."""
    memory: dict[str, Any] = {"pending_ttl": 60, "finished_ttl": 60, "max_active_jobs": 100}
    with ExitStack() as stack:
        yield {
            origins: stack.enter_context(start_server(account, cors_origins=origins, **memory))
            for origins in ("*", f"{PAGE},{OTHER}", "")
        }


@pytest.fixture(scope="module")
def kinds(account: Storage) -> dict[str, tuple[bytes, int]]:
    """Requests of every kind of answer, with the statuses of these; `{}` stands where headers go."""
    job = account.job(OutputBlob="exports/a.xml")
    load = f"Dataflows/LoadDataSource/{job}"
    asked = {
        "list": (get(target("Dataflows/ListJobs"), "{}"), 200),
        "XML": (get(target(load, o="xml"), "{}"), 200),
        "HEAD": (get(target(load), "{}", method="HEAD"), 200),
        "document": (get(target("data"), "{}"), 200),
        "created": (get(target("Dataflows/LoadDataSource", **LOAD), "{}", "Content-Length: 4", method="POST"), 201),
        "redirect": (get(target(f"{load}/output/succeeded"), "{}"), 302),
        "malformed": (get(target(load, o="pdf"), "{}"), 400),
        "no key": (get("/REST/v1/Dataflows/ListJobs", "{}"), 401),
        "no such job": (get(target("Dataflows/Geocode/none"), "{}"), 404),
        "no such path": (get("/nowhere", "{}"), 404),
        "wrong method": (get(target(load), "{}", method="DELETE"), 405),
        "alive": (get("/livez", "{}"), 200),
        "ready": (get("/readyz", "{}"), 200),
    }
    return {name: (data + b"<a/>" * (name == "created"), status) for name, (data, status) in asked.items()}


def headers_of(server: LiveServer, kind: tuple[bytes, int], origin: str | None) -> dict[str, str]:
    data, status = kind
    said = b"X-Nothing: 1" if origin is None else b"Origin: " + origin.encode()
    with connection(server) as opened:
        opened.send(data.replace(b"{}", said))
        answer = opened.answer(data.partition(b" ")[0].decode())
    assert answer.status == status
    return answer.headers


def test_by_default_every_answer_may_be_read_by_any_page(
    servers: dict[str, LiveServer], kinds: dict[str, tuple[bytes, int]]
) -> None:
    for kind in kinds.values():
        for origin in (None, PAGE, "null"):
            headers = headers_of(servers["*"], kind, origin)
            assert (headers[ALLOW], headers[EXPOSE]) == ("*", "Location")
            assert "vary" not in headers


def test_what_is_no_request_may_be_read_too(servers: dict[str, LiveServer]) -> None:
    answer = servers["*"].raw(b"\x00\x01\r\n\r\n").lower()
    assert answer.startswith(b"http/1.1 400 ")
    assert answer.count(ALLOW.encode() + b": *\r\n") == answer.count(EXPOSE.encode() + b": location\r\n") == 1


def test_cached_responses_differ_by_listed_origin(
    servers: dict[str, LiveServer], kinds: dict[str, tuple[bytes, int]]
) -> None:
    listed = servers[f"{PAGE},{OTHER}"]
    for kind in kinds.values():
        for origin in (PAGE, STRANGE, OTHER, None, PAGE, "null"):
            headers = headers_of(listed, kind, origin)
            assert headers.get(ALLOW) == (origin if origin in {PAGE, OTHER} else None)
            assert (headers["vary"], headers[EXPOSE]) == ("Origin", "Location")


def test_without_origins_there_are_no_cors_headers(
    servers: dict[str, LiveServer], kinds: dict[str, tuple[bytes, int]]
) -> None:
    for kind in (*kinds.values(), (get(target("Dataflows/ListJobs"), "{}", method="OPTIONS"), 405)):
        headers = headers_of(servers[""], kind, PAGE)
        assert not [name for name in headers if name.startswith("access-control") or name == "vary"]


PATHS = ("Dataflows/LoadDataSource", "Dataflows/ListJobs", "data/a/Shops", "no/such/path")


@pytest.mark.parametrize("path", [*(f"/REST/v1/{path}" for path in PATHS), "*", "/"])
@pytest.mark.parametrize("key", ["", "?key=unheard-of"])
def test_a_preflight_is_answered_before_authentication(path: str, key: str, servers: dict[str, LiveServer]) -> None:
    asked = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type, X-Mine")
    for origins, origin, allowed in (("*", PAGE, "*"), (f"{PAGE},{OTHER}", OTHER, OTHER)):
        with connection(servers[origins]) as opened:
            opened.send(get(path + key * (path != "*"), f"Origin: {origin}", *asked, method="OPTIONS"))
            answer = opened.answer("HEAD")  # it has neither a body nor its length
            assert (answer.status, answer.headers[ALLOW]) == (204, allowed)
            assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT, DELETE"
            assert answer.headers["access-control-allow-headers"] == "content-type, X-Mine"
            assert int(answer.headers["access-control-max-age"]) > 0
            assert "content-length" not in answer.headers
            assert opened.ask(get(target("Dataflows/ListJobs"))).status == 200


@pytest.mark.parametrize("names", [None, "", "größe", 'a"b', "x" * 5000])
def test_a_preflight_repeats_names_of_headers_only(names: str | None, servers: dict[str, LiveServer]) -> None:
    asked = () if names is None else (f"Access-Control-Request-Headers: {names}",)
    with connection(servers["*"]) as opened:
        opened.send(get("/REST/v1/data", f"Origin: {PAGE}", *asked, method="OPTIONS"))
        answer = opened.answer("HEAD")
    assert answer.status == 204
    assert "access-control-allow-headers" not in answer.headers


def test_a_preflight_has_a_line_in_the_log(servers: dict[str, LiveServer], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "proxy.request")
    assert servers["*"].client.options(f"{servers['*'].url}/REST/v1/Dataflows/ListJobs?key=secret").status_code == 204
    (line,) = [record for record in caplog.records if record.name == "proxy.request"]
    assert line.getMessage() == "preflight 204"
    assert "secret" not in json.dumps(line.__dict__, default=str)


def test_a_page_may_follow_to_the_output(account: Storage) -> None:
    job = account.job(OutputBlob=account.export(b"<export />"))
    with start_server(account) as server:
        answer = server.client.get(
            f"{server.url}/REST/v1/Dataflows/LoadDataSource/{job}/output/succeeded",
            params={"key": "master-key"},
            headers={"Origin": PAGE},
        )
        assert (answer.status_code, answer.headers[ALLOW]) == (302, "*")
        output = server.client.get(answer.headers["location"], headers={"Origin": "null"})
        assert (output.status_code, output.content) == (200, b"<export />")
        assert output.headers[ALLOW] == "*"
