"""Conditions to masks: which of some rows a bound `$filter` holds for (query-api.md, section 1.5).

Arrow's comparisons give null for a missing value; here each is filled at once with what holds for a missing value, so
that all masks are two-valued. Texts compare in lower case, byte by byte of UTF-8, which is by code points.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from proxy.query.columns import EMPTY, Rows, lower, take, text_column
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
    Value,
)
from proxy.query.schema import Property, PropertyType
from proxy.query.version_file import VersionFile

Mask = npt.NDArray[np.bool_]

_ARROW: dict[Operator, Callable[..., pa.Array]] = {
    Operator.EQ: pc.equal,
    Operator.NE: pc.not_equal,
    Operator.GT: pc.greater,
    Operator.GE: pc.greater_equal,
    Operator.LT: pc.less,
    Operator.LE: pc.less_equal,
}
_PLAIN: dict[Operator, Callable[[Any, Any], Any]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
}
_FEW = 4
"""The part of the rows, one in so many, below which a column's values are taken before they are compared."""
_PARTS = (64, 8, 1)
_MANY = 4096
"""Entities of a version from which on a part of them is looked at first."""
_INT64_END = 2.0**63


def filter_first_rows(version: VersionFile, condition: Condition, wanted: int, check: Callable[[], None]) -> Rows:
    """The first rows that a condition holds for: at least so many, or all of them."""
    found, start = [np.zeros(0, np.int32)], 0
    for part in _PARTS if version.rows > _MANY else _PARTS[-1:]:
        rows = np.arange(start, version.rows // part, dtype=np.int32)
        found.append(rows[mask_rows(version, condition, rows, check)])
        start = version.rows // part
        if sum(map(len, found)) >= wanted:
            break
    return np.concatenate(found)


def mask_rows(version: VersionFile, condition: Condition, rows: Rows | None, check: Callable[[], None]) -> Mask:
    """Which rows a condition holds for.

    Args:
        version: the entities.
        condition: the bound `$filter`.
        rows: the rows to look at; None is all.
        check: is called between comparisons, and ends the work by an exception.

    Returns:
        A mask as long as the rows.
    """
    if rows is not None and len(rows) * _FEW > version.rows:
        mask: Mask = _Evaluation(version, None, check).evaluate(condition)[rows]
        return mask
    return _Evaluation(version, rows, check).evaluate(condition)


class _Evaluation:
    """The masks of one query; a column that several conditions name is taken once."""

    def __init__(self, version: VersionFile, rows: Rows | None, check: Callable[[], None]) -> None:
        self._version, self._rows, self._check = version, rows, check
        self._length = version.rows if rows is None else len(rows)
        self._taken: dict[str, pa.Array] = {}

    def evaluate(self, condition: Condition) -> Mask:
        self._check()
        evaluations: dict[type, Callable[[Any], Mask]] = {
            Constant: self._repeat,
            Missing: self._find_missing,
            Comparison: self._compare,
            ColumnComparison: self._compare_columns,
            Membership: self._find_members,
            TextMatch: self._match,
            Not: self._turn,
            And: self._intersect,
            Or: self._unite,
        }
        return evaluations[type(condition)](condition)

    def _repeat(self, condition: Constant) -> Mask:
        return np.full(self._length, condition.value)

    def _find_missing(self, condition: Missing) -> Mask:
        return _mask(self._take(condition.column).is_null())

    def _turn(self, condition: Not) -> Mask:
        return ~self.evaluate(condition.operand)

    def _intersect(self, condition: And) -> Mask:
        mask = self.evaluate(condition.operands[0])
        for operand in condition.operands[1:]:
            left = np.flatnonzero(mask).astype(np.int32)
            if len(left) * _FEW < self._length:
                rows = left if self._rows is None else self._rows[left]
                mask[left] = _Evaluation(self._version, rows, self._check).evaluate(operand)
            else:
                mask &= self.evaluate(operand)
        return mask

    def _unite(self, condition: Or) -> Mask:
        first, *others = _join_values(condition.operands)
        mask = self.evaluate(first)
        for operand in others:
            mask |= self.evaluate(operand)
        return mask

    def _take(self, column: Property) -> pa.Array:
        taken = self._taken.get(column.name)
        if taken is None:
            is_text = column.type is PropertyType.STRING
            whole = text_column(self._version, column.name) if is_text else self._version.column(column.name)
            taken = self._taken[column.name] = take(whole, self._rows)
        return taken

    def _compare(self, condition: Comparison) -> Mask:
        column, value = self._take(condition.column), condition.value
        of_missing = condition.operator is Operator.NE
        if isinstance(value, str):
            value = lower(value)
            of_missing = _PLAIN[condition.operator]("", value)
        return _mask(_ARROW[condition.operator](column, pa.scalar(value, column.type)), of_missing=of_missing)

    def _compare_columns(self, condition: ColumnComparison) -> Mask:
        left, right = self._take(condition.left), self._take(condition.right)
        if pa.types.is_string(left.type):
            return _mask(_ARROW[condition.operator](_filled(left), _filled(right)))
        is_missing = np.array([_mask(side.is_null()) for side in (left, right)])
        if left.type == right.type:
            mask = _mask(_ARROW[condition.operator](left, right))
        else:
            mask = _PLAIN[condition.operator](_signs(left, right), 0)
        either, both = is_missing.any(axis=0), is_missing.all(axis=0)
        is_equal, is_unequal = condition.operator is Operator.EQ, condition.operator is Operator.NE
        found: Mask = np.where(either, np.where(both, is_equal, is_unequal), mask)
        return found

    def _find_members(self, condition: Membership) -> Mask:
        column = self._take(condition.column)
        # Zero and negative zero are equal, but not to Arrow's hashes.
        zeros = (0.0, -0.0) if condition.column.type is PropertyType.DOUBLE and 0.0 in condition.values else ()
        values = pa.array((*condition.values, *zeros), column.type)
        if condition.column.type is PropertyType.STRING:
            values = pc.utf8_lower(values)
        mask = _mask(pc.is_in(column, values))
        if "" in condition.values and column.null_count:
            mask |= _mask(column.is_null())
        return mask

    def _match(self, condition: TextMatch) -> Mask:
        column, text = self._take(condition.column), lower(condition.text)
        match = pc.starts_with if condition.function is TextFunction.STARTS_WITH else pc.ends_with
        return _mask(match(column, text), of_missing=not text)


def _join_values(operands: tuple[Condition, ...]) -> list[Condition]:
    """Alternatives with those that compare one column with one value after the other looked up together."""
    values: dict[Property, list[Value]] = {}
    others: list[Condition] = []
    for operand in operands:
        if isinstance(operand, Membership):
            values.setdefault(operand.column, []).extend(operand.values)
        elif isinstance(operand, Comparison) and operand.operator is Operator.EQ:
            values.setdefault(operand.column, []).append(operand.value)
        else:
            others.append(operand)
    return [*(Membership(column, tuple(each)) for column, each in values.items()), *others]


def _filled(column: pa.Array) -> pa.Array:
    return column.fill_null(EMPTY) if column.null_count else column


def _mask(found: pa.Array, *, of_missing: bool = False) -> Mask:
    if found.null_count:
        found = found.fill_null(of_missing)
    # A copy: the bits become bytes, which later steps may write to.
    mask: Mask = found.to_numpy(zero_copy_only=False)
    return mask


def _signs(left: pa.Array, right: pa.Array) -> npt.NDArray[np.float64]:
    """-1, 0 or 1 as an Int64 is less than, equal to or greater than a Double, exactly; NaN beside NaN.

    Where the Int64, rounded to a Double, differs from the other, rounding has not changed their order. Else both are
    compared as Int64; the Double is whole then, and below 2^63 or greater than any Int64.
    """
    if pa.types.is_floating(left.type):
        signs: npt.NDArray[np.float64] = -_signs(right, left)
        return signs
    whole = left.fill_null(0).to_numpy()
    other = right.fill_null(0.0).to_numpy()
    signs = np.sign(whole.astype(np.float64) - other)
    equal = np.flatnonzero(signs == 0)
    below = other[equal] < _INT64_END
    exact = np.where(below, other[equal], 0).astype(np.int64)
    differs = whole[equal]
    signs[equal] = np.where(below, (differs > exact).astype(np.float64) - (differs < exact), -1)
    return signs
