"""KML: each placemark is an entity."""

import io

import pytest
import shapely

from proxy.formats.exporter import write_failures
from proxy.formats.schema import EdmType, InvalidDataError
from tests.unit.formats.loading import Loaded, export, load, zipped

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


SQUARE = f"<Polygon><outerBoundaryIs>{ring('0,0 9,0 9,9 0,0')}</outerBoundaryIs></Polygon>"
LINE = "<LineString><coordinates>1,1 2,2</coordinates></LineString>"


def wkt(entity: dict[str, object]) -> str:
    return str(shapely.to_wkt(shapely.from_wkb(entity["Geometry"]), rounding_precision=-1))


def test_placemark_becomes_an_entity_with_its_data() -> None:
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
        (ring("1,1 2,1 2,2"), "LINESTRING (1 1, 2 1, 2 2, 1 1)"),
        (
            f"<Polygon><outerBoundaryIs>{ring('1,1 2,1 2,2')}</outerBoundaryIs></Polygon>",
            "POLYGON ((1 1, 2 1, 2 2, 1 1))",
        ),
        (f"<MultiGeometry>{POINT}{POINT}</MultiGeometry>", "MULTIPOINT ((1 2), (1 2))"),
        (f"{POINT}<Point><coordinates>3,4,5</coordinates></Point>", "MULTIPOINT Z ((1 2 0), (3 4 5))"),
        (
            f"<MultiGeometry>{LINE}{ring('5,5 6,5 6,6 5,5')}</MultiGeometry>",
            "MULTILINESTRING ((1 1, 2 2), (5 5, 6 5, 6 6, 5 5))",
        ),
        (
            f"<MultiGeometry>{SQUARE}{SQUARE.replace('0,0 9,0 9,9 0,0', '5,0 6,0 6,1')}</MultiGeometry>",
            "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0)), ((5 0, 6 0, 6 1, 5 0)))",
        ),
    ],
)
def test_geometry_of_each_kind_becomes_a_geography(geometry: str, text: str) -> None:
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
        ("<MultiGeometry/>", "Geometry is a MultiGeometry that holds no geometry"),
        (f"<MultiGeometry>{POINT}{LINE}</MultiGeometry>", "a MultiGeometry of several kinds: LineString, Point"),
        (f"{POINT}{LINE}", "a MultiGeometry of several kinds: LineString, Point"),
        (f"<MultiGeometry>{POINT}<Model/></MultiGeometry>", "Geometry is a Model, which can't be loaded"),
        ("<Model><Location/></Model>", "Geometry is a Model, which can't be loaded"),
        ("<Track><when>2010</when><coord>1 2 3</coord></Track>", "Geometry is a Track, which can't be loaded"),
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
def test_placemark_without_geometry_fails_with_its_line(geometry: str, reason: str) -> None:
    loaded = load(kml(placemark(), placemark(geometry=geometry)), "kml")
    assert len(loaded.entities) == 1
    [failure] = loaded.failures
    assert (failure.location, failure.entity_id) == ("placemark 2 (line 4)", "2")
    assert reason in failure.reason


def data(name: str, value: str) -> str:
    return f'<Data name="{name}"><value>{value}</value></Data>'


def notes(loaded: Loaded) -> list[str]:
    return [note.reason for batch in loaded.batches for note in batch.notes]


@pytest.mark.parametrize(
    ("names", "properties"),
    [
        (("Höhe", "Hähe"), ("H_he", "H_he_2")),
        (("a b", "a_b"), ("a_b_2", "a_b")),
        (("name", "Description"), ("name_2", "Description_2")),
        (("Latitude", "LONGITUDE"), ("Latitude_2", "LONGITUDE_2")),
        (("Latitude", "Latitude_2"), ("Latitude_3", "Latitude_2")),
        (("1", "__deleteEntity", "", " "), ("P1", "P__deleteEntity", "P", "P_2")),
        (("x" * 60, "x" * 61, "x" * 50), ("x" * 48 + "_2", "x" * 48 + "_3", "x" * 50)),
        (("n" * 2_000, "n" * 1_001), ("n" * 50, "n" * 48 + "_2")),
        (("same", "same"), ("same", "same_2")),
    ],
)
def test_data_names_become_distinct_properties(names: tuple[str, ...], properties: tuple[str, ...]) -> None:
    written = "".join(data(name, f"v{number}") for number, name in enumerate(names))
    [entity] = load(kml(placemark(extended(written))), "kml").entities
    assert [entity[name] for name in properties] == [f"v{number}" for number in range(len(names))]
    assert (entity["Name"], entity["Latitude"]) == ("n", 2)


def test_data_of_another_namespace_become_properties() -> None:
    own = '<x:camp xmlns:x="urn:x">14</x:camp><x:note xmlns:x="urn:x">a <b>b</b></x:note>'
    [entity] = load(kml(placemark(extended(own + data("camp", "v")))), "kml").entities
    assert (entity["camp"], entity["camp_2"], entity["note"]) == ("v", "14", "a b")


def test_coordinates_in_data_locate_a_placemark_without_geometry() -> None:
    place = extended(data("latitude", "47.6") + data("Longitude", "-122.3"))
    [alone] = load(kml(placemark(place, geometry="")), "kml").entities
    assert {name: alone[name] for name in alone if name.endswith("tude")} == {"Latitude": 47.6, "Longitude": -122.3}
    both = load(kml(placemark(place), placemark(place, geometry=""), placemark(geometry="")), "kml")
    assert [(one["Latitude"], one["latitude_2"]) for one in both.entities] == [(2, "47.6"), (47.6, "47.6")]
    assert both.reasons == ["Latitude is missing"]


