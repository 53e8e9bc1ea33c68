"""Renders outputs of XML to the byte (geocode.md, 3.3): one entity a line, in the default namespace."""

from adapters.model.geocoding import Place
from proxy.formats.geocode.numbers import format_number
from proxy.formats.geocode.outcomes import Outcome
from proxy.formats.geocode.place_texts import VERSION_1, VERSION_2, Writers, all_points, find_point
from proxy.formats.geocode.requests import Row
from proxy.formats.geocode.xml_vocabulary import ENTITY, NAMESPACE, ROOT, write_attribute, write_text


def _pick(writers: Writers, names: str) -> Writers:
    return {name: writers[name] for name in names.split()}


_RESPONSE_1 = _pick(VERSION_1, "DisplayName EntityType Confidence")
_RESPONSE_2 = _pick(VERSION_2, "Name EntityType Confidence MatchCodes")
_ADDRESS_1 = _pick(VERSION_1, "AddressLine AdminDistrict CountryRegion District FormattedAddress Locality PostalCode")
_ADDRESS_2 = _pick(
    VERSION_2, "AddressLine AdminDistrict CountryRegion AdminDistrict2 FormattedAddress Locality PostalCode"
)


class XmlRenderer:
    """Writes the entities of a feed.

    Args:
        version: 1 or 2.
    """

    tail = f"</{ROOT}>\n"

    def __init__(self, version: int) -> None:
        attribute = ' Version="2.0"' if version > 1 else ""
        self.head = f'<?xml version="1.0" encoding="utf-8"?>\n<{ROOT}{attribute} xmlns="{NAMESPACE}" >\n'
        self.has_trace_ids = version > 1
        self._render = _render_version_2 if version > 1 else _render_version_1

    def render(self, row: Row, outcome: Outcome, trace_id: str) -> str:
        """An entity of one of the two outputs, with its line end."""
        id_, request = row.echo
        rest = self._render(row, outcome, trace_id)
        return f'<{ENTITY}{id_} xmlns="{NAMESPACE}">{request}{rest}</{ENTITY}>\n'


def _render_version_2(row: Row, outcome: Outcome, trace_id: str) -> str:
    places = "".join(
        [
            f"<GeocodeResponse{_attributes(_RESPONSE_2, place)}>{_address(_ADDRESS_2, row, place)}"
            f"{_points(place)}{_box(place)}{_point('Point', place.latitude, place.longitude)}</GeocodeResponse>"
            for place in outcome.places
        ]
    )
    reason = f"<FaultReason>{write_text(outcome.reason)}</FaultReason>" if outcome.reason else ""
    return f"{places}<StatusCode>{outcome.status}</StatusCode>{reason}<TraceId>{trace_id}</TraceId>"


def _render_version_1(row: Row, outcome: Outcome, _: str) -> str:
    if not outcome.places:
        reason = write_attribute("FaultReason", outcome.reason)
        return f'<GeocodeResponse StatusCode="{outcome.status}"{reason} />'
    places = "".join(
        [
            f'<GeocodeResponse{_attributes(_RESPONSE_1, place)} StatusCode="{outcome.status}">'
            f"{_address(_ADDRESS_1, row, place)}{_locations(place)}</GeocodeResponse>"
            for place in outcome.places
        ]
    )
    return f'{places}<DataQuality feedAlias="geofeed1" />'


def _attributes(writers: Writers, place: Place) -> str:
    return "".join([write_attribute(name, write(place)) for name, write in writers.items()])


def _address(writers: Writers, row: Row, place: Place) -> str:
    neighborhood = write_attribute("Neighborhood", place.neighborhood) if row.with_neighborhood else ""
    return f"<Address{_attributes(writers, place)}{neighborhood} />"


def _points(place: Place) -> str:
    return "".join(
        [
            f"<GeocodePoint{write_attribute('CalculationMethod', one.method)}"
            f'{_degrees(one.latitude, one.longitude)} Type="Point"'
            f"{write_attribute('UsageTypes', ', '.join(one.usages))} />"
            for one in all_points(place)
        ]
    )


def _box(place: Place) -> str:
    if place.box is None:
        return ""
    west, south, east, north = map(format_number, place.box)
    return (
        f'<BoundingBox SouthLatitude="{south}" WestLongitude="{west}" NorthLatitude="{north}" EastLongitude="{east}" />'
    )


def _locations(place: Place) -> str:
    rooftop, interpolated = find_point(place, interpolated=False), find_point(place, interpolated=True)
    return "".join(
        [
            _point(name, point.latitude, point.longitude)
            for name, point in (("RooftopLocation", rooftop), ("InterpolatedLocation", interpolated))
            if point is not None
        ]
    )


def _point(name: str, latitude: float, longitude: float) -> str:
    return f"<{name}{_degrees(latitude, longitude)} />"


def _degrees(latitude: float, longitude: float) -> str:
    return f' Latitude="{format_number(latitude)}" Longitude="{format_number(longitude)}"'
