"""Signing in by the token of a file, and signing out."""

import logging
import threading
import time
from pathlib import Path

import pytest

from proxy.console import token_sign_in
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.live import wait_for
from tests.support.storage import Storage
from tests.support.visitor import Visitor

TOKEN = "a-token-with-many-characters"  # noqa: S105 - opens nothing
NEW_TOKEN = "another-token-with-many-characters"  # noqa: S105 - the same
NAME = "console.example.com"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n", encoding="utf-8")
    return path


@pytest.fixture
def console(storage: Storage, open_console: StartConsole, token_file: Path) -> LiveConsole:
    return open_console(storage, console_token_file=token_file)


def log_of(caplog: pytest.LogCaptureFixture) -> str:
    records = [each for each in caplog.records if each.name.startswith("proxy.")]
    return "\n".join(f"{each.getMessage()} {vars(each).get('network')}" for each in records)


def test_the_right_token_opens_the_page_that_was_asked_for(console: LiveConsole) -> None:
    visitor = Visitor(console)
    led = visitor.get("/audit?days=7&account=x%2Fy")
    assert (led.status_code, led.headers["location"]) == (303, "/sign-in?next=%2Faudit%3Fdays%3D7%26account%3Dx%252Fy")
    assert 'value="/audit?days=7&amp;account=x%2Fy"' in visitor.get(led.headers["location"]).text
    answer = visitor.sign_in(TOKEN, next="/audit?days=7&account=x%2Fy")
    assert (answer.status_code, answer.headers["location"]) == (303, "/audit?days=7&account=x%2Fy")
    assert "olga@example.com" in visitor.get("/audit").text


@pytest.mark.parametrize("token", ["", "x", TOKEN + "x", TOKEN[:-1], TOKEN.upper(), "\N{EURO SIGN}\x00"])
def test_another_token_opens_nothing(token: str, console: LiveConsole) -> None:
    visitor = Visitor(console)
    answer = visitor.sign_in(token)
    assert (answer.status_code, "is not the one of" in answer.text, visitor.cookies) == (403, True, {})
    assert TOKEN not in answer.text
    assert visitor.get("/audit").status_code == 303


