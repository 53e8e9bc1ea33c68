"""Pages of thousands of entities, where the engine sorts in other ways than in small answers."""

from itertools import count

import pytest

from proxy.query.areas import Nearby, Point
from proxy.query.conditions import Comparison, Operator, Or
from proxy.query.engine import run_query
from proxy.query.filters import filter_first_rows
from proxy.query.points import widen
from proxy.query.query import OrderKey, Query
from proxy.query.version_file import VersionFile
from tests.unit.query.engine import oracle
from tests.unit.query.engine.versions import PLAIN_TYPE, SCHEMA, Row, make_version, proceed

ROWS: list[Row] = [
    {
        "Id": f"{number * 7919 % 10_007:05}",
        "Name": f"Name {number % 11}" if number % 13 else None,
        "Size": number % 7 if number % 5 else None,
        "IsOpen": number % 2 == 0,
        "latitude": number % 50 / 100,
        "Longitude": number % 70 / 100,
    }
    for number in range(5_000)
]
BY = [OrderKey(SCHEMA.require(name, name), is_descending=name == "Size") for name in ("IsOpen", "Name", "Size")]
SIZE = SCHEMA.require("Size", "Size")


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> VersionFile:
    return make_version(tmp_path_factory.mktemp("large"), ROWS, PLAIN_TYPE)


@pytest.mark.parametrize("skip", [0, 1_700, 1_900, 2_500, 4_900, 5_000, 10**18])
@pytest.mark.parametrize("area", [None, Nearby(Point(0.25, 0.35), 1000)])
@pytest.mark.parametrize("order", [(), (BY[0],), (BY[1], BY[2]), tuple(BY)])
def test_any_page_of_any_order_is_where_it_belongs(
    version: VersionFile, skip: int, area: Nearby | None, order: tuple[OrderKey, ...]
) -> None:
    query = Query(members=(), area=area, order=order, skip=skip, top=250, is_counted=True)
    result = run_query(version, query, proceed)
    expected = [row["Id"] for row in oracle.find(ROWS, query)][skip : skip + 250]
    assert (list(result.ids), result.count) == (expected, 5_000)


@pytest.mark.parametrize("skip", [0, 20, 300, 900, 2_000, 4_900, 5_000, 10**18])
@pytest.mark.parametrize("area", [None, Nearby(Point(0.25, 0.35), 60), Nearby(Point(0.25, 0.35), 1000)])
@pytest.mark.parametrize("condition", [None, Comparison(SIZE, Operator.EQ, 3), Comparison(SIZE, Operator.EQ, 99)])
def test_a_page_is_the_same_where_the_search_ends_when_it_is_full(
    version: VersionFile, skip: int, area: Nearby | None, condition: Comparison | None
) -> None:
    query = Query(members=(), area=area, condition=condition, skip=skip, top=25)
    expected = [row["Id"] for row in oracle.find(ROWS, query)][skip : skip + 25]
    assert list(run_query(version, query, proceed).ids) == expected


def test_a_page_is_full_before_all_entities_are_looked_at(version: VersionFile) -> None:
    areas = widen(version, Nearby(Point(0.25, 0.35), 60))
    assert [area.kilometres for area in areas] == [3.75, 15, 60]
    found = filter_first_rows(version, Comparison(SIZE, Operator.EQ, 3), 5, proceed)
    assert 5 <= len(found) < 50


def test_a_filter_of_thousands_of_conditions_ends_where_the_check_ends_it(version: VersionFile) -> None:
    conditions = tuple(Comparison(SIZE, Operator.GE, number) for number in range(6_000))
    query = Query(members=(), condition=Or(conditions), is_counted=True)
    assert run_query(version, query, proceed).count == sum(row["Size"] is not None for row in ROWS)
    looks = count()

    def end() -> None:
        if next(looks) == 100:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        run_query(version, query, end)
    assert next(looks) == 101
