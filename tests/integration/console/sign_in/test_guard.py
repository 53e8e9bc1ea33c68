"""What every request must pass, whatever page it asks for, and what every response carries."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from proxy.console import app, body_limit, request_guard
from proxy.console.context import session_of
from proxy.console.routing import change, page
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole, start_console
from tests.support.live import wait_for
from tests.support.storage import Storage
from tests.support.visitor import Visitor

TOKEN = "a-token-with-many-characters"  # noqa: S105 - opens nothing
NAME = "console.example.com"
OPERATOR = "olga@example.com"
SECRET = "PROXY-SECRET-VALUE"  # noqa: S105 - the same


async def _show(request: Request) -> Response:
    return PlainTextResponse(f"shown {session_of(request).csrf_token}")


async def _fail(_request: Request) -> Response:
    raise ValueError(SECRET)


async def _fail_late(_request: Request) -> Response:
    async def parts() -> object:
        yield b"begun"
        raise ValueError(SECRET)

    return StreamingResponse(parts())  # type: ignore[arg-type]  # an iterator all the same


async def _apply(_request: Request, form: FormData) -> Response:
    return PlainTextResponse(f"applied {len(str(form.get('text', '')))}")


PAGES = (
    page("/show", _show),
    page("/fail", _fail),
    page("/fail-late", _fail_late),
    change("/apply", _apply),
    change("/load/apply", _apply),
)


@pytest.fixture(scope="module", autouse=True)
def _pages() -> Iterator[None]:
    """Some pages beside the console's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "PAGES", (*app.PAGES, SimpleNamespace(ROUTES=PAGES)))
        yield


@pytest.fixture(scope="module")
def console(account: Storage) -> Iterator[LiveConsole]:
    with start_console(account, console_name=NAME) as running:
        yield running


@pytest.fixture(scope="module")
def closed(account: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveConsole]:
    """A console that wants a sign-in."""
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text(TOKEN, encoding="utf-8")
    with start_console(account, console_token_file=token) as running:
        yield running


def raw(console: LiveConsole, *lines: bytes, body: bytes = b"") -> bytes:
    """The answer to these lines of a head, to its end."""
    with socket.create_connection(("127.0.0.1", console.port), timeout=60) as connection:
        connection.sendall(b"\r\n".join([*lines, b"Connection: close", b"", b""]) + body)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


OURS = (
    b"127.0.0.1",
    b"127.0.0.1:8090",
    b"localhost",
    b"LocalHost:1",
    b"[::1]",
    b"[::1]:8090",
    b"CONSOLE.example.com:443",
)
STRANGE = (
    b"evil.example",
    b"localhost.evil.example",
    b"evil.example:127.0.0.1",
    b"127.0.0.1.evil.example",
    b"localhost:",
    b"localhost:80:80",
    b"user@localhost",
    b"localhost/",
    b"localhost.",
    b"[::1",
    b"::1",
    b"0.0.0.0",
    b"127.1",
    b"127.0.0.2",
    b"\xc2\xb9localhost",
    b"x" * 5000,
    b"",
)


@pytest.mark.parametrize("host", OURS)
def test_the_console_answers_by_its_own_names(host: bytes, console: LiveConsole) -> None:
    assert status_of(raw(console, b"GET /show HTTP/1.1", b"Host: " + host)) == 200


@pytest.mark.parametrize("host", STRANGE)
def test_another_name_is_refused(host: bytes, console: LiveConsole) -> None:
    """A page elsewhere could make its name resolve to 127.0.0.1, and read the console as its own site."""
    answer = raw(console, b"GET /show HTTP/1.1", b"Host: " + host)
    assert (status_of(answer), OPERATOR.encode() in answer) == (421, False)
    assert b"PROXY_CONSOLE_NAME" in answer


def test_no_name_several_and_those_in_targets_and_other_headers_do_not_help(console: LiveConsole) -> None:
    assert status_of(raw(console, b"GET /show HTTP/1.0")) == 421
    assert status_of(raw(console, b"GET /show HTTP/1.1", b"Host: localhost", b"Host: localhost")) in {400, 421}
    assert status_of(raw(console, b"GET http://localhost/show HTTP/1.1", b"Host: evil.example")) == 421
    assert status_of(raw(console, b"GET /show HTTP/1.1", b"Host: evil.example", b"X-Forwarded-Host: localhost")) == 421


