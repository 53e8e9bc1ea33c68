"""The rate of a process and an Azure Maps account, in counts of calls."""

import asyncio
import time
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle, repeat
from types import SimpleNamespace

import pytest

from adapters.credentials.config import MapsEntry
from adapters.maps.errors import MapsError, MapsFailure
from adapters.maps.options import MapsOptions, open_maps
from adapters.maps.throttle import BURST, Throttle, Throttles
from adapters.model.geocoding import ForwardItem
from adapters.model.routing import Location, RouteRequest
from proxy.demo.maps.stand_in import KEY, MapsStandIn
from tests.integration.maps.conftest import FAST, Waits, client_of, towns

pytestmark = pytest.mark.anyio


@dataclass
class Clock:
    """Stands in for the throttle's clock and its timers, which are late by some seconds, one after the other."""

    late: Iterator[float] = field(default_factory=lambda: repeat(0.0))
    now: float = 1_000.0
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    """Timers wait for it."""

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await self.goes_on.wait()
        self.now += max(seconds, 1e-6) + next(self.late)  # less would not change it

    def put_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("adapters.maps.throttle.time", self)
        monkeypatch.setattr("adapters.maps.throttle.asyncio", SimpleNamespace(sleep=self.sleep, Lock=asyncio.Lock))


@pytest.mark.parametrize("late", [[0.0], [0.01, 0.06], [0.0, 0.0, 3.0]], ids=str)
async def test_no_second_has_more_calls_than_the_rate_and_a_burst_however_late_timers_are(
    monkeypatch: pytest.MonkeyPatch, late: list[float]
) -> None:
    clock, rate = Clock(cycle(late)), 20.0
    clock.put_in(monkeypatch)
    clock.goes_on.set()
    throttle, asked = Throttle(rate), []
    for _ in range(200):
        await throttle.acquire()
        asked.append(clock.now)
    assert max(bisect(asked, at + 1) - number for number, at in enumerate(asked)) <= 1.25 * rate + BURST
    if late == [0.0]:
        assert asked[-1] - asked[0] == pytest.approx(199 / rate, rel=0.05)


async def test_calls_of_a_client_wait_for_the_rate(maps: MapsStandIn) -> None:
    rate, begun = 40.0, time.monotonic()
    client = client_of(maps, throttle=Throttle(rate))
    async with asyncio.TaskGroup() as asking:
        for _ in range(40):
            asking.create_task(client.ask(towns(2), "en-US"))
    assert time.monotonic() - begun >= (40 - BURST - 1) / rate
    await client.close()
    assert maps.calls == 40


async def test_a_pause_holds_for_the_calls_of_other_chunks_and_accounts(
    maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two accounts of the key ring may share one Azure Maps account."""
    monkeypatch.setenv("MAPS_TEST_ONE", KEY)
    monkeypatch.setenv("MAPS_TEST_OTHER", KEY)
    throttles = Throttles(FAST)
    options = MapsOptions(throttles=throttles)
    one, other = (
        open_maps(name, MapsEntry(f"MAPS_TEST_{name}", endpoint=maps.url), options, None) for name in ("ONE", "OTHER")
    )
    maps.modes = {1: "429 1"}
    asking = asyncio.create_task(one.ask(towns(1), "en-US"))
    (throttle,) = throttles._known.values()  # noqa: SLF001 - shows when the pause begins
    while not throttle.seconds_paused and not asking.done():  # noqa: ASYNC110 - the stand-in runs in another thread
        await asyncio.sleep(0.01)
    await other.ask(towns(2), "en-US")
    await asking
    assert all(later.at - maps.asked[0].at >= 0.99 for later in maps.asked[1:])
    await one.close()
    await other.close()


async def test_accounts_of_different_keys_have_a_rate_each() -> None:
    throttles = Throttles(5)
    assert throttles.of("https://a", "x") is throttles.of("https://a", "x")
    assert throttles.of("https://a", "x") is not throttles.of("https://a", "y")
    assert throttles.of("https://a", "x") is not throttles.of("https://b", "x")


async def test_the_rate_halves_once_for_the_calls_in_flight_and_recovers(maps: MapsStandIn, waits: Waits) -> None:
    throttle = Throttle(FAST)
    client = client_of(maps, throttle=throttle)
    maps.seconds = 1
    maps.modes = dict.fromkeys(range(1, 5), "429 0")
    async with asyncio.TaskGroup() as asking:
        for _ in range(4):
            asking.create_task(client.ask(towns(1), "en-US"))
        while maps.calls < 4:  # noqa: ASYNC110 - the stand-in runs in another thread
            await asyncio.sleep(0.01)
        maps.seconds = 0
    assert FAST / 2 < throttle.rate < FAST
    for _ in range(25):
        await client.ask(towns(1), "en-US")
    assert throttle.rate == FAST
    assert waits.longest == []
    await client.close()


async def test_a_rate_never_falls_below_a_tenth() -> None:
    throttle = Throttle(10)
    for _ in range(9):
        throttle.record_throttling(0, float("inf"))
    assert throttle.rate == 1


@pytest.mark.parametrize(("header", "seconds"), [("86400", 300), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("soon", 1)])
async def test_a_retry_after_is_believed_within_bounds(
    maps: MapsStandIn, waits: Waits, header: str, seconds: float
) -> None:
    throttle = Throttle(FAST)
    client = client_of(maps, throttle=throttle)
    maps.modes = {1: f"429 {header}"}
    with pytest.raises(MapsError) as caught:
        await client.look_up(ForwardItem(query="Denver"), "en-US")
    await client.close()
    assert caught.value.failure is MapsFailure.THROTTLED
    assert throttle.seconds_paused <= seconds
    assert waits.longest == ([1] if header == "soon" else [])


async def test_a_look_up_and_a_route_do_not_wait_for_a_pause(maps: MapsStandIn) -> None:
    client = client_of(maps)
    maps.modes = {1: "429 60"}
    item, route = ForwardItem(query="Denver"), RouteRequest(Location(47.6, -122.1), Location(47.7, -122.3))
    for ask in (client.look_up(item, "en-US"), client.look_up(item, "en-US"), client.find_route(route)):
        with pytest.raises(MapsError) as caught:
            await ask
        assert caught.value.failure is MapsFailure.THROTTLED
        assert caught.value.retry_after is not None
        assert 30 < caught.value.retry_after <= 60
    assert maps.calls == 1
    await client.close()


async def test_a_cancelled_caller_takes_no_call_from_others(maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    clock.put_in(monkeypatch)
    client = client_of(maps, throttle=Throttle(0.5))
    await client.ask(towns(1), "en-US")
    waiting = [asyncio.create_task(client.ask(towns(1), "en-US")) for _ in range(5)]
    await asyncio.sleep(0.1)
    for task in waiting[:-1]:
        task.cancel()
    clock.goes_on.set()
    await waiting[-1]
    assert maps.calls == 2
    assert clock.now == pytest.approx(1_002, abs=0.001)
    await client.close()
