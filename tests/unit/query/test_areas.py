"""Which texts are a `spatialFilter`, and which area they are (query-api.md, section 1.3)."""

import pytest

from proxy.query.areas import (
    Address,
    Area,
    Avoid,
    BoundingBox,
    Intersects,
    NearAddress,
    Nearby,
    NearRoute,
    Optimize,
    Point,
    RouteOptions,
    TravelMode,
    require_resolved,
)
from proxy.query.errors import QueryError
from tests.unit.query.samples import requested

HERE = Point(40.8, -74.3)


def area(text: str, **parameters: str) -> Area | None:
    return requested(spatialFilter=text, **parameters).area


@pytest.mark.parametrize(
    "text",
    [
        "nearby(40.8,-74.3,5)",
        "NearBy(40.8,-74.3,5)",
        " nearby ( 40.8 , -74.3 , 5 ) ",
        "nearby(40.8,-74.3,5",
        "nearby(+4.08e1,-743E-1,5.0)",
        "nearby('40.8,-74.3',5)",
        "nearby(' 40.8 , -74.3 ',5)",
    ],
)
def test_nearby_with_coordinates_also_quoted(text: str) -> None:
    assert area(text) == Nearby(HERE, 5)


@pytest.mark.parametrize("kilometres", ["1e-7", "0.16", "1000", "195.75381599999997"])
def test_every_distance_up_to_1000_km(kilometres: str) -> None:
    assert area(f"nearby(90,-180,{kilometres})") == Nearby(Point(90, -180), float(kilometres))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("nearby('1 Main St, Seattle',5)", "1 Main St, Seattle"),
        ("nearby('O''Neil Pl (north)',5)", "O'Neil Pl (north)"),
        ("nearby('98052',5)", "98052"),
        ("nearby('1,2,3',5)", "1,2,3"),
    ],
)
def test_nearby_with_an_address_needs_a_geocoder(text: str, address: str) -> None:
    found = area(text)
    assert found == NearAddress(Address(address), 5)
    with pytest.raises(QueryError, match="no map service"):
        require_resolved(found)


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("bbox(40,-75,41,-74)", BoundingBox(40, -75, 41, -74)),
        ("BBOX( -90 , 179 , 90 , -179 )", BoundingBox(-90, 179, 90, -179)),
        ("bbox(1,2,1,2", BoundingBox(1, 2, 1, 2)),
    ],
)
def test_bounding_boxes(text: str, box: BoundingBox) -> None:
    assert area(text) == box


@pytest.mark.parametrize(
    ("box", "center"),
    [
        (BoundingBox(40, -75, 41, -74), Point(40.5, -74.5)),
        (BoundingBox(0, 179, 0, -179), Point(0, -180)),
        (BoundingBox(0, 170, 0, -179), Point(0, 175.5)),
        (BoundingBox(0, 179, 0, -170), Point(0, -175.5)),
    ],
)
def test_the_middle_of_a_box_also_across_the_antimeridian(box: BoundingBox, center: Point) -> None:
    assert box.center == center


@pytest.mark.parametrize(
    "text",
    [
        "intersects('POINT(1 2)')",
        "Intersects( 'POINT(1 2)' )",
        "intersects('POINT(1 2)'",
        "intersects(POINT(1 2))",
        "intersects('point (1 2)')",
        "intersects('POINT Z (1 2 3)')",
        "intersects('POINT(1 2 3)')",
        "intersects('POINT(1 2 3 4)')",
        "intersects('POINT M (1 2 3)')",
        "intersects('POINT(1 2 NULL)')",
        "intersects('POINT(1 2 null 4)')",
    ],
)
def test_intersects_takes_well_known_text_and_drops_heights(text: str) -> None:
    found = area(text)
    assert isinstance(found, Intersects)
    assert found.shape.wkt == "POINT (1 2)"


def test_longitudes_beyond_180_are_taken_as_they_are() -> None:
    found = area("intersects('LINESTRING(-200 0,700.5 90)')")
    assert isinstance(found, Intersects)
    assert found.shape.bounds == (-200, 0, 700.5, 90)


