"""Points around a place and near a route, at the edges and where the map ends."""

import math
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.query.areas import BoundingBox, Nearby, NearRoute, Point, RouteOptions
from proxy.query.distance import EARTH_KM, measure, measure_all
from proxy.query.engine import run_query
from proxy.query.query import Distance, OrderKey, Query
from proxy.query.result import Result
from proxy.query.route import CORRIDOR_KM, RouteLine
from proxy.query.version_file import VersionFile
from tests.unit.query.engine.oracle import haversine
from tests.unit.query.engine.versions import PLAIN_TYPE, Row, make_version, proceed

DEGREE_KM = math.radians(1) * EARTH_KM
ROUTE = NearRoute(Point(0, 0), Point(0, 1), RouteOptions())


def version_at(folder: Path, *places: tuple[float, float]) -> VersionFile:
    """Entities a, b, c .. at some latitudes and longitudes."""
    rows = [{"Id": chr(97 + number), "latitude": y, "Longitude": x} for number, (y, x) in enumerate(places)]
    return make_version(folder, rows, PLAIN_TYPE)


def near(version: VersionFile, latitude: float, longitude: float, kilometres: float) -> str:
    query = Query(members=(), area=Nearby(Point(latitude, longitude), kilometres), top=250)
    return "".join(run_query(version, query, proceed).ids)


def on_route(version: VersionFile, *points: tuple[float, float]) -> Result:
    line = RouteLine(*(np.array(values, float) for values in zip(*points, strict=True)))
    query = Query(members=(Distance(),), area=ROUTE, top=250, is_counted=True)
    return run_query(version, query, proceed, line)


@pytest.mark.parametrize(
    ("to", "expected"), [((51.250830, 22.581180), "0.772438702602492"), ((51.257130, 22.583230), "1.16843669335704")]
)
def test_a_distance_has_the_digits_that_the_service_showed(to: tuple[float, float], expected: str) -> None:
    assert f"{measure(51.2506, 22.5701, *to):.15g}" == expected


def test_both_ways_of_measuring_agree() -> None:
    dice = np.random.default_rng(1)
    latitudes, longitudes = dice.uniform(-90, 90, 2_000), dice.uniform(-180, 180, 2_000)
    found = measure_all(12.5, 170.0, latitudes, longitudes)
    expected = [measure(12.5, 170.0, *place) for place in zip(latitudes.tolist(), longitudes.tolist(), strict=True)]
    assert found == pytest.approx(expected, rel=1e-9)


def test_the_edge_of_a_circle_belongs_to_it(tmp_path: Path) -> None:
    version = version_at(tmp_path, (0, 0), (1, 0), (0, -1), (0, 1.001))
    edge = round(DEGREE_KM, 9)
    assert near(version, 0, 0, edge) == "abc"
    assert near(version, 0, 0, edge - 2e-9) == "a"


def test_a_circle_goes_across_the_antimeridian_and_both_its_edges_are_one(tmp_path: Path) -> None:
    version = version_at(tmp_path, (0, 180), (0, -180), (0, 179.5), (0, -179.5), (0, 0))
    assert near(version, 0, 179.9, 100) == "abcd"
    assert near(version, 0, -180, 1) == "ab"


@pytest.mark.parametrize("sign", [1, -1])
def test_a_circle_that_holds_a_pole_has_all_longitudes(tmp_path: Path, sign: int) -> None:
    version = version_at(tmp_path, (sign * 90, 77), (sign * 89.5, -90), (sign * 89.5, 90), (sign * 88, 90))
    assert near(version, sign * 89.6, 90, 110) == "cab"
    assert near(version, sign * 90, 0, 0.2) == "a"


def test_a_wide_circle_beside_a_pole_reaches_farthest_off_its_centres_parallel(tmp_path: Path) -> None:
    version = version_at(tmp_path, *((84.9, longitude) for longitude in (50.0, 61.0, 62.0, 64.0)))
    inside = [place for place in (50.0, 61.0, 62.0, 64.0) if measure(80, 0, 84.9, place) <= 1000]
    assert len(near(version, 80, 0, 1000)) == len(inside)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> tuple[VersionFile, list[Row]]:
    """Entities all over, and many at the poles and beside the antimeridian."""
    dice = np.random.default_rng(4)
    latitudes = np.concatenate(
        [dice.uniform(-90, 90, 300), 90 - dice.exponential(3, 300), dice.exponential(1, 300) - 90]
    )
    longitudes = np.concatenate(
        [dice.uniform(-180, 180, 450), 180 - dice.exponential(2, 225), dice.exponential(2, 225) - 180]
    )
    rows = [
        {"Id": str(number), "latitude": float(y), "Longitude": float(x)}
        for number, (y, x) in enumerate(zip(latitudes, dice.permutation(longitudes), strict=True))
    ]
    return make_version(tmp_path_factory.mktemp("crowd"), rows, PLAIN_TYPE), rows


