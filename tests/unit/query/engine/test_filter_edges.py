"""Values at the edges of their types, one by one."""

from pathlib import Path
from typing import Any

import pytest

from proxy.query.conditions import (
    ColumnComparison,
    Comparison,
    Condition,
    Membership,
    Operator,
    TextFunction,
    TextMatch,
)
from proxy.query.engine import run_query
from proxy.query.query import Query
from tests.unit.query.engine.versions import SCHEMA, Row, make_version, proceed

SIZE, RATE, NAME = (SCHEMA.require(name, name) for name in ("Size", "Rate", "Name"))
BEYOND = 2**53 + 1


@pytest.mark.parametrize(
    ("row", "condition"),
    [
        ({"Rate": -0.0}, Membership(RATE, (0.0,))),
        ({"Rate": 0.0}, Membership(RATE, (-0.0, 1.0))),
        ({"Name": "\u0130stanbul"}, Comparison(NAME, Operator.EQ, "istanbul")),
        ({"Name": "\u039f\u03a3"}, Comparison(NAME, Operator.EQ, "\u03bf\u03c3")),
        ({"Name": "\uffff"}, Comparison(NAME, Operator.LT, "\U0001f600")),
        ({}, Membership(NAME, ("a", ""))),
        ({}, Comparison(NAME, Operator.LE, "")),
        ({}, TextMatch(NAME, TextFunction.ENDS_WITH, "")),
        ({}, Comparison(SIZE, Operator.NE, 0)),
        ({}, ColumnComparison(SIZE, Operator.EQ, RATE)),
        ({"Size": BEYOND, "Rate": 2.0**53}, ColumnComparison(SIZE, Operator.GT, RATE)),
        ({"Size": 2**63 - 1, "Rate": 2.0**63}, ColumnComparison(RATE, Operator.GT, SIZE)),
        ({"Size": -(2**63), "Rate": -(2.0**63)}, ColumnComparison(SIZE, Operator.EQ, RATE)),
        ({"Size": 1, "Rate": float("nan")}, ColumnComparison(SIZE, Operator.NE, RATE)),
    ],
)
def test_a_condition_holds(tmp_path: Path, row: Row, condition: Condition) -> None:
    assert _holds(tmp_path, row, condition)


@pytest.mark.parametrize(
    ("row", "condition"),
    [
        ({"Name": "stra\u00dfe"}, Comparison(NAME, Operator.EQ, "strasse")),
        ({"Name": "a*"}, TextMatch(NAME, TextFunction.STARTS_WITH, "*")),
        ({}, Comparison(SIZE, Operator.GE, -(2**63))),
        ({}, Membership(SIZE, (0,))),
        ({}, ColumnComparison(SIZE, Operator.GE, RATE)),
        ({"Size": 1}, ColumnComparison(SIZE, Operator.EQ, RATE)),
        ({"Size": BEYOND, "Rate": 2.0**53}, ColumnComparison(SIZE, Operator.EQ, RATE)),
        ({"Size": BEYOND}, Comparison(SIZE, Operator.EQ, 2**53)),
        ({"Size": 1, "Rate": float("nan")}, ColumnComparison(SIZE, Operator.EQ, RATE)),
        ({"Rate": float("nan")}, Comparison(RATE, Operator.GE, -1e308)),
    ],
)
def test_a_condition_does_not_hold(tmp_path: Path, row: Row, condition: Condition) -> None:
    assert not _holds(tmp_path, row, condition)


def _holds(folder: Path, row: dict[str, Any], condition: Condition) -> bool:
    version = make_version(folder, [{"Id": "1", **row}])
    return bool(run_query(version, Query(members=(), condition=condition), proceed).ids)
