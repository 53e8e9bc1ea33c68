"""Batches of Azure Maps' Search API as JSON (geocode.md, 4.1 to 4.4). Nothing of an answer is taken for granted.

Each member may be missing, null or of another type; it counts as absent then.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from math import isfinite
from typing import Any

from adapters.model.geocoding import (
    AdminDistrict,
    Answer,
    BoundingBox,
    ForwardItem,
    Item,
    ItemError,
    Place,
    PlacePoint,
    ReverseItem,
)

MAX_ITEMS = 100
"""Of one call."""

_FORWARD_MEMBERS = {
    "query": "query",
    "addressLine": "address_line",
    "locality": "locality",
    "adminDistrict": "admin_district",
    "adminDistrict2": "admin_district2",
    "adminDistrict3": "admin_district3",
    "postalCode": "postal_code",
    "countryRegion": "country",
}
_MOST_DISTRICTS = 2
_MOST_POINTS = 20
_MOST_PLACES = 20
_MAX_MESSAGE = 300
_MAX_LATITUDE, _MAX_LONGITUDE = 90, 180
_SECRET = re.compile(r"[A-Za-z0-9_\-+/=.]{32,}+")
_NO_MESSAGE = "Azure Maps did not answer this request, and gave no reason."


class MalformedAnswerError(Exception):
    """The answer to a batch is none: no object with an answer for each item. The text says what it is instead."""


def batch_body(items: Sequence[Item]) -> dict[str, Any]:
    """The body of a call: forward items or reverse ones, not both."""
    return {"batchItems": [_forward(item) if isinstance(item, ForwardItem) else _reverse(item) for item in items]}


def parse_batch(document: object, count: int) -> list[Answer]:
    """The answers of a call, in the order of its items.

    Args:
        document: the parsed JSON of the whole answer.
        count: the number of items of the call.

    Raises:
        MalformedAnswerError: the document has another shape, or another number of answers.
    """
    found = _member(document, "batchItems")
    if not isinstance(found, list):
        raise MalformedAnswerError(f"the answer has no array batchItems but {type(found).__name__}")
    if len(found) != count:
        raise MalformedAnswerError(f"the answer has {len(found)} batchItems, not {count} as asked for")
    return [parse_item(item) for item in found]


def parse_item(item: object) -> Answer:
    """The answer of one item: a feature collection, or an error."""
    error = _member(item, "error")
    if error is not None:
        return _parse_error(error)
    features = _member(item, "features")
    if not isinstance(features, list):
        return ()
    places = (_parse_feature(feature) for feature in features[:_MOST_PLACES])
    return tuple([place for place in places if place is not None])


def _forward(item: ForwardItem) -> dict[str, Any]:
    parts = {member: text for member, name in _FORWARD_MEMBERS.items() if (text := getattr(item, name))}
    return {**parts, "top": item.top}


def _reverse(item: ReverseItem) -> dict[str, Any]:
    types = {"resultTypes": list(item.types)} if item.types else {}
    return {"coordinates": [item.longitude, item.latitude], **types}


def _parse_error(error: object) -> ItemError:
    """The error's message, cut, without anything that may be a key."""
    code, message = _text(_member(error, "code")), _text(_member(error, "message"))
    shown = _SECRET.sub("...", message).strip()[:_MAX_MESSAGE]
    return ItemError(shown or _NO_MESSAGE, code.startswith(("5", "Internal")))


def _parse_feature(feature: object) -> Place | None:
    """A place; None for a feature without a location."""
    location = _location(_member(feature, "geometry"))
    if location is None:
        return None
    properties = _member(feature, "properties")
    address = _member(properties, "address")
    country = _member(address, "countryRegion")
    return Place(
        *location,
        _text(_member(address, "formattedAddress")),
        _text(_member(properties, "type")),
        _text(_member(properties, "confidence")),
        _texts(_member(properties, "matchCodes")),
        _text(_member(address, "addressLine")),
        _text(_member(address, "locality")),
        _text(_member(address, "neighborhood")),
        _text(_member(address, "postalCode")),
        _districts(_member(address, "adminDistricts")),
        _text(_member(country, "name")),
        _text(_member(country, "ISO")) or _text(_member(country, "iso")),
        _box(_member(feature, "bbox")),
        _points(_member(properties, "geocodePoints")),
    )


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple([text for text in value if isinstance(text, str) and text]) if isinstance(value, list) else ()


def _number(value: object) -> float | None:
    if type(value) is float or type(value) is int:  # not bool
        return float(value) if isfinite(value) else None
    return None


def _location(geometry: object) -> tuple[float, float] | None:
    """Latitude and longitude of a GeoJSON point."""
    coordinates = _member(geometry, "coordinates")
    if not isinstance(coordinates, list) or len(coordinates) < 2:  # noqa: PLR2004  longitude and latitude
        return None
    longitude, latitude = _number(coordinates[0]), _number(coordinates[1])
    if longitude is None or latitude is None or abs(latitude) > _MAX_LATITUDE or abs(longitude) > _MAX_LONGITUDE:
        return None
    return latitude, longitude


def _districts(value: object) -> tuple[AdminDistrict, ...]:
    districts = islice(value, _MOST_DISTRICTS) if isinstance(value, list) else ()
    return tuple([AdminDistrict(_text(_member(one, "name")), _text(_member(one, "shortName"))) for one in districts])


def _box(value: object) -> BoundingBox | None:
    numbers = [_number(one) for one in value[:5]] if isinstance(value, list) else []
    known = [number for number in numbers if number is not None]
    return BoundingBox(*known) if len(known) == len(numbers) == len(BoundingBox._fields) else None


def _points(value: object) -> tuple[PlacePoint, ...]:
    """The points that have a location."""
    points = []
    for one in value[:_MOST_POINTS] if isinstance(value, list) else ():
        location = _location(_member(one, "geometry"))
        if location is not None:
            points.append(
                PlacePoint(*location, _text(_member(one, "calculationMethod")), _texts(_member(one, "usageTypes")))
            )
    return tuple(points)