@settings(max_examples=150)
@given(
    latitude=st.floats(-90, 90) | st.floats(89, 90) | st.floats(-90, -89),
    longitude=st.floats(-180, 180) | st.floats(178, 180),
    kilometres=st.floats(0.16, 1000) | st.just(None),
)
def test_a_circle_anywhere_has_all_within_it_and_none_beyond(
    crowd: tuple[VersionFile, list[Row]], latitude: float, longitude: float, kilometres: float | None
) -> None:
    version, rows = crowd
    away = {row["Id"]: haversine(latitude, longitude, row) for row in rows}
    # The edge goes through an entity where there is no other wish.
    edge = kilometres or min(1000.0, sorted(away.values())[20])
    query = Query(members=(), area=Nearby(Point(latitude, longitude), edge), top=250, is_counted=True)
    result = run_query(version, query, proceed)
    inside = [id_ for id_, distance in sorted(away.items(), key=lambda pair: (pair[1], pair[0])) if distance <= edge]
    assert (result.count, list(result.ids)) == (len(inside), inside[:250])


def test_a_box_with_edges_at_180_and_minus_180_has_them_apart(tmp_path: Path) -> None:
    version = version_at(tmp_path, (0, 180), (0, -180))
    for west, east, expected in ((170, 180, "a"), (-180, -170, "b"), (170, -170, "ab"), (180, -180, "ab")):
        query = Query(members=(), area=BoundingBox(-1, west, 1, east))
        assert "".join(run_query(version, query, proceed).ids) == expected


def test_ties_at_the_cut_of_a_page_go_by_id(tmp_path: Path) -> None:
    version = version_at(tmp_path, *[(0, 1), (0, -1), (1, 0), (-1, 0)] * 5)
    query = Query(members=(), area=Nearby(Point(0, 0), 200), top=3, skip=6)
    assert "".join(run_query(version, query, proceed).ids) == "ghi"


def test_distance_orders_a_box_from_its_middle_and_descends(tmp_path: Path) -> None:
    version = version_at(tmp_path, (0, 170), (0, 179), (0, -178), (0, -171))
    box = BoundingBox(-1, 168, 1, -170)
    order = (OrderKey(Distance(), is_descending=True),)
    result = run_query(version, Query(members=(Distance(),), area=box, order=order), proceed)
    assert "".join(result.ids) == "dacb"
    assert result.columns[0].values == pytest.approx([DEGREE_KM * degrees for degrees in (10, 9, 3, 0)])


def test_a_route_finds_what_is_within_a_mile_in_the_order_of_travel(tmp_path: Path) -> None:
    mile = math.degrees(CORRIDOR_KM / EARTH_KM)
    version = version_at(
        tmp_path,
        (0.01, 0.9),
        (mile * 0.999, 0.1),
        (mile * 1.001, 0.2),
        (0.001, 0.5),
        (-0.001, 0.5),
        (0, 1 + mile * 0.9),
    )
    result = on_route(version, (0, 0), (0, 0.4), (0, 1))
    assert "".join(result.ids) == "bdeaf"
    assert result.count == 5
    away = [mile * 0.999, 0.001, 0.001, 0.01, mile * 0.9]
    assert result.columns[0].values == pytest.approx([DEGREE_KM * degrees for degrees in away], rel=1e-9)


def test_at_the_same_place_of_a_route_the_closer_one_is_first(tmp_path: Path) -> None:
    version = version_at(tmp_path, (0.01, 0.5), (-0.005, 0.5), (0.002, 0.5))
    assert "".join(on_route(version, (0, 0), (0, 1)).ids) == "cba"


def test_a_route_that_returns_counts_where_it_is_closest(tmp_path: Path) -> None:
    version = version_at(tmp_path, (0.009, 0.5), (0.001, 0.5), (0.005, 0.9))
    assert "".join(on_route(version, (0, 0), (0, 1), (0.01, 1), (0.01, 0)).ids) == "bca"


def test_a_route_goes_across_the_antimeridian(tmp_path: Path) -> None:
    version = version_at(tmp_path, (0, 179.5), (0, -179.5), (0, 180), (0, -180), (0, 0))
    assert "".join(on_route(version, (0, 179), (0, -179)).ids) == "acdb"
    assert "".join(on_route(version, (0, -179), (0, 179)).ids) == "bcda"


def test_a_route_that_stands_still_is_a_place(tmp_path: Path) -> None:
    version = version_at(tmp_path, (0.001, 0), (1, 1))
    assert "".join(on_route(version, (0, 0), (0, 0)).ids) == "a"


