"""Areas of queries on the map."""

import math
import re

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from proxy.console.area_outlines import draw, fit, outline
from proxy.operations.map_viewports import Viewport
from proxy.query.area_parser import parse_area
from proxy.query.areas import BoundingBox, Intersects, Nearby, Point
from proxy.query.distance import measure

WIDTH = 960


def area(text: str) -> Nearby | BoundingBox | Intersects:
    """The area of a spatialFilter."""
    found = parse_area({"spatialfilter": text})
    assert isinstance(found, Nearby | BoundingBox | Intersects)
    return found


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(0.001, 1000))
def test_the_outline_of_a_circle_is_at_its_distance(latitude: float, longitude: float, km: float) -> None:
    shape = outline(Nearby(Point(latitude, longitude), km))
    around = [(x, y) for x, y in shapely.get_coordinates(shape).tolist() if abs(y) < 90]
    for x, y in around:
        assert measure(latitude, longitude, y, (x + 180) % 360 - 180) == pytest.approx(km, rel=0.01, abs=0.2)
    west, _, east, _ = shapely.bounds(shape)
    holds_pole = abs(latitude) + math.degrees(km / 6371) > 90.01
    assert (east - west > 359) == holds_pole or abs(latitude) + math.degrees(km / 6371) > 89.9


@pytest.mark.parametrize(
    "text",
    [
        "nearby(47.6,-122.3,5)", "nearby(89.9,10,900)", "nearby(-90,0,1000)", "nearby(0,180,50)",
        "bbox(-10,170,10,-170)", "bbox(-90,-180,90,180)", "bbox(1,2,1,2)",
        "intersects('POINT (10 20)')", "intersects('LINESTRING (0 0, 10 10, 170 -80)')",
        "intersects('POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0), (2 2, 3 2, 3 3, 2 2))')",
        "intersects('MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))')",
        "intersects('GEOMETRYCOLLECTION (POINT (1 1), LINESTRING (0 0, 2 2))')",
    ],
)  # fmt: skip
def test_each_area_is_seen_on_its_own_map_and_within_the_frame(text: str) -> None:
    shape = outline(area(text))
    drawing = draw(shape, fit(shape), WIDTH)
    numbers = [float(each) for each in re.findall(r"-?[\d.]+", drawing.path)]
    assert drawing.path.startswith("M")
    assert not drawing.is_box
    assert all(-30 <= each <= WIDTH + 30 for each in numbers)


def test_an_area_across_the_antimeridian_is_seen_from_both_sides() -> None:
    shape = outline(area("bbox(-10,170,10,-170)"))
    world = draw(shape, Viewport(), WIDTH)
    assert world.path.count("M") == 2
    assert draw(shape, Viewport.at(0, 175, 5), WIDTH).path
    assert draw(shape, Viewport.at(0, -175, 5), WIDTH).path
    assert not draw(shape, Viewport.at(0, 0, 5), WIDTH).path


def test_an_area_with_very_many_points_is_drawn_with_few() -> None:
    points = [(math.cos(at / 9000) * 40 + math.sin(at) * 0.3, math.sin(at / 9000) * 40) for at in range(56_000)]
    drawing = draw(shapely.LineString(points), Viewport(), WIDTH)
    assert 100 < len(drawing.path) < 50_000
    assert not drawing.is_box


def test_an_area_of_very_many_parts_is_drawn_as_its_box() -> None:
    points = [(at % 350 - 175, at // 350 / 2) for at in range(20_000)]
    drawing = draw(shapely.MultiPoint(points), Viewport(), WIDTH)
    assert drawing.is_box
    assert len(drawing.path) < 500


@pytest.mark.parametrize(
    "text",
    [
        "POLYGON((1e300 0, 1e301 0, 1e301 1, 1e300 0))",
        "POLYGON((-1e301 0, -1e300 0, -1e300 1, -1e301 0))",
        "LINESTRING(-1e308 1, 1e308 1)",
        "MULTIPOINT(1 1, 1e15 2)",
    ],
)
def test_longitudes_far_beyond_the_map_take_no_time_to_draw(text: str) -> None:
    found = area(f"intersects('{text}')")
    for shown in (fit(outline(found)), Viewport()):
        assert math.isfinite(shown.longitude)
        assert len(draw(outline(found), shown, WIDTH).path) < 1_000
