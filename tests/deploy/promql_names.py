"""Reads an expression, and says what is wrong with it that Prometheus would not: it takes any name and any label.

A misspelt name, a label that a metric does not have, or two sides that can't match give no error, only no data: an
empty panel, an alert that never fires. So each expression is read against the table of metrics.
"""

import re
from dataclasses import dataclass, field

from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    LabelModifierType,
    Matcher,
    MatchOp,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    StringLiteral,
    UnaryExpr,
    VectorMatchCardinality,
    VectorSelector,
    parse,
)

from tests.deploy.series import SERIES, Series

Labels = frozenset[str] | None
"""The labels that each sample of a result has; None: it is one number."""

NONE: frozenset[str] = frozenset()
SET_OPERATORS = ("and", "or", "unless")
RATES = ("rate", "increase")
AGGREGATIONS = ("sum", "max", "min", "avg", "count", "topk", "bottomk")
PASSING = ("clamp_min", "clamp_max", "abs")
OVER_TIME = ("max_over_time", "min_over_time", "avg_over_time", "last_over_time")


@dataclass(slots=True)
class Reading:
    """What an expression asks for, which labels its result has, and what is wrong with it."""

    labels: Labels = NONE
    metrics: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def read(expression: str) -> Reading:
    """Reads an expression."""
    reading = Reading()
    try:
        tree = parse(expression)
    except ValueError as error:
        reading.problems.append(f"no expression: {error}")
        return reading
    reading.labels = _Reader(reading).labels(tree)
    return reading


class _Reader:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def labels(self, node: Expr) -> Labels:  # noqa: PLR0911 - one for each kind of node
        match node:
            case NumberLiteral() | StringLiteral():
                return None
            case ParenExpr() | UnaryExpr():
                return self.labels(node.expr)
            case VectorSelector():
                return self._raw(node)
            case AggregateExpr():
                return self._aggregated(node)
            case BinaryExpr():
                return self._joined(node)
            case Call():
                return self._called(node)
        self._tell(f"{type(node).__name__} is not known to this check")
        return NONE

    def _tell(self, problem: str) -> None:
        self._reading.problems.append(problem)

    def _selected(self, selector: VectorSelector) -> Series | None:
        series = SERIES.get(selector.name or "")
        if series is None:
            self._tell(f"no metric {selector.name}")
            return None
        if series.metric is not None:
            self._reading.metrics.add(series.metric.name)
        for matcher in [*selector.matchers.matchers, *(m for some in selector.matchers.or_matchers for m in some)]:
            if matcher.name not in series.labels:
                self._tell(f"{series.name} has no label {matcher.name}")
            elif not _can_match(matcher, series.words(matcher.name)):
                self._tell(f"{matcher.name} of {series.name} is never {matcher.value}")
        return series

    def _raw(self, selector: VectorSelector) -> Labels:
        series = self._selected(selector)
        if series is None:
            return NONE
        if series.counts:
            self._tell(f"{series.name} counts since the start of a process: rate or increase is meant")
        if series.is_census:
            self._tell(f"each process tells {series.name}: max or min of it is meant")
        return series.labels

    def _aggregated(self, node: AggregateExpr) -> Labels:
        name = str(node.op)
        if name not in AGGREGATIONS:
            self._tell(f"{name} is not known to this check")
        inner: Labels
        series = SERIES.get(node.expr.name or "") if isinstance(node.expr, VectorSelector) else None
        if isinstance(node.expr, VectorSelector) and series and series.is_census and name in {"max", "min"}:
            self._selected(node.expr)
            inner = series.labels
        else:
            inner = self.labels(node.expr)
        if inner is None:
            self._tell(f"{name} of a number")
            return NONE
        if name in {"topk", "bottomk"}:
            return inner
        named = frozenset(node.modifier.labels) if node.modifier else NONE
        self._has(inner, named, name)
        if node.modifier and node.modifier.type == AggModifierType.Without:
            return inner - named
        return named

    def _has(self, labels: frozenset[str], named: frozenset[str], where: str) -> None:
        for label in sorted(named - labels):
            self._tell(f"{where}: there is no label {label}")

    def _called(self, node: Call) -> Labels:  # noqa: PLR0911 - one for each kind of function
        name, arguments = node.func.name, node.args
        if name == "time":
            return None
        if name == "vector":
            return NONE
        if name in RATES:
            return self._over_range(name, arguments[0], counting=True)
        if name in OVER_TIME:
            return self._over_range(name, arguments[0], counting=False)
        if name in PASSING:
            return self.labels(arguments[0])
        if name == "absent":
            return self._absent(arguments[0])
        if name == "histogram_quantile":
            return self._quantile(arguments[1])
        self._tell(f"{name} is not known to this check")
        return NONE

    def _over_range(self, name: str, argument: Expr, *, counting: bool) -> Labels:
        if not isinstance(argument, MatrixSelector):
            self._tell(f"{name} of something else than a series")
            return NONE
        series = self._selected(argument.vector_selector)
        if series is None:
            return NONE
        if series.counts is not counting:
            self._tell(f"{name} of {series.name}, which is a {'counter' if series.counts else 'gauge'}")
        return series.labels

    def _absent(self, argument: Expr) -> Labels:
        self.labels(argument)
        if not isinstance(argument, VectorSelector):
            return NONE
        return frozenset(m.name for m in argument.matchers.matchers if m.op == MatchOp.Equal)

    def _quantile(self, argument: Expr) -> Labels:
        inner = self.labels(argument)
        names = [selector.name or "" for selector in _selectors(argument)]
        if any(name in SERIES and not SERIES[name].is_bucket for name in names):
            self._tell("histogram_quantile of something else than buckets")
        if inner is None or "le" not in inner:
            self._tell("histogram_quantile without le")
            return NONE
        return inner - {"le"}

    def _joined(self, node: BinaryExpr) -> Labels:
        if _is_new_series(node) and isinstance(node.lhs, VectorSelector):
            series = self._selected(node.lhs)
            return series.labels if series else NONE
        left, right = self.labels(node.lhs), self.labels(node.rhs)
        if left is None or right is None:
            return right if left is None else left
        operator, modifier = str(node.op), node.modifier
        matching = modifier.matching if modifier else None
        named = frozenset(matching.labels) if matching else NONE
        if matching and matching.type == LabelModifierType.Include:
            self._has(left, named, f"left of {operator}")
            self._has(right, named, f"right of {operator}")
            left_key, right_key = named, named
        else:
            left_key, right_key = left - named, right - named
            if left_key != right_key:
                self._tell(f"the sides of {operator} never match: {sorted(left_key)} and {sorted(right_key)}")
        if operator in SET_OPERATORS:
            return left & right if operator == "or" else left
        card = modifier.card if modifier else VectorMatchCardinality.OneToOne
        added = frozenset((modifier.group_labels if modifier else None) or ())
        many, one, key = left, right, right_key
        if card == VectorMatchCardinality.OneToMany:
            many, one, key = right, left, left_key
        self._has(one, added, f"group of {operator}")
        if one != key or (card == VectorMatchCardinality.OneToOne and many != key):
            self._tell(f"{operator} finds several for one: {sorted(left)} and {sorted(right)}")
        return many | added


