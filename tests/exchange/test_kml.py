"""KML: each placemark is an entity."""

import pytest
import shapely

from proxy.exchange.schema import EdmType, UnusableError
from tests.exchange.loading import export, load
from tests.exchange.test_unpack import zipped

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


SQUARE = f"<Polygon><outerBoundaryIs>{ring('0,0 9,0 9,9 0,0')}</outerBoundaryIs></Polygon>"
LINE = "<LineString><coordinates>1,1 2,2</coordinates></LineString>"


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
        "geometry_2": EdmType.STRING,
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
        ("<LineString><coordinates>1,2 3,4,5</coordinates></LineString>", "LINESTRING Z (1 2 0, 3 4 5)"),
        (ring("1,1 2,1 2,2"), "LINESTRING (1 1, 2 1, 2 2, 1 1)"),
        (
            f"<Polygon><outerBoundaryIs>{ring('1,1 2,1 2,2')}</outerBoundaryIs></Polygon>",
            "POLYGON ((1 1, 2 1, 2 2, 1 1))",
        ),
        (f"<MultiGeometry>{POINT}{POINT}</MultiGeometry>", "MULTIPOINT ((1 2), (1 2))"),
        (f"{POINT}<Point><coordinates>3,4,5</coordinates></Point>", "MULTIPOINT Z ((1 2 0), (3 4 5))"),
        (f"<MultiGeometry><MultiGeometry>{POINT}</MultiGeometry></MultiGeometry>", "POINT (1 2)"),
        (
            "<MultiGeometry><LineString><coordinates>1,1 2,2</coordinates></LineString>"
            f"{ring('5,5 6,5 6,6 5,5')}</MultiGeometry>",
            "MULTILINESTRING ((1 1, 2 2), (5 5, 6 5, 6 6, 5 5))",
        ),
        (
            f"<MultiGeometry>{SQUARE}<Polygon><outerBoundaryIs>{ring('5,0 6,0 6,1')}</outerBoundaryIs></Polygon>"
            "</MultiGeometry>",
            "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0)), ((5 0, 6 0, 6 1, 5 0)))",
        ),
    ],
)
def test_each_kind_of_geometry_is_a_geography(geometry: str, text: str) -> None:
    assert wkt(load(kml(placemark(geometry=geometry)), "kml").entities[0]) == text


@pytest.mark.parametrize(
    ("geometry", "reason"),
    [
        (
            "<Point><coordinates>1 2), POINT (3 4</coordinates></Point>",
            "Geometry has coordinates that are not longitude,latitude[,height]: 1",
        ),
        *(
            (f"<Point><coordinates>{value}</coordinates></Point>", f"longitude,latitude[,height]: {value}")
            for value in ("1,2,3,4", "1", "1,", "1;2", "N1,2", "1e,2", "nan,1", "1_0,2", "0x1,2", "1,2,")
        ),
        ("<Point><coordinates>1,2 3,4</coordinates></Point>", "Geometry is a Point with 2 coordinates instead of one"),
        ("<Point><coordinates/></Point>", "Geometry is a Point without coordinates"),
        ("<Point/>", "Geometry is a Point without coordinates"),
        ("<MultiGeometry/>", "Geometry is a MultiGeometry that holds no geometry"),
        (f"<MultiGeometry>{POINT}{LINE}</MultiGeometry>", "a MultiGeometry of several kinds: LineString, Point"),
        (f"{POINT}{LINE}", "a MultiGeometry of several kinds: LineString, Point"),
        (f"<MultiGeometry>{POINT}<Model/></MultiGeometry>", "Geometry is a Model, which can't be loaded"),
        ("<Model><Location/></Model>", "Geometry is a Model, which can't be loaded"),
        ("<Track><when>2010</when><coord>1 2 3</coord></Track>", "Geometry is a Track, which can't be loaded"),
        ("<MultiTrack><Track/></MultiTrack>", "Geometry is a MultiTrack, which can't be loaded"),
        (f"<MultiPolygon>{SQUARE}</MultiPolygon>", "Geometry is a MultiPolygon, which can't be loaded"),
        ("<LineString><coordinates>1,1 1,1</coordinates></LineString>", "a line of fewer than 2 different points"),
        (ring("1,1 2,2 1,1"), "a ring of fewer than 3 different points"),
        (SQUARE.replace("9,9", "9,0"), "a ring of fewer than 3 different points"),
        ("<Polygon/>", "Geometry is a Polygon with no outer rings"),
        ("<LineString><coordinates>1e999,1 1,1</coordinates></LineString>", "a coordinate that is no number"),
        (f"<LineString><coordinates>{'1,1 ' * 100_001}</coordinates></LineString>", "has more than 100,000 points"),
        (f"<LineString><coordinates>{',' * 1_000_000}</coordinates></LineString>", "has more than 100,000 points"),
        ("", "Latitude is missing"),
    ],
)
def test_a_placemark_without_a_place_fails_with_its_line(geometry: str, reason: str) -> None:
    loaded = load(kml(placemark(), placemark(geometry=geometry)), "kml")
    assert len(loaded.entities) == 1
    [failure] = loaded.failures
    assert (failure.place, failure.entity_id) == ("placemark 2 (line 4)", "2")
    assert reason in failure.reason


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
