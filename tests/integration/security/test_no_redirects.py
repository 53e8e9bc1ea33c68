"""Storage sends no redirects; who does is not storage, and gets neither our token nor our signature."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig
from adapters.errors import StorageError
from tests.support.stub_servers import listening, saying

KEY = "c2VjcmV0"


@pytest.fixture
def redirecting() -> Iterator[tuple[str, list[bytes]]]:
    """A server that sends everybody on to another of ours; gives its URL and what the other heard."""
    heard: list[bytes] = []

    def hear(connected: socket.socket) -> None:
        heard.append(connected.recv(65536))

    with listening(hear) as other:
        location = f"Location: http://127.0.0.1:{other}/elsewhere"
        with listening(saying("307 Temporary Redirect", b"", location)) as first:
            yield f"http://127.0.0.1:{first}/a", heard


def test_no_redirect_of_storage_is_followed(redirecting: tuple[str, list[bytes]]) -> None:
    url, heard = redirecting
    text = f"AccountName=a;AccountKey={KEY};TableEndpoint={url};BlobEndpoint={url}"
    options = StorageOptions("jobs", timedelta(hours=1), 20)

    async def test() -> None:
        async with AccountRegistry({"a": ConnectionStringConfig(text)}, options) as accounts:
            account = accounts["a"]
            for work in (account.jobs.ping, account.jobs.create_table, lambda: account.blobs.has_container("exports")):
                with pytest.raises(StorageError):
                    await work()

    asyncio.run(test())
    assert heard == []
