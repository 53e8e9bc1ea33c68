"""The console as a process: one line with its address, and an end within seconds."""

import signal
import socket
import threading
from pathlib import Path

import httpx
import pytest

from tests.support.console import LiveConsole
from tests.support.console_process import console_process
from tests.support.live import WAIT_SECONDS
from tests.support.storage import Storage
from tests.support.visitor import Visitor

TOKEN = "a-token-with-many-characters"  # noqa: S105 - opens nothing

FORM = "Content-Type: application/x-www-form-urlencoded"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN, encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_status_0_while_pages_poll_and_a_form_is_half_sent(
    number: signal.Signals, storage: Storage, token_file: Path
) -> None:
    with console_process(storage, console_token_file=token_file) as console, httpx.Client() as any_client:
        port, polls, ended = console.port, threading.Event(), threading.Event()
        visitor = Visitor(LiveConsole(port, any_client))
        visitor.sign_in(TOKEN)

        def poll() -> None:
            with httpx.Client(cookies=visitor.cookies, timeout=WAIT_SECONDS) as client:
                while not ended.is_set():
                    try:
                        page = client.get(f"{visitor.origin}/audit", headers={"HX-Request": "true"})
                    except httpx.TransportError:
                        return
                    assert page.status_code in {200, 503}
                    polls.set()

        poller = threading.Thread(target=poll)
        poller.start()
        assert polls.wait(WAIT_SECONDS)
        with socket.create_connection(("127.0.0.1", port)) as half_sent:
            lines = ("POST /sign-in HTTP/1.1", "Host: localhost", "Origin: http://localhost", FORM, "Content-Length: 9")
            half_sent.sendall("\r\n".join([*lines, "", ""]).encode())
            assert console.end(number) == 0
        ended.set()
        poller.join(WAIT_SECONDS)
    text = "".join(console.lines)
    assert (text.count("console at http"), "Traceback" in text) == (1, False), text
    assert console.lines[-1].rstrip().endswith("ended")


@pytest.mark.slow
def test_its_log_holds_no_token_and_no_cookie_at_any_level(storage: Storage, token_file: Path) -> None:
    with console_process(storage, console_token_file=token_file, log_level="debug") as console:
        with httpx.Client() as client:
            visitor = Visitor(LiveConsole(console.port, client))
            visitor.sign_in("a-wrong-token-of-some-length")
            assert visitor.sign_in(TOKEN).status_code == 303
            cookie = visitor.cookies["console_session"]
            assert visitor.get("/audit").status_code == 200
            visitor.get("/sign-in/callback?code=a-code-of-entra&state=y")
            visitor.post("/sign-out", {})
        assert console.end(signal.SIGTERM) == 0
    text = "".join(console.lines)
    assert "olga@example.com has signed out network=127.0.0.0/24" in text
    assert "with sign-in" in text
    assert not any(each in text for each in (TOKEN, "a-wrong-token", cookie, "a-code-of-entra", "127.0.0.1 "))


@pytest.mark.slow
def test_a_console_that_would_be_open_to_others_ends_with_one_line(storage: Storage) -> None:
    with console_process(storage, console_host="0.0.0.0") as console:  # noqa: S104 - what is refused
        assert console.process.wait(WAIT_SECONDS) == 1
    (line,) = console.lines
    assert line.startswith("PROXY_CONSOLE_HOST: 0.0.0.0 is open to other machines; set PROXY_CONSOLE_TOKEN_FILE")
