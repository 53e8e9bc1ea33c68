"""A console on a real socket, in a thread of the test's process."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from lxml import html

from proxy.cli.console import console_server, open_console
from proxy.cli.console_access import listen
from proxy.keyring.file import load_keyring
from proxy.settings import load_settings
from tests.support.live import MASTER, NO_TLS, QUERY, WAIT_SECONDS
from tests.support.storage import BUSY_SECONDS, Storage

_CSRF = re.compile('name="csrf" value="([0-9a-f]+)"')


@dataclass(frozen=True)
class LiveConsole:
    """A running console, and how a browser asks it."""

    port: int
    client: httpx.Client = field(repr=False)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Asks for a page; redirects are not followed."""
        return self.client.get(self.url + path, **options)

    def page(self, path: str) -> html.HtmlElement:
        """A page that must be there, parsed."""
        response = self.get(path)
        assert response.status_code == 200, response.text
        return html.document_fromstring(response.text)

    def text(self, path: str) -> str:
        """The text of a page, blanks as one."""
        return " ".join(self.page(path).text_content().split())

    def csrf(self, path: str) -> str:
        """The token of the forms of a page."""
        found = _CSRF.search(self.get(path).text)
        assert found is not None, f"{path} has no form that changes anything"
        return found[1]

    def post(self, path: str, form: Mapping[str, str], **options: Any) -> httpx.Response:
        """Sends a form as a browser does."""
        headers = {"Origin": self.url} | options.pop("headers", {})
        return self.client.post(self.url + path, data=form, headers=headers, **options)

    def confirm(self, path: str, **fields: str) -> httpx.Response:
        """Opens the page that asks before a change, and sends its form with these fields."""
        (form,) = self.page(path).xpath("//main//form[@method='post']")
        given = {each.get("name"): each.get("value", "") for each in form.xpath(".//input")}
        return self.post(form.get("action"), {name: value for name, value in (given | fields).items() if name})


@contextmanager
def start_console(
    storage: Storage,
    *,
    keys: Mapping[str, Mapping[str, Any]] | None = None,
    key_store: Mapping[str, Any] | None = None,
    accounts: Mapping[str, Mapping[str, Any]] | None = None,
    **settings: Any,
) -> Iterator[LiveConsole]:
    """Starts a console in front of the storage; `keys`, `accounts` and settings are added to the usual ones.

    With a `key_store`, the ring has no keys. With `keyring_file`, that file is the ring.
    """
    entry = {"storage": {"connection_string": storage.connection_string}}
    ring: dict[str, Any] = {"accounts": {storage.account: entry} | dict(accounts or {})}
    if key_store is not None:
        ring["key_store"] = key_store
    else:
        ring["keys"] = {MASTER: {"account": storage.account}, QUERY: {"account": storage.account, "role": "query"}}
        ring["keys"] |= dict(keys or {})
    if "keyring_file" not in settings:
        settings["keyring"] = json.dumps(ring)
    chosen: dict[str, Any] = {
        "jobs_table": storage.table_name,
        "console_port": 0,
        "storage_timeout": BUSY_SECONDS,
        "operator": "olga@example.com",
    } | settings
    loaded = load_settings(**chosen)
    started, end = threading.Event(), threading.Event()
    listener = listen(loaded)
    listener.listen()

    async def serve() -> None:
        async with open_console(loaded, load_keyring(loaded)) as console:
            server = console_server(console)
            serving = asyncio.create_task(server.serve([listener]))
            started.set()  # connections wait in the socket until it serves
            await asyncio.to_thread(end.wait)
            server.should_exit = True
            await serving

    thread = threading.Thread(target=asyncio.run, args=[serve()], daemon=True)
    thread.start()
    assert started.wait(WAIT_SECONDS)
    try:
        with httpx.Client(timeout=60, verify=NO_TLS) as client:
            yield LiveConsole(listener.getsockname()[1], client)
    finally:
        end.set()
        thread.join(WAIT_SECONDS)
    assert not thread.is_alive()