def test_the_probe_needs_no_name_and_says_nothing_else(console: LiveConsole) -> None:
    answer = raw(console, b"GET /livez HTTP/1.1", b"Host: 10.0.0.7:8090")
    assert (status_of(answer), answer.endswith(b"\r\n\r\nok\n")) == (200, True)
    for line in (b"POST /livez HTTP/1.1", b"GET /livez/ HTTP/1.1", b"GET /livez%2f..%2fshow HTTP/1.1"):
        answer = raw(console, line, b"Host: evil.example")
        assert (status_of(answer), OPERATOR.encode() in answer) == (421, False)


@pytest.mark.parametrize(
    ("origins", "status"),
    [
        (["http://localhost:8090"], 403),  # passes the guard, and lacks the form's token
        (["HTTP://LOCALHOST:8090"], 403),
        (["https://localhost:8090"], 403),  # TLS that ends at a proxy
        ([], 403),
        (["null"], 403),
        (["http://localhost:8091"], 403),
        (["http://localhost"], 403),
        (["http://localhost:8090/"], 403),
        (["http://evil.example"], 403),
        (["http://x@localhost:8090"], 403),
        (["http://[localhost:8090"], 403),
        (["http://localhost:8090", "http://evil.example"], 403),
    ],
)
def test_a_change_comes_from_a_page_of_the_console(origins: list[str], status: int, console: LiveConsole) -> None:
    lines = [b"Origin: " + each.encode() for each in origins]
    answer = raw(console, b"POST /apply HTTP/1.1", b"Host: localhost:8090", b"Content-Length: 0", *lines)
    is_ours = len(origins) == 1 and origins[0].lower() in {"http://localhost:8090", "https://localhost:8090"}
    assert status_of(answer) == status
    assert (b"The form is from another session" in answer) == is_ours
    assert (b"not from a page of the console" in answer) == (not is_ours)


def test_a_form_needs_the_token_of_its_own_session(console: LiveConsole, closed: LiveConsole) -> None:
    first, second = Visitor(closed), Visitor(closed)
    for visitor in (first, second):
        visitor.sign_in(TOKEN)
    tokens = [_csrf(visitor) for visitor in (first, second)]
    assert tokens[0] != tokens[1]
    for wrong in ("", "x", tokens[1], "\N{EURO SIGN}"):
        assert first.post("/apply", {"csrf": wrong}).status_code == 403
    assert first.post("/apply", {"csrf": tokens[0], "text": "abc"}).text == "applied 3"
    assert first.get("/apply").status_code == 405
    assert Visitor(closed).post("/apply", {"csrf": tokens[0]}).status_code == 303
    assert Visitor(console).post("/apply", {"csrf": tokens[0]}).status_code == 403


def _csrf(visitor: Visitor) -> str:
    """The token of a visitor's forms."""
    return visitor.get("/show").text.removeprefix("shown ")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "FOO"])
def test_other_methods_are_refused(method: str, console: LiveConsole) -> None:
    for path in ("/show", "/apply", "/static/style.css", "/sign-in"):
        head = f"{method} {path} HTTP/1.1".encode()
        answer = raw(console, head, b"Host: localhost", b"Origin: http://localhost", b"Content-Length: 0")
        assert status_of(answer) == 405


def test_a_head_has_the_headers_and_no_body(console: LiveConsole) -> None:
    for path in (b"/show", b"/audit", b"/static/style.css", b"/livez"):
        head, _, body = raw(console, b"HEAD " + path + b" HTTP/1.1", b"Host: localhost").partition(b"\r\n\r\n")
        assert (status_of(head), body) == (200, b"")
        assert b"content-security-policy" in head.lower()
    assert status_of(raw(console, b"HEAD /apply HTTP/1.1", b"Host: localhost")) == 405


TRICKS = (
    "/static/../show",
    "/static/%2e%2e/show",
    "/static/..%2fshow",
    "/static/..%5cshow",
    "/static//show",
    "/static/%2fetc%2fpasswd",
    "/static/....//show",
    "/static/%00",
    "//show",
    "//evil.example/show",
    "/sign-in/../show",
    "/sign-in/%2e%2e/show",
    "/sign-in%2f..%2fshow",
    "/sign-in;/show",
    "/sign-inx",
    "/Static/../show",
    "/./show",
    "/show/",
    "/show%2f",
    "/%73how",
    "/livez/../show",
    "/livez/show",
    "/show?next=/static/",
    "*",
)


