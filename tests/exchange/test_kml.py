"""KML: each placemark is an entity."""

import pytest
import shapely

from proxy.exchange.schema import EdmType, UnusableError
from tests.exchange.loading import export, load
from tests.exchange.test_unpack import zipped

WKT = "it has to be well-known text like POINT (-122.3 47.6) or POLYGON ((0 0, 1 0, 1 1, 0 0))"
POINT = "<Point><coordinates>1,2,0</coordinates></Point>"


def kml(*inside: str) -> bytes:
    lines = "\n".join(inside)
    return f'<?xml version="1.0"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>\n{lines}\n</Document></kml>'.encode()


def placemark(inside: str = "", geometry: str = POINT, id_: str = "") -> str:
    return f"<Placemark{id_}><name>n</name>{inside}{geometry}</Placemark>"


def extended(data: str) -> str:
    return f"<ExtendedData>{data}</ExtendedData>"


def ring(coordinates: str) -> str:
    return f"<LinearRing><coordinates>{coordinates}</coordinates></LinearRing>"


def wkt(entity: dict[str, object]) -> str:
    return str(shapely.to_wkt(shapely.from_wkb(entity["Geometry"]), rounding_precision=-1))


def test_a_placemark_is_an_entity_with_its_texts_and_data() -> None:
    data = kml(
        '<Schema><SimpleField name="pop" type="int"/><SimpleField name="ok" type="bool"/></Schema>',
        '<Style id="s"><LineStyle/></Style>',
        placemark(
            "<description><![CDATA[<b>d</b>]]></description>"
            + extended('<Data name="Built in 1900"><value>yes</value></Data>'),
            id_=' id="p1"',
        ),
        placemark(
            extended(
                '<SchemaData><SimpleData name="pop">7</SimpleData><SimpleData name="ok">1</SimpleData></SchemaData>'
            )
        ),
        placemark(
            extended('<Data name="EntityId"><value>mine</value></Data><Data name="1900"/><Data name="geometry"/>')
        ),
    )
    loaded = load(data, "kml")
    assert loaded.failures == []
    assert loaded.entity_type.name == "Placemark"
    assert {property_.name: property_.type for property_ in loaded.entity_type.properties} == {
        "EntityID": EdmType.STRING,
        "Name": EdmType.STRING,
        "Description": EdmType.STRING,
        "Built_in_1900": EdmType.STRING,
        "pop": EdmType.INT64,
        "ok": EdmType.BOOLEAN,
        "P1900": EdmType.STRING,
        "Geometry": EdmType.GEOGRAPHY,
        "Latitude": EdmType.DOUBLE,
        "Longitude": EdmType.DOUBLE,
    }
    first, second, third = loaded.entities
    assert (first["EntityID"], first["Description"], first["Built_in_1900"]) == ("p1", "<b>d</b>", "yes")
    assert (second["EntityID"], second["pop"], second["ok"], second["Latitude"]) == ("2", 7, True, 2)
    assert third["EntityID"] == "mine"
    assert load(export(loaded), "xml").table == loaded.table


@pytest.mark.parametrize(
    ("geometry", "text"),
    [
        (POINT, "POINT (1 2)"),
        ("<Point><coordinates> 1.25 , 2 ,3e1 </coordinates></Point>", "POINT Z (1.25 2 30)"),
        ("<LineString><coordinates>1,2 3,4\n5,6</coordinates></LineString>", "LINESTRING (1 2, 3 4, 5 6)"),
        (
            f"<Polygon><outerBoundaryIs>{ring('0,0 9,0 9,9 0,0')}</outerBoundaryIs>"  # noqa: ISC004  one geometry
            f"<innerBoundaryIs>{ring('5,1 6,1 6,2 5,1')}</innerBoundaryIs></Polygon>",
            "POLYGON ((0 0, 9 0, 9 9, 0 0), (5 1, 6 1, 6 2, 5 1))",
        ),
        (f"<MultiGeometry>{POINT}{POINT}</MultiGeometry>", "GEOMETRYCOLLECTION (POINT (1 2), POINT (1 2))"),
    ],
)
def test_each_kind_of_geometry_is_a_geography(geometry: str, text: str) -> None:
    assert wkt(load(kml(placemark(geometry=geometry)), "kml").entities[0]) == text


@pytest.mark.parametrize(
    ("geometry", "reason"),
    [
        ("<Point><coordinates>1 2), POINT (3 4</coordinates></Point>", "Geometry has coordinates that are none: 1"),
        ("<Point><coordinates/></Point>", f"Geometry is 'POINT ()': {WKT}"),
        ("<MultiGeometry/>", "Geometry is empty or has an empty part"),
        ("", "Latitude is missing"),
    ],
)
def test_a_placemark_without_a_place_fails_with_its_line(geometry: str, reason: str) -> None:
    loaded = load(kml(placemark(), placemark(geometry=geometry)), "kml")
    assert len(loaded.entities) == 1
    assert [(failure.place, failure.entity_id, failure.reason) for failure in loaded.failures] == [
        ("placemark 2 (line 4)", "2", reason)
    ]


def test_many_placemarks_come_in_batches() -> None:
    assert [batch.entities.num_rows for batch in load(kml(*[placemark()] * 5_001), "kml").batches] == [5_000, 1]


def test_a_kmz_loads_whatever_pictures_are_in_it() -> None:
    assert len(load(zipped(("doc.kml", kml(placemark())), ("files/a.png", b"x")), "kml").entities) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<svg/>", "the root element is svg, not kml"),
        (b"<!DOCTYPE kml>" + kml(placemark()), "DOCTYPE"),
        (kml(placemark())[:-10], "no well-formed XML"),
        (kml(placemark("<a/>" * 200_001)), "a placemark of more than 200,000 elements"),
        (kml(placemark(f"<description>{'a' * 9_000_000}</description>")), "larger than 8,388,608 bytes"),
    ],
)
def test_what_is_no_kml_aborts_the_load(data: bytes, message: str) -> None:
    with pytest.raises(UnusableError, match=message):
        load(data, "kml")
