"""The parts of a place as outputs write them (geocode.md, 3.1 and 4.3)."""

from collections.abc import Callable

import orjson

from adapters.model.geocoding import Place, PlacePoint
from proxy.formats.geocode.numbers import format_number

Writers = dict[str, Callable[[Place], str]]
_OF_GEOMETRY = ("Rooftop", ("Display",))


def district(place: Place, level: int) -> str:
    """The short name of an administrative district, else its name; level 0 is the largest."""
    if level >= len(place.districts):
        return ""
    name, short_name = place.districts[level]
    return short_name or name


def match_codes(place: Place) -> str:
    """Joined in their order."""
    return ", ".join(place.match_codes)


def all_points(place: Place) -> tuple[PlacePoint, ...]:
    """At least one: clients rely on it. A place without any gets that of its geometry."""
    return place.points or (PlacePoint(place.latitude, place.longitude, *_OF_GEOMETRY),)


def find_point(place: Place, *, interpolated: bool) -> PlacePoint | None:
    """The first point that is interpolated, or the first one that is not."""
    return next((one for one in all_points(place) if one.method.startswith("Interpolat") is interpolated), None)


def points_json(place: Place) -> str:
    """The column GeocodePoints: numbers as strings, no blanks. It holds none of the separators but the comma."""
    points = [
        {
            "Longitude": format_number(one.longitude),
            "Latitude": format_number(one.latitude),
            "UsageTypes": ", ".join(one.usages),
            "Type": "Point",
            "CalculationMethod": one.method,
        }
        for one in all_points(place)
    ]
    return orjson.dumps(points).decode().replace("|", "\\u007c")


def _corner(side: str) -> Callable[[Place], str]:
    return lambda place: format_number(getattr(place.box, side)) if place.box else ""


def _point_number(axis: str, *, interpolated: bool) -> Callable[[Place], str]:
    def write(place: Place) -> str:
        point = find_point(place, interpolated=interpolated)
        return format_number(getattr(point, axis)) if point else ""

    return write


COMMON: Writers = {
    "AddressLine": lambda place: place.address_line,
    "AdminDistrict": lambda place: district(place, 0),
    "CountryRegion": lambda place: place.country,
    "FormattedAddress": lambda place: place.name,
    "Locality": lambda place: place.locality,
    "PostalCode": lambda place: place.postal_code,
    "Confidence": lambda place: place.confidence,
    "EntityType": lambda place: place.type,
}
"""The parts that both versions have."""

VERSION_2: Writers = COMMON | {
    "AdminDistrict2": lambda place: district(place, 1),
    "Neighborhood": lambda place: place.neighborhood,
    "Name": lambda place: place.name,
    "MatchCodes": match_codes,
    "Latitude": lambda place: format_number(place.latitude),
    "Longitude": lambda place: format_number(place.longitude),
    "SouthLatitude": _corner("south"),
    "WestLongitude": _corner("west"),
    "NorthLatitude": _corner("north"),
    "EastLongitude": _corner("east"),
    "GeocodePoints": points_json,
}
VERSION_1: Writers = COMMON | {
    "District": lambda place: district(place, 1),
    "DisplayName": lambda place: place.name,
    "Rooftop.Latitude": _point_number("latitude", interpolated=False),
    "Rooftop.Longitude": _point_number("longitude", interpolated=False),
    "Interpolated.Latitude": _point_number("latitude", interpolated=True),
    "Interpolated.Longitude": _point_number("longitude", interpolated=True),
}