def test_a_route_far_north_has_narrow_degrees(tmp_path: Path) -> None:
    """Against each segment in plain numbers."""
    dice = np.random.default_rng(5)
    places = [(70 + dice.uniform(-0.1, 0.1), 20 + dice.uniform(-0.2, 0.2)) for _ in range(25)]
    line = [(70 + dice.uniform(-0.1, 0.1), 20 + dice.uniform(-0.2, 0.2)) for _ in range(6)]
    version = version_at(tmp_path, *places)
    expected = "".join(
        sorted(chr(97 + number) for number, place in enumerate(places) if _away(place, line) <= CORRIDOR_KM)
    )
    assert "".join(sorted(on_route(version, *line).ids)) == expected
    assert 3 < len(expected) < 22


@pytest.mark.parametrize(("latitude", "longitude"), [(47.6, -122.3), (-17.0, 179.99), (70.0, -180.0), (0.0, 0.0)])
def test_a_long_route_of_many_bends_has_the_order_of_its_closest_segments(
    tmp_path: Path, latitude: float, longitude: float
) -> None:
    """Against each segment in plain numbers; the route crosses itself, and stands still at times."""
    dice = np.random.default_rng(6)
    steps = dice.normal(0, 0.003, (400, 2))
    steps[dice.uniform(size=400) < 0.1] = 0
    line = [(float(y), float(x)) for y, x in np.cumsum(steps, axis=0) + np.array([latitude, longitude])]
    middle = np.mean(line, axis=0)
    places = [(float(y), float(x)) for y, x in dice.normal(0, 0.04, (200, 2)) + middle]
    rows = [
        {"Id": str(number), "latitude": y, "Longitude": (x + 180) % 360 - 180} for number, (y, x) in enumerate(places)
    ]
    version = make_version(tmp_path, rows, PLAIN_TYPE)
    along = {id_: at for id_, (away, at) in enumerate(_closest(place, line) for place in places) if away <= CORRIDOR_KM}
    result = on_route(version, *[(y, (x + 180) % 360 - 180) for y, x in line])
    assert [along[int(id_)] for id_ in result.ids] == pytest.approx(sorted(along.values()), abs=1e-6)
    assert 20 < len(along) < 180


def test_a_town_on_a_winding_route_takes_little_memory_and_ends_at_the_deadline(tmp_path: Path) -> None:
    """Every entity is near every segment: 60 million pairs, some gigabytes."""
    dice = np.random.default_rng(7)
    places = [(float(y), float(x)) for y, x in dice.uniform(0, 0.01, (2_000, 2))]
    rows = [{"Id": str(number), "latitude": y, "Longitude": x} for number, (y, x) in enumerate(places)]
    version = make_version(tmp_path, rows, PLAIN_TYPE)
    line = RouteLine(*dice.uniform(0, 0.01, (2, 30_000)))
    query, checks = Query(members=(), area=ROUTE), 0

    def stop() -> None:
        nonlocal checks
        checks += 1
        if checks == 5:
            raise TimeoutError

    tracemalloc.start()
    try:
        with pytest.raises(TimeoutError):
            run_query(version, query, stop, line)
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()


def _closest(place: tuple[float, float], line: list[tuple[float, float]]) -> tuple[float, float]:
    """How far a route is, and how far along it that is."""
    scale, before, found = math.cos(math.radians(place[0])), 0.0, []
    for start, end in pairwise(line):
        step = ((end[1] - start[1]) * scale, end[0] - start[0])
        to = ((place[1] - start[1]) * scale, place[0] - start[0])
        square = step[0] ** 2 + step[1] ** 2
        part = max(0.0, min(1.0, (step[0] * to[0] + step[1] * to[1]) / square)) if square else 0.0
        near = (start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1]))
        apart = math.hypot(to[0] - part * step[0], to[1] - part * step[1])
        found.append((apart, measure(*near, *place), before + measure(*start, *near)))
        before += measure(*start, *end)
    return min(found)[1:]


def _away(place: tuple[float, float], line: list[tuple[float, float]]) -> float:
    scale = math.cos(math.radians(place[0]))
    found = []
    for start, end in pairwise(line):
        step = ((end[1] - start[1]) * scale, end[0] - start[0])
        to = ((place[1] - start[1]) * scale, place[0] - start[0])
        part = max(0.0, min(1.0, (step[0] * to[0] + step[1] * to[1]) / (step[0] ** 2 + step[1] ** 2)))
        near_to = (start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1]))
        apart = math.hypot(to[0] - part * step[0], to[1] - part * step[1])
        found.append((apart, measure(*near_to, *place)))
    return min(found)[1]


def test_a_route_without_its_line_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="NearRoute"):
        run_query(version_at(tmp_path), Query(members=(), area=ROUTE), proceed)


def test_a_distance_without_an_origin_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="no distances"):
        run_query(version_at(tmp_path), Query(members=(Distance(),)), proceed)
