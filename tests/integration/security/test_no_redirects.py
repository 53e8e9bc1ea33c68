"""Storage sends no redirects; who does is not storage, and gets neither our token nor our signature."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig
from adapters.errors import StorageError

KEY = "c2VjcmV0"


@pytest.fixture
def redirecting() -> Iterator[tuple[str, list[bytes]]]:
    """A server that sends everybody on to another of ours; gives its URL and what the other heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as other:
        target = f"http://127.0.0.1:{other.getsockname()[1]}/elsewhere"
        answer = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()

        def serve(listener: socket.socket, *, tells: bool) -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                data = connection.recv(65536)
                if tells:
                    heard.append(data)
                connection.sendall(answer)
                connection.close()

        threading.Thread(target=serve, args=(first,), kwargs={"tells": False}, daemon=True).start()
        threading.Thread(target=serve, args=(other,), kwargs={"tells": True}, daemon=True).start()
        yield f"http://127.0.0.1:{first.getsockname()[1]}/a", heard


def test_no_redirect_of_storage_is_followed(redirecting: tuple[str, list[bytes]]) -> None:
    url, heard = redirecting
    text = f"AccountName=a;AccountKey={KEY};TableEndpoint={url};BlobEndpoint={url}"
    options = StorageOptions("jobs", timedelta(hours=1), 2)

    async def test() -> None:
        async with AccountRegistry({"a": ConnectionStringConfig(text)}, options) as accounts:
            account = accounts["a"]
            for work in (account.jobs.ping, account.jobs.create_table, lambda: account.blobs.has_container("exports")):
                with pytest.raises(StorageError):
                    await work()

    asyncio.run(test())
    assert heard == []
