"""Bends the literals of a `$filter` to the types of properties (query-api.md, 1.5)."""

import re
from decimal import Decimal, InvalidOperation

from adapters.model.ticks import Ticks, parse_ticks
from proxy.query.errors import QueryError, quote_value
from proxy.query.filter_scanner import DATE, NUMBER
from proxy.query.filter_syntax import Literal, LiteralKind
from proxy.query.schema import Property, PropertyType

_NUMBER = re.compile(NUMBER, re.IGNORECASE)
_DATE = re.compile(DATE, re.IGNORECASE)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def bend_text(literal: Literal) -> str:
    """The text that a String is compared with; null is an empty one."""
    return "" if literal.kind is LiteralKind.NULL else literal.text


def bend_whole_number(literal: Literal, column: Property) -> Decimal:
    """The number that an Int64 is compared with, which may have a fraction or be beyond 64 bits.

    Raises:
        QueryError: the literal is no number.
    """
    try:
        return Decimal(_number_text(literal, column))
    except InvalidOperation as error:  # an exponent of more than 18 digits
        raise _mismatch(literal, column) from error


def bend_double(literal: Literal, column: Property) -> float:
    """The number that a Double is compared with.

    Raises:
        QueryError: the literal is no number.
    """
    return float(_number_text(literal, column))


def bend_boolean(literal: Literal, column: Property) -> bool:
    """The truth that a Boolean is compared with.

    Raises:
        QueryError: the literal is none.
    """
    found = _BOOLEANS.get(literal.text.strip().lower())
    if found is None or literal.kind is LiteralKind.DATE:
        raise _mismatch(literal, column)
    return found


def bend_date(literal: Literal, column: Property) -> Ticks:
    """The instant that a DateTime is compared with. Without a zone it is in UTC; digits beyond the seventh are cut.

    Raises:
        QueryError: the literal is no date.
    """
    match = _DATE.fullmatch(literal.text.strip().upper())
    if match is None or literal.kind not in {LiteralKind.TEXT, LiteralKind.DATE}:
        raise _mismatch(literal, column)
    zone = (match["zone"] or "Z").replace(" ", "+")
    try:
        return parse_ticks(f"{match['day']}T{match['minute'] or '00:00'}:{match['second'] or '00'}{zone}")
    except ValueError as error:
        raise _mismatch(literal, column) from error


def _number_text(literal: Literal, column: Property) -> str:
    """The literal's number without its type's suffix."""
    match = _NUMBER.fullmatch(literal.text.strip())
    if match is None or literal.kind not in {LiteralKind.TEXT, LiteralKind.NUMBER}:
        raise _mismatch(literal, column)
    return match[1]


_FORMS = {
    PropertyType.INT64: "a number like 40",
    PropertyType.DOUBLE: "a number like 1.5",
    PropertyType.BOOLEAN: "true, false, 1 or 0",
    PropertyType.DATETIME: "a date like 2015-10-29T21:25:09Z",
}


def _mismatch(literal: Literal, column: Property) -> QueryError:
    return QueryError(
        f"The parameter $filter compares {column.name} with {quote_value(literal.text)}. It is of type {column.type}:"
        f" allowed is {_FORMS[column.type]}, or null."
    )