def _selectors(node: Expr) -> list[VectorSelector]:
    match node:
        case VectorSelector():
            return [node]
        case MatrixSelector():
            return [node.vector_selector]
        case ParenExpr() | UnaryExpr() | AggregateExpr():
            return _selectors(node.expr)
        case BinaryExpr():
            return [*_selectors(node.lhs), *_selectors(node.rhs)]
        case Call():
            return [selector for argument in node.args for selector in _selectors(argument)]
    return []


def _is_new_series(node: BinaryExpr) -> bool:
    """Whether it is `x unless last_over_time(x[1h] offset 1h)`: the counters that were not there before.

    Prometheus sees no increase where a counter appears with its first event. What such a counter has, it has counted
    since.
    """
    if str(node.op) != "unless" or not isinstance(node.lhs, VectorSelector) or not isinstance(node.rhs, Call):
        return False
    before = node.rhs.args[0]
    if node.rhs.func.name != "last_over_time" or not isinstance(before, MatrixSelector):
        return False
    earlier = before.vector_selector
    same = (earlier.name, str(earlier.matchers)) == (node.lhs.name, str(node.lhs.matchers))
    return same and earlier.offset == before.range and node.lhs.offset is None


def _can_match(matcher: Matcher, words: frozenset[str] | None) -> bool:
    """Whether some word is taken, and no alternative is one that can't be."""
    if words is None:
        return True
    if matcher.op == MatchOp.Equal or matcher.op == MatchOp.NotEqual:  # noqa: PLR1714 - they can't be in a set
        return matcher.value in words
    return all(any(re.fullmatch(part, word) for word in words) for part in matcher.value.split("|"))
