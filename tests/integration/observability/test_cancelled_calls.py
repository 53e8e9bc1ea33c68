"""Calls of storage that are cancelled: a fault of storage's only where it was waited for too long."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables.aio import TableClient

from adapters.circuit_breaker import CircuitBreaker
from adapters.credentials.connection_string import parse_connection_string
from adapters.credentials.table_auth import table_authentication
from adapters.errors import StorageErrorCode
from adapters.instrumentation import (
    UNNEEDED,
    InstrumentedTransport,
    ObservedCall,
    Service,
    StorageObserver,
    StorageVerb,
)
from adapters.request_coalescing import SingleFlight
from adapters.tables.reader import TableReader


class Told(StorageObserver):
    """Keeps the faults that calls ended in, by the order in which they began."""

    def __init__(self) -> None:
        self.begun = 0
        self.faults: dict[object, StorageErrorCode | None] = {}

    def begin(self, _service: Service, _call: StorageVerb) -> object:
        """Counts one."""
        self.begun += 1
        return self.begun

    def end(
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
    """A table endpoint that is asked and never answers; the event tells that it was asked."""
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
    reads = TableReader(url, "jobs", table_authentication(parse_connection_string(text), "jobs"), 30, watch)
    try:
        await reads.row("a", "b")
    finally:
        await reads.close()


async def by_the_sdk(url: str, watch: StorageObserver) -> None:
    """A write as the SDK makes it."""
    credential, transport = AzureNamedKeyCredential("a", "c2VjcmV0"), InstrumentedTransport(watch, "table", 30, 30)
    async with TableClient(url, "jobs", credential=credential, transport=transport) as table:
        await table.create_entity({"PartitionKey": "a", "RowKey": "b"})


@pytest.mark.parametrize("ask", [by_aiohttp, by_the_sdk])
@pytest.mark.parametrize(("arguments", "fault"), [((), StorageErrorCode.TIMEOUT), ((UNNEEDED,), None)])
def test_a_call_that_nobody_needs_any_more_is_no_fault(
    ask: Callable[[str, StorageObserver], Awaitable[None]], arguments: tuple[str, ...], fault: StorageErrorCode | None
) -> None:
    async def story() -> None:
        told = Told()
        async with silent() as (url, asked), asyncio.timeout(20):
            asking = asyncio.ensure_future(ask(url, told))
            await asked.wait()
            asking.cancel(*arguments)
            await asyncio.wait({asking})
        assert told.faults == {1: fault}

    asyncio.run(story())


@pytest.mark.parametrize(("answered", "faults"), [(1, (None, None)), (2, (StorageErrorCode.TIMEOUT, None))])
def test_of_two_tries_of_a_read_only_the_one_that_took_too_long_is_a_fault(
    answered: int, faults: tuple[StorageErrorCode | None, StorageErrorCode | None]
) -> None:
    async def story() -> None:
        told, second, never = Told(), asyncio.Event(), asyncio.Event()

        async def read() -> int:
            with ObservedCall(told, "table", "read"):
                mine = told.begun
                if mine == len(faults):
                    second.set()
                await (second if mine == answered else never).wait()
            return mine

        reads = SingleFlight(CircuitBreaker(30), 0.3)
        async with asyncio.timeout(20):
            assert await reads.read("key", read) == (answered, False)
            while len(told.faults) < told.begun:  # noqa: ASYNC110 - what was cancelled ends a moment later
                await asyncio.sleep(0.01)
        assert (told.faults[1], told.faults[2]) == faults

    asyncio.run(story())