@pytest.mark.parametrize(
    ("text", "surface"),
    [
        ("POLYGON((0 0,2 2,2 0,0 2,0 0))", 2.0),  # a bow tie: both halves
        ("POLYGON((0 0,0 1,1 1,1 0,0 0))", 1.0),
        ("POLYGON((0 0,1 0,1 1,0 1,0 0))", 1.0),
        ("GEOMETRYCOLLECTION(POLYGON((0 0,2 2,2 0,0 2,0 0)),POINT(9 9))", 2.0),
        ("LINESTRING(1 1,1 1)", 0.0),
    ],
)
def test_shapes_that_cross_themselves_are_made_valid_and_ring_order_means_nothing(text: str, surface: float) -> None:
    found = area(f"intersects('{text}')")
    assert isinstance(found, Intersects)
    assert found.shape.is_valid
    assert found.shape.area == surface


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("within(1,2,3)", "'within(1,2,3)'"),
        ("nearby", "'nearby'"),
        ("(1,2,3)", "'(1,2,3)'"),
        ("nearby(40.8,-74.3)", "nearby(latitude,longitude,km)"),
        ("nearby(40.8,-74.3,5,6)", "nearby(latitude,longitude,km)"),
        ("nearby('a','b')", "nearby(latitude,longitude,km)"),
        ("nearby(,,)", "''"),
        ("nearby()", "nearby(latitude,longitude,km)"),
        ("nearby(91,0,5)", "'91'"),
        ("nearby(0,-180.5,5)", "'-180.5'"),
        ("nearby('91,0',5)", "'91'"),
        ("nearby('',5)", "an address is not empty"),
        ("nearby('a,5)", "',' or ')'"),
        ("nearby(1,2,3)x", "')x'"),
        ("nearby(1,2,3))", "'))'"),
        ("nearby(1,2,0)", "above 0 and up to 1000"),
        ("nearby(1,2,-5)", "'-5'"),
        ("nearby(1,2,1001)", "'1001'"),
        ("nearby(1,2,NaN)", "'NaN'"),
        ("nearby(1,2,1e999)", "'1e999'"),
        ("nearby(1,2,1_0)", "'1_0'"),
        ("nearby(\u0661,2,5)", "'\u0661'"),
        ("bbox(41,-75,40,-74)", "south is at most north"),
        ("bbox(41,-75,40)", "bbox(south,west,north,east)"),
        ("bbox('41',-75,40,-74)", "bbox(south,west,north,east)"),
        ("bbox(0,-181,1,1)", "'-181'"),
        ("bbox(0,0,91,1)", "'91'"),
        ("intersects('POLYGON((1 2,3 4')", "can't be read"),
        ("intersects('POLYGON((0 0,1 0,1 1))')", "does not end where it begins"),
        ("intersects(POLYGON((0 0,1 0,1 1,0 0))", "well-known text in quotes"),
        ("intersects(POINT(1 2)", "well-known text in quotes"),
        ("intersects('POINT(1 2)'))", "intersects('well-known text')"),
        ("intersects('POINT(1 2)',5)", "intersects('well-known text')"),
        ("intersects('')", "can't be read"),
        ("intersects()", "can't be read"),
        ("intersects('SRID=4326;POINT(1 2)')", "SRID"),
        ("intersects('POINT EMPTY')", "empty"),
        ("intersects('MULTIPOINT(EMPTY,1 1)')", "empty"),
        ("intersects('POINT(nan 2)')", "is no well-known text"),
        ("intersects('POINT(-inf 2)')", "is no well-known text"),
        ("intersects('POINT(0x1 2)')", "is no well-known text"),
        ("intersects('POINT(1 2)\0x')", "is no well-known text"),
        ("intersects('POINT(1 90.1)')", "latitude beyond 90"),
        ("intersects('POINT(1e999 1)')", "no finite number"),
        ("intersects('LINEARRING(0 0,4 4,4 0,0 4,0 0)')", "the library's alone"),
        ("intersects('POINT(NULL 1)')", "no finite number"),
        ("intersects('CIRCULARSTRING(0 0,1 1,2 2)')", "can't be read"),
        ("intersects('" + "GEOMETRYCOLLECTION(" * 20 + "')", "brackets"),
        ("nearRoute('a')", "nearRoute('start','end')"),
        ("nearRoute(1,2)", "nearRoute('start','end')"),
        ("nearRoute('91,0','b')", "'91'"),
        ("nearRoute('','b')", "an address is not empty"),
    ],
)
def test_what_is_no_area_is_refused_by_its_value(text: str, shown: str) -> None:
    with pytest.raises(QueryError) as caught:
        area(text)
    assert "spatialFilter" in str(caught.value)
    assert shown in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("parameters", "options"),
    [
        ({}, RouteOptions()),
        (
            {"travelMode": "driving", "avoid": "Highways,MinimizeTolls", "optmz": "Time"},
            RouteOptions(avoid=frozenset((Avoid.HIGHWAYS, Avoid.MINIMIZE_TOLLS))),
        ),
        ({"avoid": "minimizeTolls, tolls"}, RouteOptions(avoid=frozenset((Avoid.TOLLS,)))),
        (
            {"dbft": "500", "hd": "359", "optimize": "timeWithTraffic", "travelMode": "Walking"},
            RouteOptions(
                optimize=Optimize.TIME_WITH_TRAFFIC,
                travel_mode=TravelMode.WALKING,
                heading=359,
                distance_before_first_turn=500,
            ),
        ),
        (
            {"distanceBeforeFirstTurn": "0", "heading": "0", "optimize": "Distance", "optmz": "nonsense"},
            RouteOptions(optimize=Optimize.DISTANCE, heading=0, distance_before_first_turn=0),
        ),
    ],
)
def test_a_route_has_two_ends_and_options(parameters: dict[str, str], options: RouteOptions) -> None:
    found = area("nearRoute('40.8,-74.3','Seattle, WA')", **parameters)
    assert found == NearRoute(HERE, Address("Seattle, WA"), options)
    with pytest.raises(QueryError, match="no map service"):
        require_resolved(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("avoid", "ferries"),
        ("hd", "360"),
        ("heading", "-1"),
        ("dbft", "1.5"),
        ("dbft", "9" * 5_000),
        ("optmz", "fuel"),
        ("travelMode", "Flying"),
    ],
)
def test_route_options_count_with_a_route_alone(name: str, value: str) -> None:
    assert area("nearby(40.8,-74.3,5)", **{name: value}) == Nearby(HERE, 5)
    with pytest.raises(QueryError, match=f"{value[:20]}"):
        area("nearRoute('a','b')", **{name: value})
