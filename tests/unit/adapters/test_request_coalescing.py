"""Reads that several callers wait for together."""

import asyncio

import pytest

from adapters.circuit_breaker import CircuitBreaker
from adapters.errors import StorageError, StorageErrorCode
from adapters.request_coalescing import SingleFlight


def test_who_waits_for_an_account_that_is_closed_is_told() -> None:
    async def closed() -> None:
        shared = SingleFlight(CircuitBreaker(5), 5)
        waiting = [asyncio.create_task(shared.read("row", asyncio.Event().wait)) for _ in range(2)]
        await asyncio.sleep(0)
        shared.close()
        for each in waiting:
            with pytest.raises(StorageError, match="left the key ring") as told:
                await each
            assert told.value.fault is StorageErrorCode.CREDENTIAL

    asyncio.run(closed())


def test_a_later_attempt_that_fails_does_not_end_the_first() -> None:
    attempts = 0

    async def read() -> str:
        nonlocal attempts
        attempts += 1
        if attempts > 1:
            raise StorageError(StorageErrorCode.UNREACHABLE)
        await asyncio.sleep(0.25)
        return "found"

    async def waited() -> tuple[str, bool]:
        return await SingleFlight(CircuitBreaker(5), 0.3).read("row", read)

    assert asyncio.run(waited()) == ("found", False)
    assert attempts == 3
