"""The stand-in refuses what Azure Maps would refuse, so that a wrong call does not pass unnoticed."""

from typing import Any

import httpx
import pytest

from proxy.demo.maps.stand_in import CLIENT_ID, KEY, MapsStandIn, start_stand_in
from tests.support.opened_account import SECONDS

BY_KEY = {"subscription-key": KEY}
VERSION = "2025-01-01"
WAYPOINTS = [
    {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [-122.1, 47.6]},
        "properties": {"pointIndex": index, "pointType": "waypoint"},
    }
    for index in range(2)
]
ROUTE = {"type": "FeatureCollection", "features": WAYPOINTS, "travelMode": "driving", "optimizeRoute": "shortest"}


def post(
    maps: MapsStandIn, path: str, body: Any, headers: dict[str, str] | None = None, version: str = VERSION
) -> httpx.Response:
    return httpx.post(
        f"{maps.url}/{path}?api-version={version}",
        json=body,
        headers=BY_KEY if headers is None else headers,
        timeout=SECONDS,
    )


def forward(**item: Any) -> dict[str, Any]:
    return {"batchItems": [item]}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"subscription-key": "wrong"},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic x", "x-ms-client-id": CLIENT_ID},
        {"Authorization": "Bearer x", "x-ms-client-id": "another"},
        {"Authorization": "Bearer x", "x-ms-client-id": CLIENT_ID, **BY_KEY},
    ],
)
def test_a_call_without_exactly_one_right_credential_is_401_and_not_billed(
    maps: MapsStandIn, headers: dict[str, str]
) -> None:
    assert post(maps, "geocode:batch", forward(query="Denver"), headers).status_code == 401
    assert (maps.calls, maps.items) == (1, 0)


@pytest.mark.parametrize("headers", [BY_KEY, {"Authorization": "Bearer x", "x-ms-client-id": CLIENT_ID}])
def test_a_right_credential_is_let_in(maps: MapsStandIn, headers: dict[str, str]) -> None:
    answer = post(maps, "geocode:batch", forward(query="Denver"), headers)
    assert answer.json()["summary"] == {"successfulRequests": 1, "totalRequests": 1}


@pytest.mark.parametrize(
    "body", [None, [], {}, {"batchItems": {}}, {"batchItems": ["a"]}, {"batchItems": []}, {"batchItems": [{}] * 101}]
)
def test_j12_a_batch_that_is_none_or_has_more_than_100_items_is_400(maps: MapsStandIn, body: Any) -> None:
    answer = post(maps, "geocode:batch", body)
    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (400, "Status400")
    assert maps.items == 0


def test_another_version_or_type_or_text_is_400(maps: MapsStandIn) -> None:
    assert post(maps, "geocode:batch", forward(query="Denver"), version="1.0").status_code == 400
    url = f"{maps.url}/geocode:batch?api-version={VERSION}"
    assert httpx.post(url, content=b'{"batchItems":[{}]}', headers=BY_KEY, timeout=SECONDS).status_code == 400
    assert (
        httpx.post(
            url, content=b"{", headers=BY_KEY | {"Content-Type": "application/json"}, timeout=SECONDS
        ).status_code
        == 400
    )
    assert httpx.get(url, headers=BY_KEY, timeout=SECONDS).status_code == 405


@pytest.mark.parametrize(
    ("path", "item", "text"),
    [
        ("geocode:batch", {"query": "Denver", "locality": "Denver"}, "Conflicting Parameters"),
        ("geocode:batch", {"top": 1}, "neither query nor"),
        ("geocode:batch", {"locality": "Denver", "countryRegion": "USA"}, "countryRegion"),
        ("geocode:batch", {"query": "Denver", "top": 21}, "top"),
        ("geocode:batch", {"query": "Denver", "top": 0}, "top"),
        ("reverseGeocode:batch", {}, "coordinates"),
        ("reverseGeocode:batch", {"coordinates": [47.6, -122.1]}, "coordinates"),
        ("reverseGeocode:batch", {"coordinates": ["a", "b"]}, "coordinates"),
        ("reverseGeocode:batch", {"coordinates": [-122.1, 47.6], "resultTypes": ["Park"]}, "resultTypes"),
    ],
)
def test_a_wrong_item_is_an_error_of_that_item(maps: MapsStandIn, path: str, item: Any, text: str) -> None:
    good = {"query": "Denver"} if path.startswith("geocode") else {"coordinates": [-104.99, 39.74]}
    answer = post(maps, path, {"batchItems": [item, good]})
    wrong, right = answer.json()["batchItems"]
    assert text in wrong["error"]["message"]
    assert right["features"][0]["properties"]["address"]["formattedAddress"] == "Denver, CO"


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Feature"},
        {"features": WAYPOINTS[:1]},
        {"features": [WAYPOINTS[0], WAYPOINTS[0]]},
        {"features": [WAYPOINTS[0], WAYPOINTS[1] | {"geometry": {"type": "Point", "coordinates": [47.6, -122.1]}}]},
        {"travelMode": "flying"},
        {"optimizeRoute": "fast"},
        {"avoid": ["highways"]},
        {"travelMode": "walking", "avoid": ["tollRoads"]},
        {"travelMode": "walking", "optimizeRoute": "fastestWithTraffic"},
    ],
)
def test_a_wrong_route_is_400(maps: MapsStandIn, change: dict[str, Any]) -> None:
    assert post(maps, "route/directions", ROUTE).status_code == 200
    assert post(maps, "route/directions", ROUTE | change).status_code == 400


def test_unknown_places_have_no_features_and_nearby_ones_are_described(maps: MapsStandIn) -> None:
    assert post(maps, "geocode:batch", forward(query="zzz")).json()["batchItems"][0]["features"] == []
    found = post(maps, "geocode:batch", forward(query="128 Main St Springfield", top=5)).json()["batchItems"][0]
    assert len(found["features"]) == 2
    town = {"coordinates": [-122.1187, 47.6731], "resultTypes": ["PopulatedPlace"]}
    (described,) = post(maps, "reverseGeocode:batch", {"batchItems": [town]}).json()["batchItems"][0]["features"]
    assert described["properties"]["address"]["formattedAddress"] == "Redmond, WA"
    sea = post(maps, "reverseGeocode:batch", forward(coordinates=[0, 0])).json()["batchItems"][0]
    assert sea["features"] == []


def test_it_counts_calls_items_and_the_fullest_second(maps: MapsStandIn) -> None:
    for _ in range(3):
        post(maps, "geocode:batch", {"batchItems": [{"query": "a"}, {"query": "b"}]})
    assert (maps.calls, maps.items) == (3, 6)
    assert 1 <= maps.most_calls_in_one_second <= 3
    assert MapsStandIn().most_calls_in_one_second == 0


def test_a_port_that_is_taken_is_an_error_and_no_hang(maps: MapsStandIn) -> None:
    with pytest.raises(OSError), start_stand_in(port=httpx.URL(maps.url).port or 0):  # noqa: PT011 - the system's own text
        pytest.fail("it started")


def test_nothing_is_kept_of_items_on_demand() -> None:
    with start_stand_in(MapsStandIn(keeps_items=False, seconds=0.01)) as maps:
        post(maps, "geocode:batch", forward(query="Denver"))
    assert (maps.asked[0].items, maps.items) == ((), 1)
