"""Outputs of XML: what shipped clients break without (geocode.md, 3.3 and 5.1)."""

from typing import Any

import pytest
from lxml import etree

from tests.unit.formats.geocode.jobs import place, run

NAMESPACE = "http://schemas.microsoft.com/search/local/2010/5/geocode"
ENTITY = '<GeocodeEntity Id="1"><GeocodeRequest Query="q"{} /></GeocodeEntity>'
POINTS = [
    {"geometry": {"coordinates": [2, 1]}, "calculationMethod": "Interpolation", "usageTypes": ["Route"]},
    {"geometry": {"coordinates": [4, 3]}, "calculationMethod": "Rooftop", "usageTypes": ["Display", "Route"]},
]


def answered(version: int, request: str = "", **properties: Any) -> str:
    """The succeeded entity behind its request."""
    attribute = ' Version="2.0"' if version == 2 else ""
    done = run(
        f"<GeocodeFeed{attribute}>{ENTITY.format(request)}</GeocodeFeed>".encode(), "xml", lambda _: place(**properties)
    )
    entity = done.succeeded.splitlines()[2]
    return entity.partition("</GeocodeRequest>" if "</GeocodeRequest>" in entity else "/>")[2]


@pytest.mark.parametrize("version", [1, 2])
def test_an_address_is_the_first_child_of_a_response_and_a_point_the_next(version: int) -> None:
    entity = etree.fromstring(f"<e>{answered(version)}".replace("</GeocodeEntity>", "</e>"))
    names = [child.tag for child in entity[0]]
    assert names[:2] == (["Address", "GeocodePoint"] if version == 2 else ["Address", "RooftopLocation"])


def test_a_response_has_its_points_in_their_order_then_the_point_of_the_place() -> None:
    assert answered(2, geocodePoints=POINTS).endswith(
        '<GeocodePoint CalculationMethod="Interpolation" Latitude="1" Longitude="2" Type="Point" UsageTypes="Route" />'
        '<GeocodePoint CalculationMethod="Rooftop" Latitude="3" Longitude="4" Type="Point" '
        'UsageTypes="Display, Route" />'
        '<Point Latitude="39.5" Longitude="-104.5" /></GeocodeResponse>'
        "<StatusCode>Success</StatusCode><TraceId>{trace}</TraceId></GeocodeEntity>"
    )


def test_version_1_has_the_first_location_of_each_kind() -> None:
    assert answered(1, geocodePoints=POINTS).endswith(
        '<RooftopLocation Latitude="3" Longitude="4" /><InterpolatedLocation Latitude="1" Longitude="2" />'
        '</GeocodeResponse><DataQuality feedAlias="geofeed1" /></GeocodeEntity>'
    )


@pytest.mark.parametrize(
    ("asked", "is_shown"), [("", False), ("true", True), ("1", True), ("false", False), ("TRUE", True), ("x", False)]
)
@pytest.mark.parametrize("version", [1, 2])
def test_a_neighborhood_is_shown_only_when_asked_for(version: int, asked: str, *, is_shown: bool) -> None:
    written = answered(version, f' IncludeNeighborhood="{asked}"', address={"neighborhood": "Kamppi"})
    assert ('<Address Neighborhood="Kamppi" />' in written) == is_shown


@pytest.mark.parametrize("version", [1, 2])
def test_a_value_that_the_answer_lacks_makes_no_attribute(version: int) -> None:
    written = answered(version, type=None, confidence=None, matchCodes=None, address=None)
    status = "" if version == 2 else ' StatusCode="Success"'
    assert written.startswith(f"<GeocodeResponse{status}><Address />")
    assert '=""' not in written


@pytest.mark.parametrize("version", [1, 2])
def test_values_are_escaped_and_what_xml_cannot_carry_is_replaced(version: int) -> None:
    written = answered(version, address={"locality": "a&<>\"'\t\n\r\0\x0b\ufffe\U0001f600"})
    assert 'Locality="a&amp;&lt;&gt;&quot;\'&#9;&#10;&#13;\ufffd\ufffd\ufffd\U0001f600"' in written


@pytest.mark.parametrize("version", [1, 2])
def test_a_failed_entity_has_its_request_and_no_place(version: int) -> None:
    attribute = ' Version="2.0"' if version == 2 else ""
    done = run(
        f"<GeocodeFeed{attribute}>{ENTITY.format('')}</GeocodeFeed>".encode(),
        "xml",
        lambda _: {"error": {"code": "400", "message": 'No "<&>".'}},
    )
    request = f'<GeocodeEntity Id="1" xmlns="{NAMESPACE}"><GeocodeRequest Query="q" />'
    rest = {
        1: '<GeocodeResponse StatusCode="BadRequest" FaultReason="No &quot;&lt;&amp;&gt;&quot;." />',
        2: (
            '<StatusCode>BadRequest</StatusCode><FaultReason>No "&lt;&amp;&gt;".</FaultReason>'
            "<TraceId>{trace}</TraceId>"
        ),
    }
    assert done.failed.splitlines()[2] == f"{request}{rest[version]}</GeocodeEntity>"
    assert done.succeeded == ""
