"""A real server on a real socket, in a thread of the test's process."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from lxml import etree

from proxy.keyring.file import parse_keyring
from proxy.server.app import create_app
from proxy.server.run import listen, uvicorn_config
from proxy.settings import load_settings
from tests.support.storage import Storage

PUBLIC_URL = "https://spatial.example.net"
MASTER = "master-key"
QUERY = "query-key"

# The client speaks http; the certificates that it would else read for each server take longer than most tests.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


WAIT_SECONDS = 60.0
"""A deadline that only a fault misses: a busy machine may stop for ten seconds at any moment."""


def wait_for(condition: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Returns when the condition holds.

    Raises:
        AssertionError: it does not within so many seconds.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@dataclass(frozen=True)
class LiveServer:
    """A running server, and how a client asks it."""

    port: int
    client: httpx.Client = field(repr=False)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, key: str | None = MASTER, **parameters: str) -> httpx.Response:
        """Asks for a path below /REST/v1/, with a key unless it is None; redirects are not followed."""
        query = parameters | ({} if key is None else {"key": key})
        return self.client.get(f"{self.url}/REST/v1/{path}", params=query)

    def json(self, path: str, key: str | None = MASTER, **parameters: str) -> dict[str, Any]:
        """The JSON answer to a request."""
        return dict(self.get(path, key, **parameters).json())

    def job(self, path: str, key: str | None = MASTER, **parameters: str) -> dict[str, Any]:
        """The one job of a JSON status answer."""
        (job,) = self.json(path, key, **parameters)["resourceSets"][0]["resources"]
        return dict(job)

    def xml(self, path: str, key: str | None = MASTER, **parameters: str) -> etree._Element:
        """The XML answer to a request."""
        return etree.fromstring(self.get(path, key, o="xml", **parameters).content)

    def raw(self, *chunks: bytes, seconds: float = 2) -> bytes:
        """What the server sends for these bytes, until it closes the connection or is silent for that long."""
        received = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            for chunk in chunks:
                connection.sendall(chunk)
            try:
                while data := connection.recv(65536):
                    received += data
            except TimeoutError:
                pass
        return received


@contextmanager
def start_server(
    storage: Storage,
    *,
    keys: Mapping[str, Mapping[str, Any]] | None = None,
    accounts: Mapping[str, Mapping[str, Any]] | None = None,
    key_store: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Iterator[LiveServer]:
    """Starts a server in front of the storage; `keys`, `accounts` and settings are added to the usual ones.

    With a `key_store`, the ring has no keys.
    """
    ring: dict[str, Any] = {
        "accounts": {storage.account: {"storage": {"connection_string": storage.connection_string}}}
        | dict(accounts or {}),
        "keys": {MASTER: {"account": storage.account}, QUERY: {"account": storage.account, "role": "query"}}
        | dict(keys or {}),
    }
    if key_store is not None:
        ring["key_store"] = key_store
        del ring["keys"]
    # What is remembered would hide what a test has just written; tests of memory say what they want of it.
    # Usage would be written at the end of each server.
    forgetful = {"pending_ttl": 0, "finished_ttl": 0, "usage": "off"}
    chosen = (
        forgetful
        | {"public_url": PUBLIC_URL, "jobs_table": storage.table_name, "host": "127.0.0.1", "port": 0}
        | settings
    )
    loaded = load_settings(serving=True, keyring=json.dumps(ring), **chosen)
    listener = listen(loaded)
    server = uvicorn.Server(uvicorn_config(create_app(loaded, parse_keyring(json.dumps(ring))), loaded))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    with httpx.Client(timeout=30, verify=NO_TLS) as client:
        yield LiveServer(listener.getsockname()[1], client)
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()
