"""The guard where the client or the process ends before the page."""

import asyncio
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from proxy.console.context import Console
from proxy.console.request_guard import RequestGuard
from proxy.console.sessions import SessionStore
from proxy.settings import load_settings

SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "GET",
    "path": "/audit",
    "raw_path": b"/audit",
    "query_string": b"",
    "scheme": "http",
    "headers": [(b"host", b"localhost")],
}


def send_through(error: BaseException, *, is_begun: bool = False) -> list[Message]:
    """What the guard sends for a page that raises this."""
    sent: list[Message] = []

    async def page(_scope: Scope, _receive: Receive, send: Send) -> None:
        if is_begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    parts: Any = None
    console = Console(load_settings(keyring="{}"), parts, None, SessionStore(), "olga", parts, parts, parts, parts)
    asyncio.run(RequestGuard(page, console)(dict(SCOPE), receive, send))
    return sent


def test_a_client_that_leaves_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    assert send_through(ClientDisconnect()) == []
    assert caplog.text == ""


def test_a_request_that_the_end_of_the_process_cuts_off_gets_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    start, body = send_through(asyncio.CancelledError())
    assert (start["status"], body["body"]) == (503, b"The console ends. Try again in a moment.\n")
    assert [each["status"] for each in send_through(asyncio.CancelledError(), is_begun=True)] == [200]
    assert caplog.text == ""
