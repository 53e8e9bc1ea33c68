"""Random entities and queries, made of values that are next to each other's edges."""

from functools import cache
from typing import Any

import shapely
from hypothesis import strategies as st

from proxy.query.areas import BoundingBox, Intersects, Nearby, Point
from proxy.query.conditions import (
    And,
    ColumnComparison,
    Comparison,
    Condition,
    Constant,
    Membership,
    Missing,
    Not,
    Operator,
    Or,
    TextFunction,
    TextMatch,
)
from proxy.query.query import Distance, OrderKey, Query
from proxy.query.schema import PropertyType
from tests.unit.query.engine.versions import SCHEMA

TEXTS = (
    "",
    "a",
    "A",
    "ab",
    "b",
    "B",
    "\u00e9",
    "\u00c9",
    "\u0130",
    "i",
    "\u03c2",
    "\u03a3",
    "\u00df",
    "\U0001f600",
    "\uffff",
    "a'*%",
)
WHOLE = (0, 1, -1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 5)
BROKEN = (0.0, -0.0, 1.0, 1.5, -1.0, 2.0**53, 2.0**63, -(2.0**63), 5e-324, float("inf"), -float("inf"), float("nan"))
LATITUDES = (0.0, 90.0, -90.0, 89.999, -89.999, 45.0, 45.001, 5.0, 10.0)
LONGITUDES = (0.0, 180.0, -180.0, 179.999, -179.999, 5.0, 10.0, -5.0)
SHAPES = tuple(
    shapely.from_wkt(text)
    for text in (
        "POINT (10 10)",
        "POINT (5 5)",
        "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))",
        "POLYGON ((0 0, 10 10, 10 0, 0 10, 0 0))",
        "POLYGON ((0 0, 10 0, 0 10, 0 0))",
        "LINESTRING (-5 5, 15 5)",
        "MULTIPOLYGON (((40 0, 41 0, 41 1, 40 1, 40 0)), ((4 0, 5 0, 5 1, 4 1, 4 0)))",
        "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 8 1, 8 8, 1 8, 1 1))",
        "GEOMETRYCOLLECTION (POINT (10 10), LINESTRING (0 0, 1 1))",
        "POLYGON ((170 -90, 190 -90, 190 90, 170 90, 170 -90))",
        "POINT Z (5 5 7)",
    )
)
VALUES: dict[PropertyType, st.SearchStrategy[Any]] = {
    PropertyType.STRING: st.sampled_from(TEXTS) | st.text(max_size=3),
    PropertyType.INT64: st.sampled_from(WHOLE),
    PropertyType.DOUBLE: st.sampled_from(BROKEN),
    PropertyType.BOOLEAN: st.booleans(),
    PropertyType.DATETIME: st.sampled_from((0, 1, 6 * 10**17)),
    PropertyType.GEOGRAPHY: st.sampled_from(SHAPES).map(lambda shape: shapely.to_wkb(shape, flavor="iso")),
}
LITERALS = {**VALUES, PropertyType.DOUBLE: st.sampled_from(BROKEN).filter(lambda number: number == number)}  # noqa: PLR0124  no NaN
FILTERED = [each for each in SCHEMA.properties if not each.is_coordinate and each.type is not PropertyType.GEOGRAPHY]


@cache
def rows(min_size: int = 0) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Entities of different ids, in any order."""
    columns = {
        each.name: st.none() | VALUES[each.type]
        for each in SCHEMA.properties
        if each.name != SCHEMA.key and not each.is_coordinate
    }
    places = {"latitude": st.sampled_from(LATITUDES), "Longitude": st.sampled_from(LONGITUDES)}
    ids = st.sampled_from([text for text in TEXTS if text]) | st.text(min_size=1, max_size=3)
    row = st.fixed_dictionaries({"Id": ids, **places, **columns})
    return st.lists(row, min_size=min_size, max_size=14, unique_by=lambda row: row["Id"])


@cache
def plain_conditions() -> st.SearchStrategy[Condition]:
    """One condition of any kind."""
    column = st.sampled_from(FILTERED)
    text = st.sampled_from([each for each in FILTERED if each.type is PropertyType.STRING])
    other = st.sampled_from([each for each in FILTERED if each.type is not PropertyType.STRING])
    operator = st.sampled_from(Operator)
    pairs = [
        (left, right)
        for left in FILTERED
        for right in FILTERED
        if left.type is right.type or {left.type, right.type} == {PropertyType.INT64, PropertyType.DOUBLE}
    ]
    return st.one_of(
        st.builds(Constant, st.booleans()),
        st.builds(Missing, other),
        column.flatmap(lambda each: st.builds(Comparison, st.just(each), operator, LITERALS[each.type])),
        st.builds(lambda pair, some: ColumnComparison(pair[0], some, pair[1]), st.sampled_from(pairs), operator),
        column.flatmap(
            lambda each: st.builds(
                Membership, st.just(each), st.lists(LITERALS[each.type], min_size=1, max_size=4).map(tuple)
            )
        ),
        st.builds(TextMatch, text, st.sampled_from(TextFunction), VALUES[PropertyType.STRING]),
    )


@cache
def conditions() -> st.SearchStrategy[Condition | None]:
    """None, or conditions of every kind, in each other."""
    nested = st.recursive(
        plain_conditions(),
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
            st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        ),
        max_leaves=5,
    )
    return st.none() | nested


@cache
def areas() -> st.SearchStrategy[Any]:
    """Areas at the poles, across the antimeridian, with entities on their edges."""
    latitude, longitude = st.sampled_from(LATITUDES), st.sampled_from(LONGITUDES)
    kilometres = st.sampled_from((0.16, 0.2, 112.0, 500.0, 1000.0, round(6378.135 * 0.08726646259971647, 9)))
    box = st.builds(
        lambda one, west, two, east: BoundingBox(min(one, two), west, max(one, two), east),
        latitude,
        longitude,
        latitude,
        longitude,
    )
    near = st.builds(Nearby, st.builds(Point, latitude, longitude), kilometres)
    shape = st.sampled_from([shapely.make_valid(shapely.force_2d(shape)) for shape in SHAPES])
    return st.one_of(st.none(), near, box, st.builds(Intersects, shape))


@cache
def orders(*, by_distance: bool) -> st.SearchStrategy[tuple[OrderKey, ...]]:
    """Up to three criteria."""
    by: list[Any] = [*FILTERED, *([Distance()] if by_distance else [])]
    return st.lists(st.builds(OrderKey, st.sampled_from(by), st.booleans()), max_size=3).map(tuple)


@cache
def _skips() -> st.SearchStrategy[int]:
    return st.integers(0, 8) | st.just(10**18)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Queries for a list of all properties."""
    area = draw(areas())
    has_distance = isinstance(area, Nearby | BoundingBox)
    return Query(
        members=(*SCHEMA.properties, *([Distance()] if has_distance else [])),
        area=area,
        condition=draw(conditions()),
        order=draw(orders(by_distance=has_distance)),
        top=draw(st.integers(1, 6)),
        skip=draw(_skips()),
        is_counted=draw(st.booleans()),
    )
