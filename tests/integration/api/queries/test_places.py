"""Queries around an address and near a route, before a stand-in of Azure Maps."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.api.query_places import ADDRESS_NOT_FOUND
from proxy.demo.maps.stand_in import MapsStandIn, start_stand_in
from tests.support.geocoding import maps_querying
from tests.support.live import LiveServer
from tests.support.queries import Queries, load
from tests.support.storage import Storage

NAME = "Route"
# Redmond's middle is 47.6785583496094, -122.130989074707; Boulder and Denver are far from it.
STOPS = """Bing Spatial Data Services, 1.0, Stops
Id(Edm.String,primaryKey)|Latitude(Edm.Double)|Longitude(Edm.Double)
town|47.679|-122.131
near|47.70|-122.13
tacoma|47.25|-122.44
denver|39.7400093|-104.99201965
boulder|40.0157394|-105.27924347
between|39.87|-105.13
aside|39.9|-105.6
"""
TOWN = "Stops?spatialFilter=nearby('Redmond, WA',10)"
ROUTE = "Stops?spatialFilter=nearRoute('Denver, CO','Boulder, CO')"
NOWHERE = "221B Baker Street, Nowhere"


@pytest.fixture(scope="module")
def account_with_stops(account: Storage) -> Storage:
    """An account with a data source of places in Washington and Colorado."""
    load(account, STOPS.encode(), NAME)
    return account


@pytest.fixture(scope="module")
def running() -> Iterator[MapsStandIn]:
    """The stand-in of this module."""
    with start_stand_in() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def server(
    account_with_stops: Storage, running: MapsStandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server whose account has the stand-in."""
    folder = tmp_path_factory.mktemp("versions") / "files"
    with maps_querying(account_with_stops, running.url, folder, maps_calls_per_second=1000) as server:
        Queries(server, NAME).read("Stops?$top=1")
        yield server


@pytest.fixture
def stops(server: LiveServer) -> Queries:
    """Queries that data source."""
    return Queries(server, NAME)


@pytest.fixture
def maps(running: MapsStandIn) -> Iterator[MapsStandIn]:
    """The stand-in, which has not been asked yet and answers well again afterwards."""
    running.asked.clear()
    yield running
    running.rule = lambda _number, _items: ""


def fail(maps: MapsStandIn, *modes: str) -> None:
    """The next requests meet these modes, and all later ones the last."""
    maps.asked.clear()
    maps.rule = lambda number, _items: modes[min(number, len(modes)) - 1]


def asked(maps: MapsStandIn) -> list[str]:
    return [each.operation for each in maps.asked]


def test_an_address_is_geocoded_and_then_a_centre_like_any_other(stops: Queries, maps: MapsStandIn) -> None:
    found = stops.read(f"{TOWN}&$select=*,__Distance")
    assert found.ids == ["town", "near"]
    assert asked(maps) == ["geocode"]
    (item,) = maps.asked[0].items
    assert (item["query"], maps.asked[0].language) == ("Redmond, WA", "en-US")
    same = stops.read("Stops?spatialFilter=nearby(47.6785583496094,-122.130989074707,10)&$select=*,__Distance")
    assert found.entities == same.entities


@pytest.mark.parametrize(
    "options", ["&$orderby=Id", "&$filter=Id ne 'town'", "&$top=1&$skip=1", "&$inlinecount=allpages", "&$format=json"]
)
def test_an_address_goes_with_every_option(stops: Queries, maps: MapsStandIn, options: str) -> None:
    by_place = TOWN.replace("'Redmond, WA'", "47.6785583496094,-122.130989074707")
    assert stops.read(TOWN + options).ids == stops.read(by_place + options).ids
    assert maps.calls == 1


def test_a_route_is_asked_between_two_addresses(stops: Queries, maps: MapsStandIn) -> None:
    assert stops.read(ROUTE).ids == ["denver", "between", "boulder"]
    assert asked(maps) == ["geocode", "geocode", "route"]


def test_coordinates_cost_no_item_in_quotes_or_not(stops: Queries, maps: MapsStandIn) -> None:
    assert stops.read("Stops?spatialFilter=nearby('47.679,-122.131',1)").ids == ["town"]
    assert asked(maps) == []
    ends = "'40.0157394,-105.27924347','39.7400093,-104.99201965'"
    assert stops.read(f"Stops?spatialFilter=nearRoute({ends})").ids == ["boulder", "between", "denver"]
    assert asked(maps) == ["route"]


