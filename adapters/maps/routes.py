"""Azure Maps' Route Directions as JSON (geocode.md, section 1)."""

from itertools import chain, islice
from typing import Any

from adapters.maps.mapping import MalformedAnswerError
from adapters.model.routing import Location, RouteRequest

_GOALS = {"fastest": "fastestWithoutTraffic", "fastest_in_traffic": "fastestWithTraffic", "shortest": "shortest"}
_AVOIDED = {"highways": "limitedAccessHighways", "tolls": "tollRoads"}
MAX_POINTS = 200_000
"""Of a route, all its lines together. One that is cut short would find too little, and nobody would see it."""


def route_body(request: RouteRequest) -> dict[str, Any]:
    """The body of a call. Only drivers can avoid roads and traffic."""
    is_driving = request.mode == "driving"
    goal = "fastest" if request.goal == "fastest_in_traffic" and not is_driving else request.goal
    body: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": [_waypoint(index, place) for index, place in enumerate((request.start, request.end))],
        "travelMode": request.mode,
        "optimizeRoute": _GOALS[goal],
        "routeOutputOptions": ["routePath"],
    }
    if request.avoided and is_driving:
        body["avoid"] = [_AVOIDED[each] for each in sorted(request.avoided)]
    if request.heading is not None:
        body["heading"] = request.heading
    return body


def parse_route(document: object) -> list[Location]:
    """The points of the line, one after the other.

    Raises:
        MalformedAnswerError: the document has none, or too many.
    """
    features = document.get("features") if isinstance(document, dict) else None
    for feature in features if isinstance(features, list) else []:
        try:
            if feature["properties"]["type"] == "RoutePath":
                line = chain.from_iterable(feature["geometry"]["coordinates"])
                points = [_location(point) for point in islice(line, MAX_POINTS + 1)]
                if 0 < len(points) <= MAX_POINTS:
                    return points
        except (LookupError, TypeError, ValueError):  # another shape than expected, at any depth
            continue
    raise MalformedAnswerError(f"the answer has no RoutePath with 1 to {MAX_POINTS:,} points")


def _waypoint(index: int, place: Location) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [place.longitude, place.latitude]},
        "properties": {"pointIndex": index, "pointType": "waypoint"},
    }


def _location(point: list[Any]) -> Location:
    longitude, latitude = float(point[0]), float(point[1])
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):  # noqa: PLR2004  degrees
        raise ValueError
    return Location(latitude, longitude)
