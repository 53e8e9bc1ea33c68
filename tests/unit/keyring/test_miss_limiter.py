"""Reads of the key store that find no row: how many there may be, and which network's come first."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from proxy.keyring import miss_limiter
from proxy.keyring.lookup import KeyStoreUnavailableError
from proxy.keyring.miss_limiter import HALF_LIFE, MAX_MISSES, MAX_NETWORKS, MissLimiter
from tests.support.virtual_time import VIRTUAL_TIME, VirtualTime

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> VirtualTime:
    return VIRTUAL_TIME


class Store:
    """Reads through a limiter; each takes a millisecond."""

    def __init__(self) -> None:
        self.now = 0.0
        self.limiter = MissLimiter(lambda: self.now)
        self.results: Counter[str] = Counter()
        self.in_flight = self.most_in_flight = 0

    async def read(self, network: str, *, finds: bool = False) -> str:
        """A read of a key; gives how it ended."""
        try:
            async with self.limiter.slot(network) as slot:
                self.in_flight += 1
                self.most_in_flight = max(self.most_in_flight, self.in_flight)
                await asyncio.sleep(0.001)
                self.in_flight -= 1
                slot.missed = not finds
        except KeyStoreUnavailableError:
            self.results["shed"] += 1
            return "shed"
        self.results["read"] += 1
        return "read"

    async def read_all(self, networks: list[str], *, finds: bool = False) -> Counter[str]:
        """As many reads at once."""
        return Counter(await asyncio.gather(*(self.read(network, finds=finds) for network in networks)))


async def test_no_second_has_more_than_fifty_misses() -> None:
    store = Store()
    networks = [f"192.0.2.{number % 250}" for number in range(1000)]
    assert await store.read_all(networks) == {"read": MAX_MISSES, "shed": 1000 - MAX_MISSES}
    store.now += 0.999
    assert await store.read("198.51.100.1") == "shed"
    store.now += 0.001
    assert await store.read("198.51.100.2") == "read"


async def test_keys_that_have_rows_are_all_read() -> None:
    store = Store()
    assert await store.read_all(["192.0.2.1"] * 500 + [f"10.0.0.{number}" for number in range(250)], finds=True) == {
        "read": 750
    }
    assert store.most_in_flight <= MAX_MISSES


async def test_a_network_that_guesses_leaves_others_their_share() -> None:
    store = Store()
    for _ in range(10):  # seconds
        await store.read_all(["192.0.2.1"] * 1000)
        assert await store.read_all([f"10.0.0.{number}" for number in range(10)], finds=True) == {"read": 10}
        store.now += 1.0


async def test_many_networks_that_guess_leave_one_without_misses_its_share() -> None:
    store = Store()
    guessing = [f"192.0.2.{number}" for number in range(250)] + [f"10.0.0.{number}" for number in range(250)]
    for second in range(10):
        found = await store.read_all(guessing * 2)
        assert found["read"] <= MAX_MISSES
        if second > 4:  # they have a past by then
            assert await store.read(f"198.51.100.{second}") == "read"
        store.now += 1.0


async def test_who_has_no_misses_is_served_before_those_who_wait_already() -> None:
    store = Store()
    ends: list[str] = []

    async def read(network: str) -> None:
        await store.read(network, finds=True)
        ends.append(network)

    waiting = [asyncio.create_task(read("192.0.2.1")) for _ in range(200)]
    await asyncio.sleep(0)
    await read("10.0.0.1")
    assert len(ends) < 100
    await asyncio.gather(*waiting)


async def test_misses_are_forgiven_in_time() -> None:
    store = Store()
    await store.read_all(["192.0.2.1"] * 1000)
    store.now += 20 * HALF_LIFE
    found = await store.read_all([f"10.0.0.{number}" for number in range(40)])
    assert found["read"] == 40
    assert await store.read("192.0.2.1") == "read"


async def test_who_gives_up_waiting_takes_no_slot() -> None:
    store = Store()
    tasks = [asyncio.create_task(store.read(f"10.0.{number // 200}.{number % 200}")) for number in range(400)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    store.now += 100
    assert await store.read_all([f"10.1.0.{number}" for number in range(MAX_MISSES)]) == {"read": MAX_MISSES}


async def test_who_waits_too_long_leaves_the_queue() -> None:
    store = Store()
    reading = [asyncio.create_task(store.read("10.0.0.1", finds=True)) for _ in range(30)]
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await store.read("10.0.0.1")
    assert set(await asyncio.gather(*reading)) == {"read"}
    assert store.limiter._waiting == []  # noqa: SLF001 - the queue is not seen from outside


async def test_who_leaves_a_long_queue_is_found_without_a_look_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def count(this: object, other: object) -> bool:
        nonlocal compared
        compared += 1
        return this is other

    monkeypatch.setattr(miss_limiter._Waiting, "__eq__", count)  # noqa: SLF001 - a time would depend on the machine
    store = Store()
    tasks = [asyncio.create_task(store.read(f"10.0.{number % 7}.1")) for number in range(600)]
    await asyncio.sleep(0)
    for task in reversed(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert store.limiter._waiting == []  # noqa: SLF001 - the queue is not seen from outside
    assert compared < len(tasks)


async def test_who_is_admitted_and_gives_up_at_once_frees_the_slot() -> None:
    store = Store()
    async with AsyncExitStack() as reading:
        for number in range(MAX_MISSES):
            await reading.enter_async_context(store.limiter.slot(f"10.0.0.{number}"))
        waiting = asyncio.create_task(store.read("10.0.1.1"))
        await asyncio.sleep(0)
    waiting.cancel()  # it was admitted and did not run since
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert store.limiter._in_flight == 0  # noqa: SLF001 - the count is not seen from outside


async def test_a_bounded_number_of_networks_is_remembered() -> None:
    store = Store()
    for number in range(MAX_NETWORKS + 10):
        store.limiter._count(str(number), 1)  # noqa: SLF001 - so many reads take too long
    assert len(store.limiter._tries) == MAX_NETWORKS  # noqa: SLF001