@pytest.mark.parametrize(
    ("target", "reached"),
    [
        ("/audit", "/audit"),
        ("/audit?days=7#x", "/audit?days=7#x"),
        ("/jobs/\u20ac", "/jobs/%E2%82%AC"),
        ("/a%20b", "/a%20b"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("\n//evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("evil.example", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("", "/"),
        ("/" + "x" * 3000, "/"),
        ("/a\\..\\\\evil.example", "/a%5C..%5C%5Cevil.example"),
    ],
)
def test_a_sign_in_leads_to_the_console_only(target: str, reached: str, console: LiveConsole) -> None:
    answer = Visitor(console).sign_in(TOKEN, next=target)
    assert (answer.status_code, answer.headers["location"]) == (303, reached)
    assert "x=y" not in str(answer.headers)


COOKIES = {
    # scheme of the page, what a proxy adds, settings: the cookie's name, and whether it is Secure
    "plain": ("http", {}, {}, "console_session", False),
    "tls at a proxy that is named": (
        "https",
        {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.77"},
        {"trusted_proxies": "127.0.0.1"},
        "__Host-console_session",
        True,
    ),
    "tls at several proxies": (
        "https",
        {"X-Forwarded-Proto": "https, http"},
        {"trusted_proxies": "127.0.0.1"},
        "__Host-console_session",
        True,
    ),
    "tls at a proxy that is not named": ("https", {}, {}, "__Host-console_session", True),
    "a header of a stranger": ("http", {"X-Forwarded-Proto": "https"}, {}, "console_session", False),
}


@pytest.mark.parametrize("case", COOKIES)
def test_the_cookie_is_as_strict_as_the_line_allows(
    case: str, storage: Storage, open_console: StartConsole, token_file: Path
) -> None:
    scheme, headers, settings, name, is_secure = COOKIES[case]
    console = open_console(storage, console_token_file=token_file, console_name=NAME, **settings)
    visitor = Visitor(console, host=NAME, scheme=scheme, headers=headers)
    answer = visitor.sign_in(TOKEN)
    (cookie,) = answer.headers.get_list("set-cookie")
    attributes = {each.strip().lower() for each in cookie.split(";")[1:]}
    assert cookie.startswith(f"{name}=")
    assert attributes >= {"httponly", "samesite=strict", "max-age=43200", "path=/"}
    assert ("secure" in attributes, any(each.startswith("domain") for each in attributes)) == (is_secure, False)
    assert visitor.get("/audit").status_code == 200
    out = visitor.post("/sign-out", {})
    assert f"{name}=" in out.headers["set-cookie"]
    assert visitor.cookies == {}


def test_behind_tls_a_cookie_that_a_neighbour_may_have_planted_opens_nothing(
    storage: Storage, open_console: StartConsole, token_file: Path
) -> None:
    settings = {"console_name": NAME, "trusted_proxies": "127.0.0.1"}
    console = open_console(storage, console_token_file=token_file, **settings)
    visitor = Visitor(console, host=NAME, scheme="https", headers={"X-Forwarded-Proto": "https"})
    visitor.sign_in(TOKEN)
    visitor.cookies = {"console_session": visitor.cookies["__Host-console_session"]}
    assert visitor.get("/audit").status_code == 303


def test_a_stolen_cookie_is_worth_nothing_after_the_sign_out(
    console: LiveConsole, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    visitor = Visitor(console)
    visitor.sign_in(TOKEN)
    thief = Visitor(console, cookies=dict(visitor.cookies))
    assert thief.get("/audit").status_code == 200
    assert visitor.post("/sign-out", {}).headers["location"] == "/sign-in"
    assert (visitor.get("/audit").status_code, thief.get("/audit").status_code) == (303, 303)
    assert log_of(caplog).count("has signed out 127.0.0.0/24") == 1
    assert thief.post("/sign-out", {}).status_code == 303  # and no second line
    assert log_of(caplog).count("has signed out") == 1


def test_a_sign_in_begins_a_new_session_and_ends_the_one_that_was_there(console: LiveConsole) -> None:
    """So a cookie that someone else has planted or seen before is of no use."""
    visitor = Visitor(console, cookies={"console_session": "planted"})
    visitor.sign_in(TOKEN)
    first = dict(visitor.cookies)
    assert first["console_session"] != "planted"
    visitor.sign_in(TOKEN)
    assert visitor.cookies != first
    assert Visitor(console, cookies=first).get("/audit").status_code == 303
    assert Visitor(console, cookies={"console_session": "planted"}).get("/audit").status_code == 303


def test_several_browsers_have_a_session_each(console: LiveConsole) -> None:
    first, second = Visitor(console), Visitor(console)
    assert (first.sign_in(TOKEN).status_code, second.sign_in(TOKEN).status_code) == (303, 303)
    first.post("/sign-out", {})
    assert (first.get("/audit").status_code, second.get("/audit").status_code) == (303, 200)


def test_a_foreign_cookie_on_the_same_host_does_not_hide_the_session(console: LiveConsole) -> None:
    visitor = Visitor(console)
    visitor.sign_in(TOKEN)
    visitor.cookies = {"odd[name]": '"{x}', "": "y"} | visitor.cookies
    assert visitor.get("/audit").status_code == 200


def test_another_token_in_the_file_ends_the_sessions_of_the_old_one(
    console: LiveConsole, token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    old, new = Visitor(console), Visitor(console)
    old.sign_in(TOKEN)
    token_file.write_text(NEW_TOKEN, encoding="utf-8")
    assert new.sign_in(TOKEN).status_code == 403  # at once
    assert new.sign_in(NEW_TOKEN).status_code == 303
    assert (old.get("/audit").status_code, new.get("/audit").status_code) == (303, 200)
    token_file.write_text(TOKEN, encoding="utf-8")
    wait_for(lambda: new.get("/audit").status_code == 303)  # within seconds, without another sign-in
    assert log_of(caplog).count("the token has changed") == 2


def test_the_first_sign_in_by_a_new_token_lasts(
    console: LiveConsole, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds the change itself, and ends the other sessions before its own begins."""
    monkeypatch.setattr(token_sign_in, "READ_SECONDS", 1000)
    old, new = Visitor(console), Visitor(console)
    old.sign_in(TOKEN)
    token_file.write_text(NEW_TOKEN, encoding="utf-8")
    assert new.sign_in(NEW_TOKEN).status_code == 303
    assert (new.get("/audit").status_code, old.get("/audit").status_code) == (200, 303)


def test_a_token_file_that_is_gone_lets_nobody_in_and_nobody_out(
    console: LiveConsole, token_file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_sign_in, "READ_SECONDS", 0)
    visitor = Visitor(console)
    visitor.sign_in(TOKEN)
    token_file.unlink()
    assert [visitor.get("/audit").status_code for _ in range(3)] == [200] * 3
    assert log_of(caplog).count("can't be read") == 1  # not for each page
    answer = Visitor(console).sign_in(TOKEN)
    assert (answer.status_code, "can't read its own token" in answer.text.replace("&#39;", "'")) == (503, True)
    assert str(token_file) not in answer.text
    assert str(token_file) in log_of(caplog)
    token_file.write_text(TOKEN, encoding="utf-8")
    assert visitor.get("/audit").status_code == 200


def test_the_log_names_the_network_of_who_signs_in_or_fails_and_no_token(
    storage: Storage, open_console: StartConsole, token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    console = open_console(storage, console_token_file=token_file, trusted_proxies="127.0.0.1")
    visitor = Visitor(console, headers={"X-Forwarded-For": "198.51.100.77"})
    visitor.sign_in("a-wrong-token-of-some-length")
    visitor.headers = {"X-Forwarded-For": "2001:db8:1:2::3"}
    visitor.sign_in(TOKEN)
    visitor.post("/sign-out", {})
    log = log_of(caplog)
    assert "a sign-in was refused: a wrong token 198.51.100.0/24" in log
    assert "olga@example.com has signed in 2001:db8:1::/48" in log
    assert "olga@example.com has signed out 2001:db8:1::/48" in log
    assert not any(each in log for each in (TOKEN, "a-wrong-token", "198.51.100.77", "2001:db8:1:2"))


@pytest.mark.slow
def test_guesses_are_slowed_and_others_come_in_at_once(
    storage: Storage, open_console: StartConsole, token_file: Path
) -> None:
    console = open_console(storage, console_token_file=token_file, trusted_proxies="127.0.0.1")
    statuses: list[int] = []

    def guess(number: int) -> None:
        visitor = Visitor(console, headers={"X-Forwarded-For": "198.51.100.1"})
        statuses.append(visitor.sign_in(f"a-guess-of-some-length-{number}").status_code)

    threads, started = [threading.Thread(target=guess, args=[number]) for number in range(30)], time.monotonic()
    for thread in threads:
        thread.start()
    other = Visitor(console, headers={"X-Forwarded-For": "198.51.100.2"})
    assert other.sign_in(TOKEN).status_code == 303
    for thread in threads:
        thread.join()
    # Ten are free, four may wait, and one more comes in each second.
    assert statuses.count(403) <= 14 + time.monotonic() - started
    assert set(statuses) <= {403, 429}
    assert other.sign_in(TOKEN).status_code == 303


def test_the_token_form_has_no_way_around(console: LiveConsole) -> None:
    visitor = Visitor(console)
    for path in ("/sign-in/start", "/sign-in/callback?code=x&state=y"):
        assert visitor.get(path).status_code == 404
    assert visitor.get("/audit", Authorization=f"Bearer {TOKEN}").status_code == 303
    assert visitor.get(f"/sign-in?token={TOKEN}").status_code == 200
    assert visitor.get("/audit").status_code == 303


def test_a_live_part_without_a_session_leads_the_whole_page_to_the_sign_in(console: LiveConsole) -> None:
    answer = Visitor(console).get("/audit", **{"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")
