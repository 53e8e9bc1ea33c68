"""Parses `$filter` by recursive descent (query-api.md, 1.5). Each function is a rule of the grammar there."""

from proxy.query.conditions import Operator, TextFunction
from proxy.query.errors import QueryError
from proxy.query.filter_scanner import FilterScanner
from proxy.query.filter_syntax import (
    And,
    Comparison,
    Expression,
    Literal,
    LiteralKind,
    Membership,
    Name,
    Not,
    Operand,
    Or,
    TextMatch,
)

MAX_DEPTH = 100
"""Parentheses and `not` in each other."""

_OPERATORS = tuple(Operator)
_FUNCTIONS = tuple(TextFunction)
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_OPERATOR_FORM = "an operator (eq, ne, gt, ge, lt, le, in)"
_OPERAND_FORM = "a property, a literal (text in quotes, number, true, false, null, date), startswith, endswith or '('"


def parse_filter(text: str) -> Expression:
    """Parses a filter that is not empty.

    Raises:
        QueryError: the text is none.
    """
    scanner = FilterScanner(text)
    expression = _parse_or(scanner, MAX_DEPTH)
    if not scanner.is_at_end:
        raise scanner.error("and, or or the end")
    return expression


def _parse_or(scanner: FilterScanner, depth: int) -> Expression:
    terms = [_parse_and(scanner, depth)]
    while scanner.read_word("or"):
        terms.append(_parse_and(scanner, depth))
    return terms[0] if len(terms) == 1 else Or(tuple(terms))


def _parse_and(scanner: FilterScanner, depth: int) -> Expression:
    factors = [_parse_factor(scanner, depth)]
    while scanner.read_word("and"):
        factors.append(_parse_factor(scanner, depth))
    return factors[0] if len(factors) == 1 else And(tuple(factors))


def _parse_factor(scanner: FilterScanner, depth: int) -> Expression:
    if scanner.read_word("not"):
        return Not(_parse_factor(scanner, _deepen(depth)))
    if scanner.read_mark("("):
        group = _parse_or(scanner, _deepen(depth))
        scanner.require_mark(")")
        return _parse_truth(scanner, group)
    if scanner.peek_function() in _FUNCTIONS:
        return _parse_truth(scanner, _parse_function(scanner))
    return _parse_comparison(scanner)


def _deepen(depth: int) -> int:
    if not depth:
        raise QueryError(
            f"The parameter $filter is not valid: more than {MAX_DEPTH} parentheses and nots are in each other."
        )
    return depth - 1


def _parse_truth(scanner: FilterScanner, expression: Expression) -> Expression:
    """`[ (eq|ne) truth ]` after a group or a function."""
    operator = scanner.read_word(Operator.EQ, Operator.NE)
    if not operator:
        return expression
    mismatch = scanner.error("true, false, 1 or 0")
    literal = scanner.read_literal()
    truth = _TRUTHS.get(literal.text.lower()) if literal else None
    if truth is None:
        raise mismatch
    return expression if truth is (operator == Operator.EQ) else Not(expression)


def _parse_function(scanner: FilterScanner) -> TextMatch:
    function = TextFunction(scanner.read_name().lower())
    scanner.require_mark("(")
    name = scanner.read_name()
    if not name:
        raise scanner.error("a property")
    scanner.require_mark(",")
    text = scanner.read_wrapped_text()
    if text is None:
        mismatch = scanner.error("a text in quotes")
        literal = scanner.read_literal()
        if literal is None or literal.kind not in {LiteralKind.TEXT, LiteralKind.NUMBER}:
            raise mismatch
        text = literal.text
    scanner.require_mark(")")
    return TextMatch(function, Name(name), text)


def _parse_comparison(scanner: FilterScanner) -> Expression:
    left = _parse_operand(scanner)
    operator = scanner.read_word(*_OPERATORS)
    if operator:
        return Comparison(left, Operator(operator), _parse_operand(scanner))
    if scanner.peek_function() == "in":
        return Membership(left, _parse_items(scanner))
    ends_here = scanner.is_at_end or scanner.is_at(")") or scanner.peek_word().lower() in {"and", "or"}
    if isinstance(left, Name) and ends_here:
        return left
    raise scanner.error(_OPERATOR_FORM)


def _parse_items(scanner: FilterScanner) -> tuple[Literal, ...]:
    scanner.read_word("in")
    scanner.require_mark("(")
    items = [_require_literal(scanner)]
    while scanner.read_mark(","):
        items.append(_require_literal(scanner))
    scanner.require_mark(")")
    return tuple(items)


def _require_literal(scanner: FilterScanner) -> Literal:
    literal = scanner.read_literal()
    if literal is None:
        raise scanner.error("a literal")
    return literal


def _parse_operand(scanner: FilterScanner) -> Operand:
    literal = scanner.read_literal()
    if literal is not None:
        return literal
    name = scanner.read_name()
    if not name:
        raise scanner.error(_OPERAND_FORM)
    return Name(name)
