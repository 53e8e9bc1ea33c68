"""Parses `spatialFilter` (query-api.md, 1.3)."""

from collections.abc import Mapping

from proxy.query.areas import (
    Address,
    Area,
    BoundingBox,
    Intersects,
    NearAddress,
    Nearby,
    NearRoute,
    Point,
)
from proxy.query.arguments import Argument, parse_call, parse_number, read_shape_argument, split_arguments
from proxy.query.errors import QueryError, quote_value
from proxy.query.route_options import parse_route_options
from proxy.query.well_known_text import parse_shape

MAX_KILOMETRES = 1000
_MAX_LATITUDE, _MAX_LONGITUDE = 90, 180

_PARAMETER = "spatialFilter"
_FORMS = {
    "nearby": "nearby(latitude,longitude,km) or nearby('address',km)",
    "bbox": "bbox(south,west,north,east)",
    "intersects": "intersects('well-known text')",
    "nearroute": "nearRoute('start','end')",
}
_LATITUDE_FORM = "a latitude is a number from -90 to 90"
_LONGITUDE_FORM = "a longitude is a number from -180 to 180"

Parameters = Mapping[str, str]
"""The parameters of a request that are not empty, by their names in lower case."""


def parse_area(parameters: Parameters) -> Area | None:
    """The area of a request; None where it names none.

    Raises:
        QueryError: it is malformed, or has a number that is not allowed.
    """
    text = parameters.get("spatialfilter", "")
    if not text:
        return None
    call = parse_call(text)
    if call is None or call[0] not in _FORMS:
        allowed = ", ".join(_FORMS.values())
        raise QueryError(f"The parameter {_PARAMETER} has {quote_value(text)}. Allowed are {allowed}.")
    name, start = call
    if name == "intersects":
        return _parse_intersects(text, start)
    arguments = split_arguments(text, start, _PARAMETER)
    if name == "nearroute":
        return _parse_near_route(arguments, text, parameters)
    return _parse_nearby(arguments, text) if name == "nearby" else _parse_bounding_box(arguments, text)


def _parse_nearby(arguments: list[Argument], text: str) -> Nearby | NearAddress:
    match [each.is_quoted for each in arguments]:
        case [False, False, False]:
            place: Point | Address = _parse_point(arguments[0].text, arguments[1].text, text)
        case [True, False]:
            place = _parse_place(arguments[0].text, text)
        case _:
            raise _malformed("nearby", text)
    form = f"a distance is a number of kilometres above 0 and up to {MAX_KILOMETRES}"
    kilometres = _parse_within(arguments[-1].text, 0, MAX_KILOMETRES, form, text)
    if not kilometres:
        raise _malformed("nearby", text, form)
    return NearAddress(place, kilometres) if isinstance(place, Address) else Nearby(place, kilometres)


def _parse_bounding_box(arguments: list[Argument], text: str) -> BoundingBox:
    match [each.text for each in arguments if not each.is_quoted]:
        case [south, west, north, east] if len(arguments) == 4:  # noqa: PLR2004  none of them quoted
            low, high = _parse_point(south, west, text), _parse_point(north, east, text)
        case _:
            raise _malformed("bbox", text)
    if low.latitude > high.latitude:
        raise _malformed("bbox", text, "south is at most north")
    return BoundingBox(low.latitude, low.longitude, high.latitude, high.longitude)


def _parse_intersects(text: str, start: int) -> Intersects:
    shape, end = read_shape_argument(text, start, _PARAMETER)
    if text[end:].strip():
        raise _malformed("intersects", text)
    return Intersects(parse_shape(shape, _PARAMETER))


def _parse_near_route(arguments: list[Argument], text: str, parameters: Parameters) -> NearRoute:
    match arguments:
        case [Argument(start, True), Argument(end, True)]:
            return NearRoute(_parse_place(start, text), _parse_place(end, text), parse_route_options(parameters))
        case _:
            raise _malformed("nearroute", text)


def _parse_place(place: str, text: str) -> Point | Address:
    """A quoted place: `lat,lon`, else an address."""
    numbers = [parse_number(part.strip()) for part in place.split(",")]
    if not place:
        raise QueryError(f"The parameter {_PARAMETER} has {quote_value(text)}: an address is not empty.")
    if len(numbers) != 2 or None in numbers:  # noqa: PLR2004  a latitude and a longitude
        return Address(place)
    latitude, longitude = place.split(",")
    return _parse_point(latitude.strip(), longitude.strip(), text)


def _parse_point(latitude: str, longitude: str, text: str) -> Point:
    return Point(
        _parse_within(latitude, -_MAX_LATITUDE, _MAX_LATITUDE, _LATITUDE_FORM, text),
        _parse_within(longitude, -_MAX_LONGITUDE, _MAX_LONGITUDE, _LONGITUDE_FORM, text),
    )


def _parse_within(number: str, low: float, high: float, form: str, text: str) -> float:
    found = parse_number(number)
    if found is None or not low <= found <= high:
        raise QueryError(f"The parameter {_PARAMETER} has {quote_value(number)} in {quote_value(text)}: {form}.")
    return found


def _malformed(name: str, text: str, form: str = "") -> QueryError:
    reason = form or f"the form is {_FORMS[name]}"
    return QueryError(f"The parameter {_PARAMETER} has {quote_value(text)}: {reason}.")
