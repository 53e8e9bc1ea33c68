"""Geographies: what meets a shape, what both have in common, and hostile shapes."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from proxy.query.areas import Intersects
from proxy.query.crossings import MAX_POINTS, CrossingsError, make_valid
from proxy.query.engine import run_query
from proxy.query.errors import QueryError
from proxy.query.query import Intersection, Query
from proxy.query.shapes import find_intersecting
from proxy.query.version_file import VersionFile
from tests.support.processor_time import ends_within
from tests.unit.query.engine.queries import SHAPES
from tests.unit.query.engine.versions import PLAIN_TYPE, Row, make_version, proceed

BOW_TIE = shapely.from_wkt("POLYGON ((0 0, 10 10, 10 0, 0 10, 0 0))")
HOSTILE_SECONDS = 10
"""Two seconds on a machine that does nothing else."""


def find(version: VersionFile, shape: Any, check: Callable[[], None] = proceed) -> list[str]:
    query = Query(members=(), area=Intersects(shape), top=250)
    return list(run_query(version, query, check).ids)


def common(version: VersionFile, shape: Any) -> list[Any]:
    result = run_query(version, Query(members=(Intersection(shape),), top=250), proceed)
    return [None if value is None else shapely.from_wkb(value) for value in result.columns[0].values]


def rows_of(shapes: Any) -> list[Row]:
    return [{"Id": f"{place:06}", "Shape": shapely.to_wkb(shape, flavor="iso")} for place, shape in enumerate(shapes)]


def random_ring(points: int) -> Any:
    numbers = np.random.default_rng(1).uniform(-80, 80, (points, 2))
    return shapely.polygons(np.vstack([numbers, numbers[:1]]))


def comb(teeth: int, *, turned: bool = False) -> Any:
    """Long teeth side by side; one and one that is turned cross at teeth times teeth places."""
    along = np.repeat(np.linspace(0, 10, 2 * teeth), 2)
    across = np.tile([0.0, 10, 10, 0], teeth)
    points = np.column_stack([along, across])
    closed = np.vstack([points, [[10, -1], [0, -1]], points[:1]])
    return shapely.polygons(closed[:, ::-1] if turned else closed)


def test_a_stored_bow_tie_has_both_halves(tmp_path: Path) -> None:
    version = make_version(tmp_path, rows_of([BOW_TIE]))
    found = {at: find(version, shapely.Point(at)) for at in ((2, 5), (8, 5), (5, 8), (5, 2))}
    assert found == {(2, 5): ["000000"], (8, 5): ["000000"], (5, 8): [], (5, 2): []}


def test_edges_and_corners_meet(tmp_path: Path) -> None:
    version = make_version(tmp_path, rows_of([SHAPES[2]]))
    assert find(version, shapely.Point(10, 10)) == ["000000"]
    assert find(version, shapely.box(10, 10, 11, 11)) == ["000000"]
    assert find(version, shapely.box(10.000001, 10, 11, 11)) == []


def test_a_source_without_geographies_has_its_points(tmp_path: Path) -> None:
    version = make_version(tmp_path, [{"Id": "a", "latitude": 5.0, "Longitude": 6.0}, {"Id": "b"}], PLAIN_TYPE)
    assert find(version, shapely.box(6, 5, 7, 7)) == ["a"]
    assert find(version, shapely.from_wkt("LINESTRING (5 4, 7 6)")) == ["a"]
    assert common(version, shapely.box(6, 5, 7, 7)) == [shapely.Point(6, 5), None]


@pytest.mark.parametrize("shape", [shapely.box(-9, 40, 9, 48), shapely.Point(0, 44).buffer(5), shapely.Point(0, 44)])
def test_many_chunks_find_the_same_as_one_by_one(tmp_path: Path, shape: Any) -> None:
    dice = np.random.default_rng(2)
    shapes = [
        shapely.Point(x, y).buffer(size)
        for x, y, size in zip(
            dice.uniform(-20, 20, 3000), dice.uniform(30, 60, 3000), dice.uniform(0, 2, 3000), strict=True
        )
    ]
    version = make_version(tmp_path, rows_of(shapes))
    expected = [f"{place:06}" for place, each in enumerate(shapes) if shapely.intersects(each, shape)]
    query = Query(members=(), area=Intersects(shape), top=250, is_counted=True)
    result = run_query(version, query, proceed)
    assert (result.count, list(result.ids)) == (len(expected), expected[:250])
    assert expected


def test_a_page_of_what_meets_a_shape_is_full_before_all_are_read(tmp_path: Path) -> None:
    around = [shapely.box(number % 80, 0, number % 80 + 1, 1) for number in range(20_000)]
    version, shape = make_version(tmp_path, rows_of(around)), shapely.Point(40, 0.5).buffer(9)
    pages = {
        is_counted: [
            list(
                run_query(
                    version, Query(members=(), area=Intersects(shape), skip=skip, is_counted=is_counted), proceed
                ).ids
            )
            for skip in (0, 25, 3_000, 4_990, 10**18)
        ]
        for is_counted in (False, True)
    }
    assert pages[False] == pages[True]
    assert len(find_intersecting(version, shape, proceed, 25)) < len(find_intersecting(version, shape, proceed))


def test_the_common_part_is_that_of_the_valid_shapes(tmp_path: Path) -> None:
    version = make_version(tmp_path, [*rows_of([SHAPES[2], BOW_TIE]), {"Id": "2", "latitude": 1.0, "Longitude": 1.0}])
    lower_half = shapely.box(0, 0, 10, 5)
    square, ties, point = common(version, lower_half)
    assert square.equals(lower_half)
    assert ties.equals(shapely.make_valid(BOW_TIE).intersection(lower_half))
    assert point.equals(shapely.Point(1, 1))
    assert common(version, shapely.box(50, 50, 51, 51)) == [None, None, None]


def test_long_work_ends_where_the_check_ends_it(tmp_path: Path) -> None:
    circle = shapely.Point(0, 0).buffer(1, quad_segs=500)
    version = make_version(tmp_path, rows_of([circle] * 100))
    with pytest.raises(TimeoutError):
        find(version, circle, end_at(3))
    with pytest.raises(TimeoutError):
        run_query(version, Query(members=(Intersection(circle),)), end_at(3))


def end_at(look: int) -> Callable[[], None]:
    looks = count()

    def end() -> None:
        if next(looks) == look:
            raise TimeoutError

    return end


@pytest.mark.parametrize(
    "shape",
    [
        random_ring(100),
        random_ring(3_000),
        random_ring(MAX_POINTS - 1),
        shapely.multipolygons([shapely.box(-size, -size, size, size) for size in range(1, 3_000)]),
        shapely.multipolygons([shapely.box(0, 0, 1, 1)] * 3_000),
        shapely.polygons(np.cumsum(np.random.default_rng(3).normal(0, 1e-3, (5_000, 2)), axis=0)),
    ],
    ids=["100 at random", "3,000 at random", "as many as are allowed", "nested", "the same", "a walk"],
)
def test_an_entangled_shape_is_repaired_or_refused_soon(shape: Any) -> None:
    def repair() -> None:
        try:
            assert shapely.is_valid(make_valid(shape))
        except CrossingsError as error:
            assert "cross" in str(error)  # noqa: PT017  either is right

    assert ends_within(HOSTILE_SECONDS, repair)


def test_a_million_points_are_refused_at_once() -> None:
    with pytest.raises(CrossingsError, match="1,000,001 points, and at most 20,000"):
        make_valid(random_ring(1_000_000))


def test_a_stored_shape_that_is_too_entangled_is_compared_as_it_is(tmp_path: Path) -> None:
    version = make_version(tmp_path, rows_of([random_ring(2_000)]))
    assert find(version, shapely.box(-90, -90, 90, 90)) == ["000000"]
    assert find(version, shapely.Point(89, 89)) == []
    assert find(version, shapely.box(-1, -1, 1, 1)) == ["000000"]


def test_the_common_part_of_a_stored_shape_that_is_too_entangled_is_refused_soon(tmp_path: Path) -> None:
    version = make_version(tmp_path, rows_of([BOW_TIE, random_ring(1_000)]))

    def refuse() -> None:
        with pytest.raises(QueryError, match="geography of an entity crosses itself too often"):
            common(version, shapely.box(0, 0, 1, 1))

    assert ends_within(HOSTILE_SECONDS, refuse)


def test_an_entangled_stored_shape_elsewhere_has_nothing_in_common(tmp_path: Path) -> None:
    version = make_version(tmp_path, rows_of([random_ring(1_000), BOW_TIE]))
    found = common(version, shapely.box(85, 85, 89, 89))
    assert found == [None, None]


def test_the_common_part_of_a_stored_line_that_crosses_itself_endlessly_is_refused_soon(tmp_path: Path) -> None:
    version = make_version(tmp_path, rows_of([shapely.LineString(shapely.get_coordinates(random_ring(2_000)))]))

    def refuse() -> None:
        with pytest.raises(QueryError, match="cross more than 20,000 times"):
            common(version, shapely.box(0, 0, 1, 1))

    assert ends_within(HOSTILE_SECONDS, refuse)


def test_repairs_of_stored_shapes_end_where_the_check_ends_them(tmp_path: Path) -> None:
    version = make_version(tmp_path, rows_of([BOW_TIE] * 50))
    calls = count(1)

    def check() -> None:
        if next(calls) > 10:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        find(version, shapely.Point(5, 9), check)


def test_a_bow_tie_in_a_collection_is_repaired() -> None:
    collection = shapely.geometrycollections([shapely.multipolygons([BOW_TIE]), shapely.Point(50, 50)])
    assert make_valid(collection).area == pytest.approx(50)


def test_a_common_part_of_endless_pieces_is_refused_soon(tmp_path: Path) -> None:
    version = make_version(tmp_path, rows_of([comb(2_000)]))

    def refuse() -> None:
        with pytest.raises(QueryError, match=r"intersection\(\.\.\) .*cross more than 20,000 times"):
            common(version, comb(2_000, turned=True))

    assert ends_within(HOSTILE_SECONDS, refuse)


def test_a_common_part_of_a_line_that_crosses_itself_endlessly_is_refused_soon(tmp_path: Path) -> None:
    version = make_version(tmp_path, rows_of([shapely.box(-80, -80, 80, 80)]))

    def refuse() -> None:
        with pytest.raises(QueryError, match="cross more than 20,000 times"):
            common(version, shapely.LineString(shapely.get_coordinates(random_ring(16_000))))

    assert ends_within(HOSTILE_SECONDS, refuse)


def test_a_common_part_of_large_quiet_shapes_is_answered(tmp_path: Path) -> None:
    large = shapely.Point(0, 0).buffer(5, quad_segs=5_000)
    version = make_version(tmp_path, rows_of([large]))
    other = shapely.Point(5, 0).buffer(5, quad_segs=1_000)
    assert common(version, shapely.transform(other, lambda points: points + 50)) == [None]
    assert common(version, other)[0].area == pytest.approx(large.intersection(other).area)


def test_longitudes_near_the_largest_double_write_no_warning(tmp_path: Path) -> None:
    """A warning of NumPy is a line on standard error that is no line of the log."""
    huge = shapely.box(-1e308, -80, 1e308, 80)
    version = make_version(tmp_path, rows_of([BOW_TIE]))
    assert find(version, huge) == ["000000"]
    assert len(common(version, huge)) == 1
