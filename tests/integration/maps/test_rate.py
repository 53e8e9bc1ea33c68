"""The rate of a process and an Azure Maps account, in counts of calls."""

import asyncio

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


async def test_no_second_has_more_calls_than_the_rate_and_a_burst(maps: MapsStandIn) -> None:
    rate = 20.0
    client = client_of(maps, throttle=Throttle(rate))
    async with asyncio.TaskGroup() as asking:
        for _ in range(40):
            asking.create_task(client.ask(towns(2), "en-US"))
    await client.close()
    assert maps.calls == 40
    assert maps.most_calls_in_one_second <= 1.25 * rate + BURST
    assert maps.asked[-1].at - maps.asked[0].at >= (40 - BURST - 1) / rate


async def test_a_pause_holds_for_the_calls_of_other_chunks_and_accounts(
    maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two accounts of the key ring may share one Azure Maps account."""
    monkeypatch.setenv("MAPS_TEST_ONE", KEY)
    monkeypatch.setenv("MAPS_TEST_OTHER", KEY)
    options = MapsOptions(throttles=Throttles(FAST))
    one, other = (
        open_maps(name, MapsEntry(f"MAPS_TEST_{name}", endpoint=maps.url), options, None) for name in ("ONE", "OTHER")
    )
    maps.modes = {1: "429 1"}
    asking = asyncio.create_task(one.ask(towns(1), "en-US"))
    while not maps.calls:  # noqa: ASYNC110 - the stand-in runs in another thread
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
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
    maps.modes = dict.fromkeys(range(1, 5), "429 1")
    async with asyncio.TaskGroup() as asking:
        for _ in range(4):
            asking.create_task(client.ask(towns(1), "en-US"))
    assert FAST / 2 < throttle.rate < FAST
    maps.seconds = 0
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
        assert caught.value.retry_after == pytest.approx(60, abs=10)
    assert maps.calls == 1
    await client.close()


async def test_a_cancelled_caller_takes_no_call_from_others(maps: MapsStandIn) -> None:
    throttle = Throttle(0.5)
    client = client_of(maps, throttle=throttle)
    await client.ask(towns(1), "en-US")
    waiting = [asyncio.create_task(client.ask(towns(1), "en-US")) for _ in range(5)]
    await asyncio.sleep(0.1)
    for task in waiting[:-1]:
        task.cancel()
    await asyncio.wait_for(waiting[-1], 20)
    assert maps.calls == 2
    await client.close()
