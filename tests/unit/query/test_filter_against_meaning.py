"""A `$filter` means what its parts say: texts are written together with their meaning, in plain Python."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.model.ticks import FIRST, LAST, Ticks, format_ticks
from proxy.query.conditions import Operator
from proxy.query.filter_binding import bind_filter
from proxy.query.filter_parser import parse_filter
from tests.unit.query.engine import oracle, queries
from tests.unit.query.engine.versions import SCHEMA, Row

Meaning = Callable[[Row], bool]
Filter = tuple[str, Meaning]

DATES = (FIRST, FIRST + 1, 635_817_435_090_000_000, 635_817_435_091_234_567, LAST)
ROWS: list[Row] = [
    {},
    *({"Name": text, "IsOpen": True} for text in queries.TEXTS),
    *({"Size": number, "IsOpen": False} for number in queries.WHOLE),
    *({"Seen": ticks, "Name": "a", "Size": 1} for ticks in DATES),
]
"""Each value that the literals have, with some other properties missing."""

FLIPPED = {Operator.GT: Operator.LT, Operator.GE: Operator.LE, Operator.LT: Operator.GT, Operator.LE: Operator.GE}


def compare(value: Any, operator: Operator, literal: Any) -> bool:
    """A missing value equals null alone, and only equality holds for it."""
    if value is None or literal is None:
        return {Operator.EQ: value is literal, Operator.NE: value is not literal}.get(operator, False)
    return oracle.COMPARE[operator](value, literal)


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def text_of(row: Row, name: str) -> str:
    return oracle.lower(row.get(name) or "")


TEXT_LITERALS = st.one_of(
    st.sampled_from(queries.TEXTS).map(lambda text: (quote(text), text)),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4).map(lambda text: (quote(text), text)),
    st.integers(-99, 9_999).map(lambda number: (f"{number}L", str(number))),
    st.sampled_from([("true", "true"), ("null", ""), ("2015-10-29", "2015-10-29")]),
).map(lambda pair: (pair[0], oracle.lower(pair[1])))
WHOLE = st.sampled_from([*queries.WHOLE, 2, 2**63, -(2**63) - 1, 10**30])
DECIMALS = st.tuples(WHOLE, st.sampled_from(["0", "00", "5", "25"])).map(lambda parts: f"{parts[0]}.{parts[1]}")
NUMBER_LITERALS = st.one_of(
    st.one_of(WHOLE.map(str), DECIMALS).flatmap(
        lambda text: st.sampled_from([text, f"'{text}'", f"{text}M", f"{text}e0"]).map(
            lambda shown: (shown, Fraction(text))
        )
    ),
    st.just(("null", None)),
)
BOOLEAN_LITERALS = st.sampled_from(
    [("true", True), ("False", False), ("1", True), ("0", False), ("'1'", True), ("'TRUE'", True), ("null", None)]
)
DATE_LITERALS = st.one_of(
    st.sampled_from(DATES).flatmap(
        lambda ticks: st.sampled_from(["{}", "'{}'", "datetime'{}'"]).map(
            lambda form: (form.format(format_ticks(Ticks(ticks))), ticks)
        )
    ),
    st.just(("null", None)),
)
OPERATORS = st.sampled_from(list(Operator))


def comparisons(name: str, literals: st.SearchStrategy[tuple[str, Any]]) -> st.SearchStrategy[Filter]:
    """A property with a literal on either side, or in a list."""

    def read(row: Row) -> Any:
        return text_of(row, name) if name == "Name" else row.get(name)

    def build(literal: tuple[str, Any], operator: Operator, *, is_turned: bool) -> Filter:
        text, value = literal
        if is_turned:
            turned = FLIPPED.get(operator, operator)
            return f"{text} {operator} {name.upper()}", lambda row: compare(read(row), turned, value)
        return f"{name} {operator} {text}", lambda row: compare(read(row), operator, value)

    def build_list(items: list[tuple[str, Any]]) -> Filter:
        text = f"{name.lower()} In({' , '.join(text for text, _ in items)})"
        return text, lambda row: any(compare(read(row), Operator.EQ, value) for _, value in items)

    return st.one_of(
        st.builds(build, literals, OPERATORS, is_turned=st.booleans()),
        st.lists(literals, min_size=1, max_size=4).map(build_list),
    )


def build_match(literal: tuple[str, str], ending: tuple[str, bool], *, is_start: bool) -> Filter:
    """A wildcard, with a truth behind it or none."""
    text = f"{'startsWith' if is_start else 'ENDSWITH'}(Name, {literal[0]}){ending[0]}"

    def meaning(row: Row) -> bool:
        value = text_of(row, "Name")
        return (value.startswith(literal[1]) if is_start else value.endswith(literal[1])) is ending[1]

    return text, meaning


TRUTHS = st.sampled_from([("", True), (" eq true", True), (" Eq 0", False), (" ne 'false'", True), (" ne 1", False)])
WRITTEN = TEXT_LITERALS.filter(lambda pair: pair[0][0] == "'" and not pair[0].startswith("''"))
PARTS: st.SearchStrategy[Filter] = st.one_of(
    comparisons("Name", TEXT_LITERALS),
    comparisons("Size", NUMBER_LITERALS),
    comparisons("IsOpen", BOOLEAN_LITERALS),
    comparisons("Seen", DATE_LITERALS),
    st.builds(build_match, WRITTEN, TRUTHS, is_start=st.booleans()),
    st.just(("IsOpen", lambda row: row.get("IsOpen") is True)),
    st.just(("1 eq 1", lambda _: True)),
)


def join(word: str, parts: list[Filter]) -> Filter:
    combine = all if word.strip().lower() == "and" else any
    return f"({word.join(text for text, _ in parts)})", lambda row: combine(meaning(row) for _, meaning in parts)


def turn(part: Filter, ending: tuple[str, bool]) -> Filter:
    return f"not({part[0]}){ending[0]}", lambda row: (part[1](row) is ending[1]) is False


FILTERS = st.recursive(
    PARTS,
    lambda inner: st.one_of(
        st.builds(join, st.sampled_from([" and ", " AND ", " or ", " Or "]), st.lists(inner, min_size=2, max_size=3)),
        st.builds(turn, inner, TRUTHS),
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(FILTERS)
def test_a_filter_means_what_its_parts_say(written: Filter) -> None:
    text, meaning = written
    condition = bind_filter(parse_filter(text), SCHEMA)
    assert [oracle.holds(condition, row) for row in ROWS] == [meaning(row) for row in ROWS]


@given(st.lists(PARTS, min_size=3, max_size=3))
def test_and_binds_before_or(parts: list[Filter]) -> None:
    (first, one), (second, two), (third, three) = parts
    condition = bind_filter(parse_filter(f"{first} or {second} and not {third}"), SCHEMA)
    assert [oracle.holds(condition, row) for row in ROWS] == [one(row) or (two(row) and not three(row)) for row in ROWS]
