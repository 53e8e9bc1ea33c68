"""The engine finds what the contract says, for any entities and any query: the same as a slow oracle."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.query.conditions import And, Condition, Or
from proxy.query.engine import run_query
from proxy.query.query import DISTANCE, Distance, OrderKey, Query
from tests.unit.query.engine import oracle, queries
from tests.unit.query.engine.versions import Row, make_version, proceed

PAGE = 3


def _same(value: Any) -> Any:
    """NaN as a text, which is equal to itself."""
    return "NaN" if value != value else value  # noqa: PLR0124


@settings(max_examples=100, deadline=None)
@given(queries.rows(), queries.queries())
def test_a_page_has_the_entities_values_and_count_that_the_contract_says(rows: list[Row], query: Query) -> None:
    with TemporaryDirectory() as folder:
        result = run_query(make_version(Path(folder), rows), query, proceed)
    found = oracle.find(rows, query)
    page = found[query.skip : query.skip + query.top]
    assert list(result.ids) == [row["Id"] for row in page]
    assert result.count == (len(found) if query.is_counted else None)
    assert tuple(column.member for column in result.columns) == query.members
    for column in result.columns:
        if isinstance(column.member, Distance):
            assert column.values == pytest.approx([oracle.distance(query, row) for row in page], rel=1e-9, abs=1e-9)
        else:
            expected = [_same(row.get(column.member.name)) for row in page]  # type: ignore[union-attr]  # no intersection
            assert [_same(value) for value in column.values] == expected, DISTANCE


@settings(max_examples=60, deadline=None)
@given(queries.rows(6), st.lists(queries.plain_conditions(), min_size=12, max_size=12))
def test_a_condition_alone_and_with_others_finds_what_the_contract_says(
    rows: list[Row], conditions: list[Condition]
) -> None:
    pairs = [kind(pair) for kind in (And, Or) for pair in pairwise(conditions)]
    with TemporaryDirectory() as folder:
        version = make_version(Path(folder), rows)
        for condition in (*conditions, *pairs):
            query = Query(members=(), condition=condition, top=250)
            assert list(run_query(version, query, proceed).ids) == [row["Id"] for row in oracle.find(rows, query)]


@settings(max_examples=40, deadline=None)
@given(queries.rows(6), st.lists(queries.orders(by_distance=False), min_size=12, max_size=12))
def test_an_order_is_that_of_the_contract(rows: list[Row], orders: list[tuple[OrderKey, ...]]) -> None:
    with TemporaryDirectory() as folder:
        version = make_version(Path(folder), rows)
        for order in orders:
            query = Query(members=(), order=order, top=250)
            assert list(run_query(version, query, proceed).ids) == [row["Id"] for row in oracle.find(rows, query)]


@settings(max_examples=40, deadline=None)
@given(queries.rows(), queries.queries())
def test_pages_neither_overlap_nor_leave_gaps(rows: list[Row], query: Query) -> None:
    with TemporaryDirectory() as folder:
        version = make_version(Path(folder), rows)
        paged: list[str] = []
        while page := run_query(version, replace(query, skip=len(paged), top=PAGE), proceed).ids:
            paged += page
    assert paged == [row["Id"] for row in oracle.find(rows, query)]


@settings(max_examples=40, deadline=None)
@given(queries.rows(), st.sampled_from(queries.TEXTS))
def test_one_entity_is_found_by_its_exact_id_first_then_in_any_letter_case(rows: list[Row], id_: str) -> None:
    with TemporaryDirectory() as folder:
        result = run_query(make_version(Path(folder), rows), Query(members=(), entity_id=id_), proceed)
    exact = [row["Id"] for row in rows if row["Id"] == id_]
    other = sorted(row["Id"] for row in rows if oracle.lower(row["Id"]) == oracle.lower(id_))
    assert list(result.ids) == (exact or other)[:1]
