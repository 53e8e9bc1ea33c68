"""Binds a `$filter` to a schema: names become properties, literals bend to their types (query-api.md, 1.5)."""

import operator as python
from collections.abc import Callable
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

from proxy.query import filter_syntax as syntax
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
    TextMatch,
    Value,
)
from proxy.query.errors import QueryError, quote_value
from proxy.query.literals import bend_boolean, bend_date, bend_double, bend_text, bend_whole_number
from proxy.query.query import DISTANCE
from proxy.query.schema import Property, PropertyType, Schema

_PARAMETER = "$filter"
_NUMBERS = {PropertyType.INT64, PropertyType.DOUBLE}
_INT64 = range(-(2**63), 2**63)
_FLIPPED = {
    Operator.GT: Operator.LT,
    Operator.GE: Operator.LE,
    Operator.LT: Operator.GT,
    Operator.LE: Operator.GE,
}
_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: python.eq,
    Operator.NE: python.ne,
    Operator.GT: python.gt,
    Operator.GE: python.ge,
    Operator.LT: python.lt,
    Operator.LE: python.le,
}
_BEND: dict[PropertyType, Callable[[syntax.Literal, Property], Value]] = {
    PropertyType.STRING: lambda literal, _: bend_text(literal),
    PropertyType.BOOLEAN: bend_boolean,
    PropertyType.DOUBLE: bend_double,
    PropertyType.DATETIME: bend_date,
}


def bind_filter(expression: syntax.Expression, schema: Schema) -> Condition:
    """The condition that a filter is for the entities of a schema.

    Raises:
        QueryError: a name is no property that can be filtered on, or a literal does not fit its type.
    """
    match expression:
        case syntax.Or(operands):
            return Or(tuple(bind_filter(each, schema) for each in operands))
        case syntax.And(operands):
            return And(tuple(bind_filter(each, schema) for each in operands))
        case syntax.Not(operand):
            return Not(bind_filter(operand, schema))
        case syntax.Comparison(left, operator, right):
            return _bind_operands(_bind_operand(left, schema), operator, _bind_operand(right, schema))
        case _:
            return _bind_predicate(expression, schema)


def _bind_predicate(predicate: syntax.Name | syntax.TextMatch | syntax.Membership, schema: Schema) -> Condition:
    if isinstance(predicate, syntax.Name):
        column = _require_type(_find(predicate, schema), PropertyType.BOOLEAN, "without an operator")
        return Comparison(column, Operator.EQ, value=True)
    if isinstance(predicate, syntax.TextMatch):
        column = _require_type(_find(predicate.name, schema), PropertyType.STRING, f"in {predicate.function}")
        return TextMatch(column, predicate.function, predicate.text)
    operand = _bind_operand(predicate.operand, schema)
    if isinstance(operand, Property):
        return _bind_membership(operand, predicate.items)
    return Constant(any(_compare_literals(operand, Operator.EQ, item) for item in predicate.items))


def _bind_operand(operand: syntax.Operand, schema: Schema) -> Property | syntax.Literal:
    return _find(operand, schema) if isinstance(operand, syntax.Name) else operand


def _bind_operands(left: Property | syntax.Literal, operator: Operator, right: Property | syntax.Literal) -> Condition:
    if isinstance(left, Property):
        if isinstance(right, Property):
            return _bind_columns(left, operator, right)
        return _bind_comparison(left, operator, right)
    if isinstance(right, Property):
        return _bind_comparison(right, _FLIPPED.get(operator, operator), left)
    return Constant(_compare_literals(left, operator, right))


def _find(name: syntax.Name, schema: Schema) -> Property:
    if name.text.lower() == DISTANCE.lower():
        raise QueryError(f"The parameter $filter names {DISTANCE}, which can't be filtered on.")
    found = schema.require(name.text, _PARAMETER)
    if found.is_coordinate or found.type is PropertyType.GEOGRAPHY:
        raise QueryError(
            f"The parameter $filter names {quote_value(name.text)}. Latitude, Longitude and geographies can't be"
            " filtered on: use the parameter spatialFilter."
        )
    return found


def _require_type(column: Property, type_: PropertyType, use: str) -> Property:
    if column.type is not type_:
        raise QueryError(
            f"The parameter $filter has {column.name} {use}. It is of type {column.type}, and allowed is a {type_}."
        )
    return column


def _bind_columns(left: Property, operator: Operator, right: Property) -> Condition:
    if left.type is not right.type and not {left.type, right.type} <= _NUMBERS:
        raise QueryError(
            f"The parameter $filter compares {left.name} of type {left.type} with {right.name} of type {right.type}."
            " Allowed are two of the same type, or two numbers."
        )
    return ColumnComparison(left, operator, right)


def _bind_membership(column: Property, items: tuple[syntax.Literal, ...]) -> Condition:
    """Any of the items; those that no value can equal fall away."""
    found = [_bind_comparison(column, Operator.EQ, item) for item in items]
    values = tuple(dict.fromkeys(each.value for each in found if isinstance(each, Comparison)))
    membership = Membership(column, values) if values else Constant(value=False)
    return Or((membership, Missing(column))) if Missing(column) in found else membership


def _bind_comparison(column: Property, operator: Operator, literal: syntax.Literal) -> Condition:
    if literal.kind is syntax.LiteralKind.NULL and column.type is not PropertyType.STRING:
        return _compare_with_null(column, operator)
    if column.type is PropertyType.INT64:
        return _compare_int64(column, operator, bend_whole_number(literal, column))
    return Comparison(column, operator, _BEND[column.type](literal, column))


def _compare_with_null(column: Property, operator: Operator) -> Condition:
    match operator:
        case Operator.EQ:
            return Missing(column)
        case Operator.NE:
            return Not(Missing(column))
        case _:
            return Constant(value=False)


def _compare_int64(column: Property, operator: Operator, number: Decimal) -> Condition:
    """The same comparison with a number of 64 bits, exact for all: `gt 1.5` is `gt 1`, `lt 1.5` is `le 1`."""
    if not _INT64.start <= number < _INT64.stop:
        holds = _COMPARE[operator](0, number)
        if operator in {Operator.EQ, Operator.NE} or not holds:
            return Constant(holds)
        return Not(Missing(column))
    whole = int(number.to_integral_value(ROUND_FLOOR))
    if number == whole:
        return Comparison(column, operator, whole)
    if operator in {Operator.EQ, Operator.NE}:
        return Constant(operator is Operator.NE)
    return Comparison(column, Operator.GT if operator in {Operator.GT, Operator.GE} else Operator.LE, whole)


def _compare_literals(left: syntax.Literal, operator: Operator, right: syntax.Literal) -> bool:
    """Two numbers compare as numbers, all else as texts as written, letter case aside."""
    if left.kind is right.kind is syntax.LiteralKind.NUMBER:
        try:
            return _COMPARE[operator](Decimal(left.text), Decimal(right.text))
        except InvalidOperation as error:  # an exponent of more than 18 digits
            raise QueryError(
                f"The parameter $filter compares {quote_value(left.text)} with {quote_value(right.text)}. Allowed are"
                " numbers with exponents of at most 18 digits."
            ) from error
    return _COMPARE[operator](_lower(left.text), _lower(right.text))


def _lower(text: str) -> str:
    """Each character by its simple mapping, as Arrow does: `str.lower` alone minds a final sigma and lengthens some."""
    return "".join(character.lower()[0] for character in text)
