"""Reads that several callers wait for together."""

import asyncio

import pytest

from adapters.errors import Fault, StorageFaultError
from adapters.guard import Guard
from adapters.shared_reads import SharedReads


def test_who_waits_for_an_account_that_is_closed_is_told() -> None:
    async def closed() -> None:
        shared = SharedReads(Guard(5), 5)
        waiting = [asyncio.create_task(shared.read("row", asyncio.Event().wait)) for _ in range(2)]
        await asyncio.sleep(0)
        shared.close()
        for each in waiting:
            with pytest.raises(StorageFaultError, match="left the key ring") as told:
                await each
            assert told.value.fault is Fault.CREDENTIAL

    asyncio.run(closed())


def test_a_later_attempt_that_fails_does_not_end_the_first() -> None:
    attempts = 0

    async def read() -> str:
        nonlocal attempts
        attempts += 1
        if attempts > 1:
            raise StorageFaultError(Fault.UNREACHABLE)
        await asyncio.sleep(0.25)
        return "found"

    async def waited() -> tuple[str, bool]:
        return await SharedReads(Guard(5), 0.3).read("row", read)

    assert asyncio.run(waited()) == ("found", False)
    assert attempts == 3
