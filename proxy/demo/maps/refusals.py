"""What Azure Maps refuses (geocode.md, section 4.1), so that a wrong call does not pass unnoticed."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

API_VERSIONS = {"2023-06-01", "2025-01-01", "2026-01-01"}
MAX_ITEMS = 100
_MAX_TOP = 20
_FIELDS = ("addressLine", "locality", "adminDistrict", "adminDistrict2", "adminDistrict3", "postalCode")
_TYPES = {
    "Address", "Neighborhood", "PopulatedPlace", "Postcode1", "AdminDivision1", "AdminDivision2", "CountryRegion",
}  # fmt: skip
_GOALS = {"fastestWithoutTraffic", "fastestWithTraffic", "shortest"}
_AVOIDED = {"limitedAccessHighways", "tollRoads"}


def refuse_access(headers: Mapping[str, str], key: str, client_id: str) -> str | None:
    """Why a call is not let in: it needs the key, or a token with the account's id, and not both."""
    has_key, has_token = "subscription-key" in headers, "Authorization" in headers
    if has_key == has_token:
        return "exactly one of a subscription key and a token is needed"
    if has_key:
        return None if headers["subscription-key"] == key else "the subscription key is wrong"
    is_bearer = headers["Authorization"].startswith("Bearer ")
    return None if is_bearer and headers.get("x-ms-client-id") == client_id else "x-ms-client-id or the token is wrong"


def refuse_batch(version: str, content_type: str, body: object) -> str | None:
    """Why a whole batch is refused."""
    items = body.get("batchItems") if isinstance(body, dict) else None
    if refusal := refuse_call(version, content_type):
        return refusal
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return "the body has no array batchItems of objects"
    if not 1 <= len(items) <= MAX_ITEMS:
        return f"a batch has 1 to {MAX_ITEMS} items, and this one {len(items)}"
    return None


def refuse_call(version: str, content_type: str) -> str | None:
    """Why any call is refused."""
    if version not in API_VERSIONS:
        return f"api-version {version[:20]!r} is not known"
    return None if content_type == "application/json" else "the body is no application/json"


def refuse_forward(item: Json) -> str | None:
    """Why one item of geocode:batch is refused."""
    query, country, top = item.get("query"), item.get("countryRegion", "US"), item.get("top", 1)
    if query and any(item.get(field) for field in (*_FIELDS, "countryRegion")):
        return "Conflicting Parameters: query and parts of an address"
    if not query and not any(item.get(field) for field in (*_FIELDS, "countryRegion")):
        return "neither query nor a part of an address is given"
    if not (isinstance(country, str) and len(country) == len("US") and country.isascii() and country.isalpha()):
        return "countryRegion is no ISO 3166 alpha-2 code"
    if type(top) is not int or not 1 <= top <= _MAX_TOP:
        return f"top is not from 1 to {_MAX_TOP}"
    return None


def refuse_reverse(item: Json) -> str | None:
    """Why one item of reverseGeocode:batch is refused."""
    if not _are_coordinates(item.get("coordinates")):
        return "coordinates are not [longitude, latitude]"
    if not set(item.get("resultTypes", ())) <= _TYPES:
        return "resultTypes has a type that is not known"
    return None


def refuse_route(body: object) -> str | None:  # noqa: PLR0911 - a return for each rule
    """Why a route is refused."""
    if not isinstance(body, dict) or body.get("type") != "FeatureCollection":
        return "the body is no FeatureCollection"
    features = body.get("features")
    if not isinstance(features, list) or len(features) != len(("start", "end")):
        return "features are not two"
    for index, feature in enumerate(features):
        properties, geometry = feature.get("properties", {}), feature.get("geometry", {})
        if properties != {"pointIndex": index, "pointType": "waypoint"} or geometry.get("type") != "Point":
            return f"feature {index} is no waypoint"
        if not _are_coordinates(geometry.get("coordinates")):
            return f"feature {index}: coordinates are not [longitude, latitude]"
    mode, goal, avoided = body.get("travelMode"), body.get("optimizeRoute"), body.get("avoid")
    if mode not in {"driving", "walking"} or goal not in _GOALS or not set(avoided or ()) <= _AVOIDED:
        return "travelMode, optimizeRoute or avoid has a value that is not known"
    if mode == "walking" and (avoided or goal == "fastestWithTraffic"):
        return "avoid and fastestWithTraffic are for driving only"
    return None


def _are_coordinates(value: object) -> bool:
    if not isinstance(value, list) or not all(type(each) in {int, float} for each in value):
        return False
    return len(value) == len(("longitude", "latitude")) and abs(value[0]) <= 180 and abs(value[1]) <= 90  # noqa: PLR2004  degrees
