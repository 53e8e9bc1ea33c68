"""Batches of Azure Maps' Search API as JSON (geocode.md, 4.1 to 4.4). Nothing of an answer is taken for granted.

Each member may be missing, null or of another type; it counts as absent then.
"""

import re
from collections.abc import Sequence
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

JsonObject = dict[str, Any]

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
_MAX_NUMBER = 1e15
_MAX_LATITUDE, _MAX_LONGITUDE = 90, 180
_SECRET = re.compile(r"[A-Za-z0-9_\-+/=.]{32,}+")
_EMPTY: JsonObject = {}
_NO_MESSAGE = "Azure Maps did not answer this request, and gave no reason."


class MalformedAnswerError(Exception):
    """The answer to a batch is none: no object with an answer for each item. The text says what it is instead.

    `is_page`: the answer says that there is more, so that a smaller call may get all.
    """

    def __init__(self, text: str, *, is_page: bool = False) -> None:
        super().__init__(text)
        self.is_page = is_page


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
    found = document.get("batchItems") if type(document) is dict else None
    if type(found) is not list:
        raise MalformedAnswerError(f"the answer has no array batchItems but {type(found).__name__}")
    if len(found) != count:
        is_page = len(found) < count and count > 1 and type(document) is dict and bool(document.get("nextLink"))
        raise MalformedAnswerError(f"the answer has {len(found)} batchItems, and the call had {count}", is_page=is_page)
    return [parse_item(item) for item in found]


def parse_item(item: object) -> Answer:
    """The answer of one item: a feature collection, or an error."""
    if type(item) is not dict:
        return ()
    if item.get("error") is not None:
        return _parse_error(_object(item, "error"))
    places = [_parse_feature(one) for one in _array(item, "features")[:_MOST_PLACES] if type(one) is dict]
    return tuple([place for place in places if place is not None])


def _forward(item: ForwardItem) -> dict[str, Any]:
    parts = {member: text for member, name in _FORWARD_MEMBERS.items() if (text := getattr(item, name))}
    return {**parts, "top": item.top}


def _reverse(item: ReverseItem) -> dict[str, Any]:
    types = {"resultTypes": list(item.types)} if item.types else {}
    return {"coordinates": [item.longitude, item.latitude], **types}


def _parse_error(error: JsonObject) -> ItemError:
    """The error's message, cut, without anything that may be a key."""
    code, message = str(error.get("code", "")), " ".join(_text(error, "message").split())
    shown = _SECRET.sub("...", message)[:_MAX_MESSAGE]
    return ItemError(shown or _NO_MESSAGE, code.startswith(("5", "Internal")))


def _parse_feature(feature: JsonObject) -> Place | None:
    """A place; None for a feature without a location."""
    location = _location(feature)
    if location is None:
        return None
    properties = _object(feature, "properties")
    address = _object(properties, "address")
    country = _object(address, "countryRegion")
    return Place(
        *location,
        _text(address, "formattedAddress"),
        _text(properties, "type"),
        _text(properties, "confidence"),
        _texts(properties, "matchCodes"),
        _text(address, "addressLine"),
        _text(address, "locality"),
        _text(address, "neighborhood"),
        _text(address, "postalCode"),
        _districts(address),
        _text(country, "name"),
        _text(country, "ISO") or _text(country, "iso"),
        _box(feature),
        _points(properties),
    )


def _object(value: object, name: str) -> JsonObject:
    """An object's member that is an object, or an empty one."""
    inner = value.get(name) if type(value) is dict else None
    return inner if type(inner) is dict else _EMPTY


def _array(owner: JsonObject, name: str) -> list[Any]:
    value = owner.get(name)
    return value if type(value) is list else []


def _text(owner: JsonObject, name: str) -> str:
    value = owner.get(name)
    return value if type(value) is str else ""


def _texts(owner: JsonObject, name: str) -> tuple[str, ...]:
    return tuple([text for text in _array(owner, name) if type(text) is str and text])


def _number(value: object) -> float | None:
    if type(value) is not float and type(value) is not int:  # a boolean is neither
        return None
    return float(value) if abs(value) < _MAX_NUMBER else None


def _location(owner: JsonObject) -> tuple[float, float] | None:
    """Latitude and longitude of an object's geometry, a GeoJSON point."""
    coordinates = _array(_object(owner, "geometry"), "coordinates")
    if len(coordinates) < 2:  # noqa: PLR2004  longitude and latitude
        return None
    longitude, latitude = _number(coordinates[0]), _number(coordinates[1])
    if longitude is None or latitude is None or abs(latitude) > _MAX_LATITUDE or abs(longitude) > _MAX_LONGITUDE:
        return None
    return latitude, longitude


def _districts(address: JsonObject) -> tuple[AdminDistrict, ...]:
    districts = [one if type(one) is dict else _EMPTY for one in _array(address, "adminDistricts")[:_MOST_DISTRICTS]]
    return tuple([AdminDistrict(_text(one, "name"), _text(one, "shortName")) for one in districts])


def _box(feature: JsonObject) -> BoundingBox | None:
    numbers = [_number(one) for one in _array(feature, "bbox")[:5]]
    known = [number for number in numbers if number is not None]
    return BoundingBox(*known) if len(known) == len(numbers) == len(BoundingBox._fields) else None


def _points(properties: JsonObject) -> tuple[PlacePoint, ...]:
    """The points that have a location."""
    points = []
    for one in _array(properties, "geocodePoints")[:_MOST_POINTS]:
        location = _location(one) if type(one) is dict else None
        if location is not None:
            points.append(PlacePoint(*location, _text(one, "calculationMethod"), _texts(one, "usageTypes")))
    return tuple(points)
