"""A cancelled call is a failure of storage, unless its result is no longer needed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables.aio import TableClient

from adapters.credentials.connection_string import parse_connection_string
from adapters.credentials.table_auth import TableAuth
from adapters.errors import StorageErrorCode
from adapters.instrumentation import (
    InstrumentedTransport,
    Service,
    StorageObserver,
    StorageVerb,
)
from adapters.request_coalescing import NO_LONGER_NEEDED
from adapters.tables.reader import TableReader
from tests.support.opened_account import SECONDS


class Observed(StorageObserver):
    """Keeps the faults that calls ended in, by the order in which they began."""

    def __init__(self) -> None:
        self.begun = 0
        self.faults: dict[object, StorageErrorCode | None] = {}

    def begin_call(self, _service: Service, _call: StorageVerb) -> object:
        """Counts one."""
        self.begun += 1
        return self.begun

    def end_call(
        self,
        begun: object,
        service: Service,  # noqa: ARG002 - the observer's interface
        call: StorageVerb,  # noqa: ARG002
        seconds: float,  # noqa: ARG002
        fault: StorageErrorCode | None,
    ) -> None:
        """Keeps one."""
        self.faults[begun] = fault


@asynccontextmanager
async def silent() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A table endpoint that never answers; the event is set by the first request."""
    asked, ended = asyncio.Event(), asyncio.Event()

    async def take(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await ended.wait()
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a", asked
        ended.set()


async def by_aiohttp(url: str, watch: StorageObserver) -> None:
    """A read as we make it."""
    text = f"AccountName=a;AccountKey=c2VjcmV0;TableEndpoint={url};BlobEndpoint={url};QueueEndpoint={url}"
    reads = TableReader(url, "jobs", TableAuth(parse_connection_string(text), "jobs"), SECONDS, watch)
    try:
        await reads.row("a", "b")
    finally:
        await reads.close()


async def by_the_sdk(url: str, watch: StorageObserver) -> None:
    """A write as the SDK makes it."""
    credential, transport = (
        AzureNamedKeyCredential("a", "c2VjcmV0"),
        InstrumentedTransport(watch, "table", SECONDS, SECONDS),
    )
    async with TableClient(url, "jobs", credential=credential, transport=transport) as table:
        await table.create_entity({"PartitionKey": "a", "RowKey": "b"})


@pytest.mark.parametrize("ask", [by_aiohttp, by_the_sdk])
@pytest.mark.parametrize(("arguments", "fault"), [((), StorageErrorCode.TIMEOUT), ((NO_LONGER_NEEDED,), None)])
def test_cancelled_call_is_a_failure_unless_no_longer_needed(
    ask: Callable[[str, StorageObserver], Awaitable[None]], arguments: tuple[str, ...], fault: StorageErrorCode | None
) -> None:
    async def story() -> None:
        observed = Observed()
        async with silent() as (url, asked), asyncio.timeout(SECONDS):
            asking = asyncio.ensure_future(ask(url, observed))
            await asked.wait()
            asking.cancel(*arguments)
            await asyncio.wait({asking})
        assert observed.faults == {1: fault}

    asyncio.run(story())