def test_an_address_that_is_both_ends_is_asked_once(stops: Queries, maps: MapsStandIn) -> None:
    assert stops.read("Stops?spatialFilter=nearRoute('Redmond','Redmond')").ids == ["town"]
    assert asked(maps) == ["geocode", "route"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("", {"travelMode": "driving", "optimizeRoute": "fastestWithoutTraffic"}),
        ("&travelMode=Walking&avoid=tolls", {"travelMode": "walking", "optimizeRoute": "fastestWithoutTraffic"}),
        (
            "&travelmode=WALKING&optmz=timeWithTraffic",
            {"travelMode": "walking", "optimizeRoute": "fastestWithoutTraffic"},
        ),
        ("&optimize=distance", {"travelMode": "driving", "optimizeRoute": "shortest"}),
        ("&optmz=TimeWithTraffic", {"travelMode": "driving", "optimizeRoute": "fastestWithTraffic"}),
        (
            "&travelMode=Driving&avoid=Highways,MinimizeTolls&optmz=Time&hd=90&dbft=50",
            {
                "travelMode": "driving",
                "optimizeRoute": "fastestWithoutTraffic",
                "avoid": ["limitedAccessHighways", "tollRoads"],
                "heading": 90,
            },
        ),
    ],
)
def test_route_parameters_reach_azure_maps(
    stops: Queries, maps: MapsStandIn, parameters: str, expected: dict[str, Any]
) -> None:
    ends = "'39.7400093,-104.99201965','40.0157394,-105.27924347'"
    assert stops.read(f"Stops?spatialFilter=nearRoute({ends}){parameters}").ids == ["denver", "between", "boulder"]
    (body,) = maps.asked[0].items
    given = {name: value for name, value in body.items() if name not in {"type", "features", "routeOutputOptions"}}
    assert given == expected
    places = [feature["geometry"]["coordinates"] for feature in body["features"]]
    assert places == [[-104.99201965, 39.7400093], [-105.27924347, 40.0157394]]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (f"Stops?spatialFilter=nearby('{NOWHERE}',0)", 400),
        (f"Stops?spatialFilter=nearby('{NOWHERE}',5)&$top=x", 400),
        (f"Stops?spatialFilter=nearby('{NOWHERE}',5)&$filter=Nothing eq 1", 400),
        (f"Stops?spatialFilter=nearby('{NOWHERE}',5)&$select=Nothing", 400),
        (f"Others?spatialFilter=nearby('{NOWHERE}',5)", 404),
        (f"Stops?spatialFilter=nearby('{NOWHERE}',5)&isStaging=1", 404),
        (f"Stops?spatialFilter=nearRoute('{NOWHERE}','Redmond')&travelMode=Flying", 400),
    ],
)
def test_nothing_is_asked_for_a_query_with_another_mistake(
    stops: Queries, maps: MapsStandIn, request_: str, status: int
) -> None:
    assert stops.refused(request_, status) != ADDRESS_NOT_FOUND
    assert asked(maps) == []


def test_nothing_is_asked_for_a_key_that_may_not(stops: Queries, maps: MapsStandIn) -> None:
    stops.refused(TOWN, 401, "a-key-that-nobody-has")
    Queries(stops.server, "Others").refused(TOWN, 404)
    assert asked(maps) == []


@pytest.mark.parametrize(
    "area", [f"nearby('{NOWHERE}',5)", f"nearRoute('{NOWHERE}','Redmond')", f"nearRoute('Redmond','{NOWHERE}')"]
)
def test_an_address_that_is_not_found_is_400_with_one_text(stops: Queries, maps: MapsStandIn, area: str) -> None:
    assert stops.refused(f"Stops?spatialFilter={area}", 400) == ADDRESS_NOT_FOUND
    assert "route" not in asked(maps)


def test_the_error_keeps_the_callers_form(stops: Queries, maps: MapsStandIn) -> None:
    answer = stops.ask(f"Stops?spatialFilter=nearby('{NOWHERE}',5)&$format=json&jsonp=cb")
    assert (answer.status, answer.body[:3]) == (400, b"cb(")
    answer = stops.ask(f"Stops?spatialFilter=nearby('{NOWHERE}',5)&o=xml")
    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (400, "application/xml")
    assert stops.ask(TOWN, method="HEAD").status == 200
    assert maps.calls == 3


