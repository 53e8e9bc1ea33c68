"""Look-ups and routes: what queries by address ask (geocode.md, section 1)."""

import threading

import pytest

from adapters.maps.errors import MapsError, MapsFailure
from adapters.maps.mapping import MalformedAnswerError
from adapters.maps.routes import MAX_POINTS, parse_route, route_body
from adapters.model.geocoding import ForwardItem, ItemError
from adapters.model.routing import Location, RouteRequest
from proxy.demo.maps.stand_in import MapsStandIn
from tests.integration.maps.conftest import Seen, client_of

pytestmark = pytest.mark.anyio

START, END = Location(47.6, -122.1), Location(47.7, -122.3)


async def test_a_route_is_the_points_of_its_line_from_start_to_end(maps: MapsStandIn) -> None:
    seen = Seen()
    client = client_of(maps, observer=seen)
    line = await client.find_route(RouteRequest(START, END, avoided=frozenset({"tolls", "highways"}), heading=90))
    await client.close()
    assert (line[0], line[-1]) == (START, END)
    assert len(line) == 11
    (body,) = maps.asked[0].items
    assert body["avoid"] == ["limitedAccessHighways", "tollRoads"]
    assert (body["heading"], body["routeOutputOptions"]) == (90, ["routePath"])
    assert body["features"][0]["geometry"]["coordinates"] == [-122.1, 47.6]
    assert seen.calls == [("route", 1, None)]


@pytest.mark.parametrize(
    ("request_", "members"),
    [
        (RouteRequest(START, END), ("driving", "fastestWithoutTraffic", None)),
        (RouteRequest(START, END, goal="shortest"), ("driving", "shortest", None)),
        (
            RouteRequest(START, END, goal="fastest_in_traffic", avoided=frozenset({"tolls"})),
            ("driving", "fastestWithTraffic", ["tollRoads"]),
        ),
        (
            RouteRequest(START, END, "walking", "fastest_in_traffic", frozenset({"tolls"})),
            ("walking", "fastestWithoutTraffic", None),
        ),
    ],
)
def test_a_walk_avoids_no_roads_and_no_traffic(request_: RouteRequest, members: tuple[object, ...]) -> None:
    body = route_body(request_)
    assert (body["travelMode"], body["optimizeRoute"], body.get("avoid")) == members


def test_north_is_a_heading() -> None:
    assert route_body(RouteRequest(START, END, heading=0))["heading"] == 0
    assert "heading" not in route_body(RouteRequest(START, END))


async def test_a_route_that_is_refused_is_the_callers_mistake(maps: MapsStandIn) -> None:
    maps.modes = {1: "400"}
    client = client_of(maps)
    with pytest.raises(MapsError) as caught:
        await client.find_route(RouteRequest(START, END))
    await client.close()
    assert caught.value.failure is MapsFailure.REJECTED
    assert caught.value.message == "The mode 400 refuses this call."


def path(coordinates: object) -> dict[str, object]:
    return {"features": [{"geometry": {"coordinates": coordinates}, "properties": {"type": "RoutePath"}}]}


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"features": None},
        {"features": [None, {}, {"properties": None}, {"properties": {"type": "RoutePath"}}]},
        path(None),
        path([]),
        path([[]]),
        path([[[1]]]),
        path([[["a", "b"]]]),
        path([[[200, 0]]]),
        path([[[None, 0]]]),
        path([[[float("nan"), 0]]]),
        path([5]),
        path([[[0, 0]] * (MAX_POINTS // 2)] * 2 + [[[0, 0]]]),
    ],
)
def test_an_answer_without_a_line_is_malformed(document: object) -> None:
    with pytest.raises(MalformedAnswerError):
        parse_route(document)


async def test_a_long_route_is_parsed_beside_other_requests(maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    def parse(document: object) -> list[Location]:
        threads.append(threading.get_ident())
        return parse_route(document)

    monkeypatch.setattr("adapters.maps.client.parse_route", parse)
    client = client_of(maps)
    for points in (100, 50_000):
        monkeypatch.setattr("proxy.demo.maps.stand_in.ROUTE_POINTS", points)
        assert len(await client.find_route(RouteRequest(START, END))) == points
    await client.close()
    short, long = (thread == threading.get_ident() for thread in threads)
    assert (short, long) == (True, False)


async def test_a_look_up_asks_one_item_once(maps: MapsStandIn) -> None:
    seen = Seen()
    client = client_of(maps, observer=seen)
    found = await client.look_up(ForwardItem(query="Denver, CO"), "en-US")
    assert isinstance(found, tuple)
    assert found[0].name == "Denver, CO"
    assert await client.look_up(ForwardItem(query="zzz"), "en-US") == ()
    maps.modes = {3: "item errors"}
    assert isinstance(await client.look_up(ForwardItem(query="Denver"), "en-US"), ItemError)
    await client.close()
    assert (maps.calls, seen.answered, seen.failed) == (3, 2, 1)