@pytest.mark.parametrize(
    ("ids", "given"),
    [
        ((' id="pin"', ' id="pin"', ' id="pin"'), ["pin", "pin_2", "pin_3"]),
        ((' id="pin"', ' id="pin"', ' id="pin_2"'), ["pin", "pin_3", "pin_2"]),
        ((' id="2"', "", ' ID="x"'), ["2", "2_2", "x"]),
        (("", ' id="1"'), ["1_2", "1"]),
        ((' id=""', ' id="  "'), ["1", "2"]),
        ((f' id="{"x" * 51}"', f' id="{"x" * 52}"', f' id="{"x" * 50}"'), ["x" * 48 + "_2", "x" * 48 + "_3", "x" * 50]),
    ],
)
def test_placemarks_with_bad_ids_get_unique_ones(ids: tuple[str, ...], given: list[str]) -> None:
    marks = kml(*(placemark(id_=one) for one in ids))
    assert [entity["EntityID"] for entity in load(marks, "kml").entities] == given
    assert notes(load(marks, "kml")) == []
    updating = load(marks, "kml", incremental=True)
    assert [entity["EntityID"] for entity in updating.entities] == given
    assert notes(updating)
    assert all("depends on the order in the file" in note for note in notes(updating))


def test_long_text_is_cut_and_logged_in_file_order() -> None:
    long = "ä" * 2_561
    marks = [
        placemark(f"<description>{long}</description>{extended(data('Story', long) + data('Short', 'ä' * 2_560))}"),
        placemark(geometry="<Point/>"),
        placemark(f"<description>one <b>two</b> three</description>{extended(data('Story', long))}"),
    ]
    loaded = load(kml(*marks), "kml")
    first, third = loaded.entities
    assert (first["Description"], first["Story"], first["Short"]) == (long[:2_560], long[:2_560], "ä" * 2_560)
    assert third["Description"] == "one two three"
    out = io.BytesIO()
    write_failures(loaded.batches[0].log, out)
    assert out.getvalue().decode().splitlines() == [
        "placemark 1 (line 3), id 1: Description has 2,561 characters and is cut to 2,560",
        "placemark 1 (line 3), id 1: Story has 2,561 characters and is cut to 2,560",
        "placemark 2 (line 4), id 2: Geometry is a Point without coordinates",
        "placemark 3 (line 5), id 3: Story has 2,561 characters and is cut to 2,560",
    ]


def test_too_many_data_names_abort_the_load_early() -> None:
    many = "".join(data(f"n{number}", "") for number in range(351))
    with pytest.raises(InvalidDataError, match="line 3: up to here, the data has more than 350 names"):
        load(kml(placemark(extended(many)), "<a/>", "<!-- -->" * 200_000, "</wrong, but not read any more>"), "kml")


@pytest.mark.parametrize(
    ("files", "document"),
    [
        (("other.kml", "doc.kml"), "doc.kml"),
        (("files/other.kml", "DOC.KML"), "DOC.KML"),
        (("files/doc.kml", "b.kml", "a.kml"), "b.kml"),
        (("folder/places.kml", "folder/icon.png"), "folder/places.kml"),
        (("map/layers/a.kml", "map/doc.kml"), "map/doc.kml"),
        (("./a.kml", "./doc.kml"), "./doc.kml"),
        (("places.xml",), "places.xml"),
    ],
)
def test_kmz_document_is_doc_kml_or_first_at_root(files: tuple[str, ...], document: str) -> None:
    kmz = zipped(*((name, kml(placemark(f"<description>{name}</description>"))) for name in files))
    assert [entity["Description"] for entity in load(kmz, "kml").entities] == [document]


@pytest.mark.parametrize("files", [("a/x.kml", "b/y.kml"), ("a/doc.kml", "b/doc.kml"), ("a.png", "b.png"), ()])
def test_kmz_without_one_document_is_refused(files: tuple[str, ...]) -> None:
    with pytest.raises(InvalidDataError, match=r"has to hold one .kml file, or one at its root, and holds (2|none)"):
        load(zipped(*((name, kml(placemark())) for name in files)), "kml")


def test_large_placemarks_come_in_smaller_batches() -> None:
    line = f"<LineString><coordinates>{'1,2 3,4 ' * 50_000}</coordinates></LineString>"
    loaded = load(kml(*[placemark(geometry=line)] * 7), "kml")
    assert [batch.entities.num_rows for batch in loaded.batches] == [6, 1]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<svg/>", "the root element is svg, not kml"),
        (b'{"type": "FeatureCollection"}', "it begins with"),
        (
            kml(placemark("<description>caf\u00e9</description>")).decode().encode("latin-1"),
            "line 3: the byte 0xE9 is not",
        ),
        (kml(placemark())[:-10], "no well-formed XML"),
        (kml(placemark("<a/>" * 200_001)), "a placemark of more than 200,000 elements"),
        (kml(placemark(f"<description>{'a' * 9_000_000}</description>")), "larger than 8,388,608 bytes"),
    ],
)
def test_invalid_kml_aborts_the_load(data: bytes, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        load(data, "kml")