@pytest.mark.parametrize("mode", ["401", "403", "408", "500", "503", "cut", "html", "garbage", "short", "item errors"])
def test_a_failing_azure_maps_is_503_with_retry_after(
    stops: Queries, maps: MapsStandIn, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    fail(maps, mode)
    answer = stops.ask(TOWN)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert maps.calls == 1
    lines = [line for line in caplog.messages if "can't be found now" in line]
    assert len(lines) == 1
    assert "Redmond" not in caplog.text


@pytest.mark.parametrize("mode", ["401", "500", "cut", "html", "garbage"])
def test_so_is_a_router_that_fails(stops: Queries, maps: MapsStandIn, mode: str) -> None:
    fail(maps, mode)
    assert stops.ask("Stops?spatialFilter=nearRoute('47,-122','48,-122')").status == 503


def test_a_router_that_knows_no_way_is_400(stops: Queries, maps: MapsStandIn) -> None:
    fail(maps, "400")
    assert "no route" in stops.refused("Stops?spatialFilter=nearRoute('47,-122','48,-22')", 400)


def test_a_whole_call_that_is_refused_is_an_address_that_is_not_found(stops: Queries, maps: MapsStandIn) -> None:
    fail(maps, "400")
    assert stops.refused(TOWN, 400) == ADDRESS_NOT_FOUND


@pytest.mark.parametrize(
    "coordinates",
    [[], [[]], None, "x", [[["a", "b"]]], [[[200, 0]]], [[[None, 1], [2, 3]]], [{"x": 1}], [[[float("nan"), 1]]]],
)
def test_a_route_without_a_line_is_503(stops: Queries, coordinates: object, monkeypatch: pytest.MonkeyPatch) -> None:
    features = [{"properties": {"type": "RoutePath"}, "geometry": {"coordinates": coordinates}}, {"properties": None}]
    monkeypatch.setattr("proxy.demo.maps.stand_in._straight_route", lambda _body: {"features": features})
    assert stops.ask("Stops?spatialFilter=nearRoute('47,-122','48,-122')").status == 503


def test_a_throttled_azure_maps_says_when_to_come_again(account_with_stops: Storage, tmp_path: Path) -> None:
    with start_stand_in() as maps, maps_querying(account_with_stops, maps.url, tmp_path / "files") as server:
        queries = Queries(server, NAME)
        fail(maps, "429 60", "")
        assert 45 <= int(queries.ask(TOWN).headers["retry-after"]) <= 60
        again = queries.ask(TOWN)  # while calls pause, none is made
        assert (again.status, maps.calls) == (503, 1)
        assert 1 <= int(again.headers["retry-after"]) <= 60
        assert queries.read("Stops?$top=1").ids


def test_a_slow_azure_maps_ends_with_the_requests_deadline(account_with_stops: Storage, tmp_path: Path) -> None:
    with (
        start_stand_in() as maps,
        maps_querying(account_with_stops, maps.url, tmp_path / "files", storage_timeout=1) as server,
    ):
        queries = Queries(server, NAME)
        fail(maps, "slow 300")
        answer = queries.ask(TOWN)
        while not maps.calls:  # a busy machine may miss the deadline before it asks
            answer = queries.ask(TOWN)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert answer.envelope["errorDetails"] == ["Addresses and routes can't be found at the moment. Try again."]


def seconds_of_this_day() -> int:
    """How many are left, more than a test takes: just before midnight it waits for the next day."""
    while (left := 86_400 - int(time.time()) % 86_400) < 120:
        time.sleep(1)
    return left


def test_over_the_days_bound_a_query_by_address_is_503(account_with_stops: Storage, tmp_path: Path) -> None:
    with (
        start_stand_in() as maps,
        maps_querying(account_with_stops, maps.url, tmp_path / "files", maps_items_per_day=1) as server,
    ):
        queries = Queries(server, NAME)
        left = seconds_of_this_day()
        assert queries.read(TOWN).ids
        answer = queries.ask(TOWN)
        assert (answer.status, maps.calls) == (503, 1)
        assert 0 < int(answer.headers["retry-after"]) <= left


def test_no_answer_is_kept_for_another_request(stops: Queries, maps: MapsStandIn) -> None:
    assert stops.read(TOWN).ids == stops.read(TOWN).ids
    assert maps.calls == 2