@pytest.mark.parametrize("path", TRICKS)
def test_no_path_leads_past_the_sign_in(path: str, closed: LiveConsole) -> None:
    answer = raw(closed, f"GET {path} HTTP/1.1".encode(), b"Host: localhost")
    assert status_of(answer) in {303, 307, 400, 404}
    assert b"shown" not in answer
    location = next((each for each in answer.split(b"\r\n") if each.lower().startswith(b"location:")), b"")
    assert location.partition(b": ")[2].startswith((b"/sign-in", b"http://localhost/")) or not location


@pytest.mark.parametrize("path", ["/sign-inx", "/sign-in-y/start", "/static", "/staticx/style.css", "/nothing"])
def test_a_stranger_does_not_learn_which_pages_there_are(path: str, closed: LiveConsole) -> None:
    assert Visitor(closed).get(path).headers["location"].startswith("/sign-in?next=")


def test_every_response_has_the_headers_that_protect_it(closed: LiveConsole, console: LiveConsole) -> None:
    open_, shut = Visitor(console), Visitor(closed)
    responses = {
        200: open_.get("/audit"),
        303: shut.get("/audit"),
        401: shut.get("/audit", **{"HX-Request": "true"}),
        403: open_.post("/apply", {}),
        404: open_.get("/nothing"),
        405: open_.get("/apply"),
        413: open_.post("/apply", {"text": "x" * 300_000}),
        421: open_.get("/audit", Host="evil.example"),
        500: open_.get("/fail"),
    }
    static, missing = open_.get("/static/style.css"), open_.get("/static/nothing.css")
    assert {number: response.status_code for number, response in responses.items()} == {
        each: each for each in responses
    }
    for response in (*responses.values(), static, missing):
        headers = response.headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers
        assert headers["cache-control"] == ("private, max-age=3600" if response is static else "no-store")


def test_what_a_page_raises_is_an_error_page_and_one_line_without_its_text(
    console: LiveConsole, caplog: pytest.LogCaptureFixture
) -> None:
    answer = Visitor(console).get("/fail?key=private")
    assert (answer.status_code, "The console failed; its log says where" in answer.text) == (500, True)
    assert "<h1>" in answer.text
    wait_for(lambda: "a page failed" in caplog.text)  # the line comes after the response
    records = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert [each.name for each in records] == ["proxy.console.request_guard"]
    assert "a page failed: ValueError at " in records[0].getMessage()
    assert "test_guard.py:" in records[0].getMessage()
    assert (vars(records[0])["path"], records[0].exc_info) == ("/fail", None)
    assert SECRET not in answer.text + caplog.text


def test_what_is_raised_within_a_response_ends_it(console: LiveConsole, caplog: pytest.LogCaptureFixture) -> None:
    answer = raw(console, b"GET /fail-late HTTP/1.1", b"Host: localhost")
    assert b"begun" in answer
    assert not answer.endswith(b"0\r\n\r\n")  # so that no client takes it for whole
    wait_for(lambda: "a page failed" in caplog.text)
    assert SECRET not in caplog.text


def test_an_error_page_that_fails_is_a_sentence_all_the_same(
    console: LiveConsole, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app, "render", None)
    answer = Visitor(console).get("/fail")
    assert (answer.status_code, answer.text) == (500, "The console failed; its log says where.\n")
    assert "frame-ancestors" in answer.headers["content-security-policy"]
    assert SECRET not in caplog.text


CHUNK = b"2800\r\n" + b"x" * 0x2800 + b"\r\n"
POST = (b"POST /apply HTTP/1.1", b"Host: localhost", b"Origin: http://localhost")
FORM = b"Content-Type: application/x-www-form-urlencoded"


@pytest.mark.parametrize("length", [b"262145", b"999999999999999999", b"300000000"])
def test_a_body_that_says_that_it_is_too_large_is_not_read(length: bytes, console: LiveConsole) -> None:
    answer = raw(console, *POST, FORM, b"Content-Length: " + length)
    assert (status_of(answer), b"at most 262,144 bytes" in answer) == (413, True)


def test_a_body_in_chunks_has_the_same_bound(console: LiveConsole) -> None:
    answer = raw(console, *POST, FORM, b"Transfer-Encoding: chunked", body=CHUNK * 30)
    assert (status_of(answer), b"at most 262,144 bytes" in answer) == (413, True)


def test_a_file_may_be_as_large_as_a_load(
    storage: Storage, open_console: StartConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_guard, "LOAD", "/load/apply")
    visitor = Visitor(open_console(storage, max_upload_mb=1))
    form = {"csrf": _csrf(visitor), "text": "x" * 1_000_000}
    assert visitor.post("/load/apply", form).text == "applied 1000000"
    assert visitor.post("/apply", form).status_code == 413
    assert visitor.post("/load/apply", form | {"text": "x" * 1_400_000}).status_code == 413


