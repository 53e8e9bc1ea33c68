"""Callers of the same key share one read: one in flight, or only one that starts later."""

import asyncio

import pytest

from adapters.errors import StorageError, StorageErrorCode
from adapters.request_coalescing import PacedReads, SingleFlight
from tests.support.virtual_time import VIRTUAL_TIME, VirtualTime

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> VirtualTime:
    return VIRTUAL_TIME


class Reads:
    """Counts reads that wait for a gate, then return or raise."""

    def __init__(self) -> None:
        self.count = 0
        self.started, self.gate = asyncio.Event(), asyncio.Event()
        self.error: Exception | None = None

    async def read(self) -> int:
        self.count += 1
        number = self.count
        self.started.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return number


@pytest.fixture
def reads() -> Reads:
    return Reads()


@pytest.fixture
def flight() -> SingleFlight:
    return SingleFlight()


async def waiting(flight: SingleFlight, reads: Reads, callers: int = 3) -> list["asyncio.Task[tuple[int, bool]]"]:
    tasks = [asyncio.create_task(flight.run("key", reads.read)) for _ in range(callers)]
    await reads.started.wait()
    return tasks


async def test_concurrent_callers_share_a_read(flight: SingleFlight, reads: Reads) -> None:
    tasks = await waiting(flight, reads)
    reads.gate.set()
    assert await asyncio.gather(*tasks) == [(1, False), (1, True), (1, True)]
    assert await flight.run("key", reads.read) == (2, False)


async def test_cancelled_caller_does_not_cancel_the_read(flight: SingleFlight, reads: Reads) -> None:
    first, *others = await waiting(flight, reads)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    with pytest.raises(TimeoutError):
        await flight.run("key", reads.read, wait=0.001)
    reads.gate.set()
    assert await asyncio.gather(*others) == [(1, True), (1, True)]


async def test_failed_read_fails_all_its_callers(flight: SingleFlight, reads: Reads) -> None:
    tasks = await waiting(flight, reads)
    reads.error = StorageError(StorageErrorCode.UNREACHABLE)
    reads.gate.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) == [reads.error] * 3
    reads.error = None
    assert await flight.run("key", reads.read) == (2, False)


async def test_failed_background_read_warns_of_nothing(flight: SingleFlight, reads: Reads) -> None:
    flight.start("key", reads.read)
    flight.start("key", reads.read)  # joins
    reads.error = StorageError(StorageErrorCode.UNREACHABLE)
    reads.gate.set()
    while flight._in_flight:  # noqa: SLF001, ASYNC110 - no event marks its end
        await asyncio.sleep(0)
    assert reads.count == 1


@pytest.mark.parametrize("started", [True, False])
async def test_close_fails_all_callers(flight: SingleFlight, reads: Reads, *, started: bool) -> None:
    tasks = [asyncio.create_task(flight.run("key", reads.read)) for _ in range(2)]
    await asyncio.sleep(0)
    if started:
        await reads.started.wait()
    flight.close()
    for task in tasks:
        with pytest.raises(StorageError, match="left the key ring") as caught:
            await task
        assert caught.value.code is StorageErrorCode.CREDENTIAL


async def test_close_does_not_hide_a_callers_own_cancellation(flight: SingleFlight) -> None:
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def read() -> None:
        await ended

    caller = asyncio.create_task(flight.run("key", read))
    await asyncio.sleep(0.01)
    ended.set_result(None)  # the read's task has its turn before the caller's
    caller.cancel()
    flight.close()
    await asyncio.wait([caller])
    assert caller.cancelled()


async def test_callers_share_a_read_that_begins_after_they_asked(reads: Reads) -> None:
    paced = PacedReads(0.01)
    first = [asyncio.create_task(paced.run("key", reads.read)) for _ in range(3)]
    await reads.started.wait()
    later = [asyncio.create_task(paced.run("key", reads.read)) for _ in range(3)]
    await asyncio.sleep(0)
    assert reads.count == 1
    reads.started.clear()
    await reads.started.wait()  # the second does not wait for the end of the first
    reads.gate.set()
    assert await asyncio.gather(*first, *later) == [1, 1, 1, 2, 2, 2]
    assert await paced.run("key", reads.read) == 3


async def test_read_without_another_in_flight_begins_at_once(reads: Reads) -> None:
    paced = PacedReads(3600)
    reads.gate.set()
    for number in (1, 2, 3):
        assert await asyncio.wait_for(paced.run("key", reads.read), 10) == number
    assert await asyncio.wait_for(paced.run("other", reads.read), 10) == 4


async def test_caller_that_gives_up_does_not_end_a_paced_read(reads: Reads) -> None:
    paced = PacedReads(0.01)
    first, second = [asyncio.create_task(paced.run("key", reads.read)) for _ in range(2)]
    await reads.started.wait()
    first.cancel()
    reads.gate.set()
    assert await second == 1
    assert reads.count == 1


async def test_failed_paced_read_fails_for_its_callers_alone(reads: Reads) -> None:
    paced = PacedReads(0.01)
    reads.error = StorageError(StorageErrorCode.TIMEOUT, "too slow")
    reads.gate.set()
    found = await asyncio.gather(*(paced.run("key", reads.read) for _ in range(2)), return_exceptions=True)
    assert found == [reads.error, reads.error]
    reads.error = None
    assert await paced.run("key", reads.read) == 2
