"""Whatever comes as a `$filter` is answered or refused, in a time that grows with its length alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.query.conditions import And, Condition, Not, Operator, Or, TextFunction
from proxy.query.errors import QueryError
from tests.support.processor_time import ends_within
from tests.unit.query.samples import SCHEMA, bound

LENGTH = 100_000
ENOUGH_SECONDS = 2

WORDS = st.sampled_from(
    [
        *Operator,
        *TextFunction,
        *(each.name for each in SCHEMA.properties),
        *("and", "or", "not", "in", "true", "false", "null", "datetime", "entityId", "(", ")", ",", "'", "''", " "),
        *("1", "-1.5", "2e3L", "2015-10-29", "T21:25:09Z", "'a'", "'1'", "'2015-10-29T21:25:09 01:00'", "\u00e9", "*"),
    ]
)
LITERALS = st.one_of(
    st.text(max_size=5).map(lambda text: "'" + text.replace("'", "''") + "'"),
    st.integers(-(2**70), 2**70).map(str),
    st.just("null"),
)
COMPARISONS = st.one_of(
    st.tuples(st.sampled_from(["Name", "storeid"]), st.sampled_from(list(Operator)), LITERALS).map(" ".join),
    st.tuples(st.just("Seats"), st.sampled_from(list(Operator)), st.sampled_from(["1", "'2'", "1.5", "null"])).map(
        " ".join
    ),
    st.tuples(st.just("Name in ("), LITERALS, st.just(","), LITERALS, st.just(")")).map("".join),
    st.just("IsOpen"),
)
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" and ".join),
        st.tuples(inner, inner).map(" or ".join),
        inner.map("not ({})".format),
        inner.map("({}) eq false".format),
    ),
    max_leaves=12,
)


def check(text: str) -> None:
    refused = ""
    try:
        bound(text)
    except QueryError as error:
        refused = str(error)
    assert not refused or refused.isprintable()
    assert len(refused) < 400


@given(st.text())
def test_any_text_is_answered_or_refused(text: str) -> None:
    check(text)


@given(st.lists(WORDS, max_size=25).map("".join))
def test_any_words_are_answered_or_refused(text: str) -> None:
    check(text)


@given(st.lists(WORDS, max_size=25).map(" ".join))
def test_any_words_with_blanks_are_answered_or_refused(text: str) -> None:
    check(text)


@given(FILTERS)
def test_every_filter_of_the_grammar_is_answered(text: str) -> None:
    assert count_depth(bound(text)) <= 100


@given(FILTERS)
def test_letter_case_of_words_and_names_and_parentheses_around_all_change_nothing(text: str) -> None:
    outside = "'".join(part if at % 2 else part.swapcase() for at, part in enumerate(text.split("'")))
    assert bound(outside) == bound(text) == bound(f"( {text} )")


def count_depth(condition: Condition) -> int:
    match condition:
        case And(operands) | Or(operands):
            return 1 + max(map(count_depth, operands))
        case Not(operand):
            return 1 + count_depth(operand)
        case _:
            return 1


@pytest.mark.parametrize(
    "piece",
    [
        *("(", ")", "not ", "not(", "'", "''", " ", "\u00a0", ",", "'a", "a'", "9", "9.", "-", "A", "1 eq 1 and "),
        *("Name eq 'x' or ", "startswith(Name,'''x') and ", "startswith(Name,'' ", "Seats in (1) or ", "1e", "2015-"),
    ],
)
@pytest.mark.parametrize(
    "start", ["", "Name eq '", "startswith(Name,''", "Name in (", "Seats eq ", "Created eq 2015-01-01T"]
)
def test_a_hostile_filter_takes_linear_time(start: str, piece: str) -> None:
    text = start + piece * (LENGTH // len(piece))
    assert ends_within(ENOUGH_SECONDS, lambda: check(text))


@pytest.mark.parametrize(
    "text",
    [
        "entityId in (" + ",".join(f"'{number}'" for number in range(5_000)) + ")",
        " or ".join(["Name eq 'x'"] * 7_000) + " or IsOpen",
        "Seats eq " + "1" * LENGTH + "." + "0" * LENGTH,
        "Seats gt 1e999999999999999999",
        "Seats lt 1e-999999999999999999",
        "1e999999999999999999 eq 1e-999999999999999999",
        "Seats in (" + ",".join(map(str, range(20_000))) + ")",
    ],
)
def test_a_large_filter_is_answered_in_time(text: str) -> None:
    assert ends_within(ENOUGH_SECONDS, lambda: bound(text))