def test_a_body_that_comes_too_slowly_is_cut_off(console: LiveConsole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "FIRST_SECONDS", 0.3)
    answer = raw(console, *POST, FORM, b"Content-Length: 100", body=b"csrf=")  # and nothing more
    assert (status_of(answer), b"came too slowly" in answer) == (408, True)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"multipart/form-data", b"x"),
        (b"multipart/form-data; boundary=", b"x"),
        (b"multipart/form-data; boundary=b", b"--b\r\nnonsense"),
        (b"multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        (
            b"multipart/form-data; boundary=b; charset=utf-7",
            b'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n+2AA-\r\n--b--\r\n',
        ),
        (
            b"multipart/form-data; boundary=b; charset=nonsense",
            b'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\nx\r\n--b--\r\n',
        ),
        (b"application/x-www-form-urlencoded", b"csrf=%ED%A0%80&%=%&&=&==\xff\x00"),
        (b"application/x-www-form-urlencoded", b"&".join(b"a%d=1" % number for number in range(200))),
        (b"application/json", b"{"),
        (b"\xff", b"x"),
        (b"", b""),
    ],
)
def test_a_form_that_is_none_is_refused_with_a_page(
    kind: bytes, body: bytes, console: LiveConsole, caplog: pytest.LogCaptureFixture
) -> None:
    answer = raw(console, *POST, b"Content-Type: " + kind, b"Content-Length: %d" % len(body), body=body)
    assert status_of(answer) in {400, 403}
    assert b"This did not work" in answer
    assert "a page failed" not in caplog.text


@pytest.mark.parametrize(
    "name", ["Cookie", "Origin", "Referer", "User-Agent", "HX-Request", "Accept", "X-Forwarded-For"]
)
@pytest.mark.parametrize(
    "value", [b"\xff\xfe", b"\x80=\x81; ;;==", b"\"'\\" * 500, b"console_session=\xc3\xa9", b"a" * 20_000]
)
def test_strange_bytes_in_headers_change_nothing(name: str, value: bytes, closed: LiveConsole) -> None:
    answer = raw(closed, b"GET /show HTTP/1.1", b"Host: localhost", name.encode() + b": " + value)
    assert status_of(answer) in {303, 401}


@pytest.mark.parametrize(
    "path", ["/\u00ff\u20ac", "/%ff%fe", "/%e2%82%ac?x=%ff", "/a?next=%0d%0aX: y", "/" + "a" * 30_000]
)
def test_strange_paths_lead_to_the_sign_in_too(path: str, closed: LiveConsole) -> None:
    answer = raw(closed, f"GET {path.replace(' ', '%20')} HTTP/1.1".encode(), b"Host: localhost")
    assert status_of(answer) in {303, 400}
    assert b"\r\nX: y" not in answer


def test_a_console_that_is_read_only_takes_sign_ins_only(
    storage: Storage, open_console: StartConsole, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKEN, encoding="utf-8")
    visitor = Visitor(open_console(storage, console_read_only=True, console_token_file=tmp_path / "token"))
    assert visitor.sign_in(TOKEN).status_code == 303
    form = {"csrf": _csrf(visitor)}
    for path in ("/apply", "/load/apply", "/nothing", "/sign-in/../apply", "/sign-out/apply", "/sign-inapply", "/show"):
        answer = visitor.post(path, form)
        assert (answer.status_code, "read-only" in answer.text) == (403, True)
    assert visitor.get("/show").status_code == 200
    assert visitor.post("/sign-out", {}).status_code == 303


def test_without_a_sign_in_there_is_no_page_for_it(console: LiveConsole) -> None:
    visitor = Visitor(console)
    assert {visitor.get(path).status_code for path in ("/sign-in", "/sign-in/start", "/sign-in/callback")} == {404}
    assert visitor.sign_in(TOKEN).status_code == 404
    assert "no sign-in: everyone on this machine may use this console" in visitor.get("/audit").text


@pytest.mark.parametrize(
    ("site", "mode", "status"),
    [
        ("same-origin", "cors", 200),
        ("none", "navigate", 200),
        ("cross-site", "navigate", 200),
        ("cross-site", "no-cors", 403),
        ("same-site", "no-cors", 403),
    ],
)
def test_a_page_elsewhere_has_no_browser_ask_in_secret(site: str, mode: str, status: int, console: LiveConsole) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    assert console.get("/audit", headers=headers).status_code == status
