"""Which texts are a `$filter`, and what they mean (query-api.md, section 1.5)."""

import pytest

from adapters.model.ticks import parse_ticks
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
)
from tests.unit.query.samples import CREATED, IS_OPEN, KEY, NAME, RATE, SEATS, bound

EQ, NE, GT, GE, LT, LE = Operator
A, B, C = (Comparison(NAME, EQ, text) for text in "abc")
OPEN = Comparison(IS_OPEN, EQ, value=True)
STARTS, ENDS = (TextMatch(NAME, function, "x") for function in TextFunction)
ALL, NOTHING = Constant(value=True), Constant(value=False)
PRESENT = Not(Missing(SEATS))


def name(text: str) -> Comparison:
    return Comparison(NAME, EQ, text)


def starts(text: str) -> TextMatch:
    return TextMatch(NAME, TextFunction.STARTS_WITH, text)


def created(text: str) -> Comparison:
    return Comparison(CREATED, EQ, parse_ticks(text))


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("Name eq 'a'", A),
        (" Name  eq\t'a' ", A),
        ("nAME Eq 'a'", A),
        ("Name EQ 'a'", A),
        ("Name eq'a'", A),
        ("'a' eq Name", A),
        ("Name ne 'a'", Comparison(NAME, NE, "a")),
        ("5 lt Seats", Comparison(SEATS, GT, 5)),
        ("5 le Seats", Comparison(SEATS, GE, 5)),
        ("5 gt Seats", Comparison(SEATS, LT, 5)),
        ("5 ge Seats", Comparison(SEATS, LE, 5)),
        ("5 ne Seats", Comparison(SEATS, NE, 5)),
        ("entityId eq 'a'", Comparison(KEY, EQ, "a")),
        ("ENTITYID in('a','b')", Membership(KEY, ("a", "b"))),
    ],
)
def test_comparisons(text: str, condition: Condition) -> None:
    assert bound(text) == condition


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("Name eq 'a' or Name eq 'b' and Name eq 'c'", Or((A, And((B, C))))),
        ("Name eq 'a' OR Name eq 'b' AND Name eq 'c'", Or((A, And((B, C))))),
        ("(Name eq 'a' Or Name eq 'b') And Name eq 'c'", And((Or((A, B)), C))),
        ("Name eq 'a' or Name eq 'b' or Name eq 'c'", Or((A, B, C))),
        ("not Name eq 'a' and Name eq 'b'", And((Not(A), B))),
        ("not (Name eq 'a')", Not(A)),
        ("Not(Name eq 'a')", Not(A)),
        ("not startsWith(Name,'x')", Not(STARTS)),
        ("not not IsOpen", Not(Not(OPEN))),
        ("((IsOpen))", OPEN),
        ("(IsOpen) eq true", OPEN),
        ("(IsOpen) eq 0", Not(OPEN)),
        ("(IsOpen) ne '1'", Not(OPEN)),
        ("(IsOpen) ne 'False'", OPEN),
        ("(Name eq 'a')and(Name eq 'b')or IsOpen", Or((And((A, B)), OPEN))),
    ],
)
def test_not_binds_before_and_before_or_and_parentheses_over_all(text: str, condition: Condition) -> None:
    assert bound(text) == condition


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("startswith(Name,'x')", STARTS),
        ("STARTSWITH ( name , 'x' ) Eq True", STARTS),
        ("StartsWith(Name,'x') eq 1", STARTS),
        ("StartsWith(Name,'x') ne false", STARTS),
        ("StartsWith(Name,'x') eq '0'", Not(STARTS)),
        ("endsWith(Name,'x')", ENDS),
        ("startswith(Name,92)", starts("92")),
        ("startswith(Name,'*%')", starts("*%")),
        ("startswith(Name,'')", starts("")),
        ("startswith(Name, '' )", starts("")),
        ("startswith(Name,''Sea'')", starts("Sea")),
        ("startswith(Name,''Sea'' ) eq true", starts("Sea")),
        ("startswith(Name,''O''Neil'')", starts("O'Neil")),
        ("startswith(Name,''a,b)c'')", starts("a,b)c")),
        ("startswith(Name,'''tis')", starts("'tis")),
        ("startswith(Name,'''tis''')", starts("'tis'")),
    ],
)
def test_wildcards_and_texts_wrapped_in_quotes_twice(text: str, condition: Condition) -> None:
    assert bound(text) == condition


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'O''Neil'", "O'Neil"),
        ("''", ""),
        ("''''", "'"),
        ("null", ""),
        ("9200", "9200"),
        ("-661", "-661"),
        ("007", "007"),
        ("1.50", "1.50"),
        ("7011L", "7011"),
        ("5540m", "5540"),
        ("true", "true"),
        ("False", "False"),
        ("2015-10-29", "2015-10-29"),
        ("'(a) and b'", "(a) and b"),
        ("'\u00e9\U0001f600'", "\u00e9\U0001f600"),
    ],
)
def test_a_string_takes_every_literal_as_it_is_written(text: str, value: str) -> None:
    assert bound(f"Name eq {text}") == name(value)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("Seats eq 40", Comparison(SEATS, EQ, 40)),
        ("Seats eq '40'", Comparison(SEATS, EQ, 40)),
        ("Seats eq -0", Comparison(SEATS, EQ, 0)),
        ("Seats eq 40L", Comparison(SEATS, EQ, 40)),
        ("Seats eq 40.0D", Comparison(SEATS, EQ, 40)),
        ("Seats eq 4e1", Comparison(SEATS, EQ, 40)),
        ("Seats eq +40", Comparison(SEATS, EQ, 40)),
        ("Seats eq 9007199254740993.0", Comparison(SEATS, EQ, 9007199254740993)),
        ("Seats eq 9223372036854775807", Comparison(SEATS, EQ, 2**63 - 1)),
        ("Seats eq 9223372036854775808", NOTHING),
        ("Seats ne 9223372036854775808", ALL),
        ("Seats lt 1e400", PRESENT),
        ("Seats ge 1e400", NOTHING),
        ("Seats gt -1e400", PRESENT),
        ("Seats eq 1.5", NOTHING),
        ("Seats ne 1.5", ALL),
        ("Seats gt 1.5", Comparison(SEATS, GT, 1)),
        ("Seats ge 1.5", Comparison(SEATS, GT, 1)),
        ("Seats lt 1.5", Comparison(SEATS, LE, 1)),
        ("Seats le -1.5", Comparison(SEATS, LE, -2)),
        ("Seats in (8, '10',8, 1.5)", Membership(SEATS, (8, 10))),
        ("Seats in (1.5)", NOTHING),
        ("Seats in (8,null)", Or((Membership(SEATS, (8,)), Missing(SEATS)))),
        ("Seats in (null)", Or((NOTHING, Missing(SEATS)))),
        ("Seats eq null", Missing(SEATS)),
        ("Seats ne NULL", PRESENT),
        ("null eq Seats", Missing(SEATS)),
        ("Seats ge null", NOTHING),
        ("Seats gt Rate", ColumnComparison(SEATS, GT, RATE)),
        ("Rate eq 0.1", Comparison(RATE, EQ, 0.1)),
        ("Rate eq .5F", Comparison(RATE, EQ, 0.5)),
        ("Rate eq '1e-7'", Comparison(RATE, EQ, 1e-7)),
        ("Rate lt 1E400", Comparison(RATE, LT, float("inf"))),
        ("Rate eq null", Missing(RATE)),
    ],
)
def test_numbers_compare_exactly(text: str, condition: Condition) -> None:
    assert bound(text) == condition


@pytest.mark.parametrize("text", ["true", "True", "1", "'1'", "'TRUE'", "1L"])
def test_a_boolean_takes_words_and_digits_also_quoted(text: str) -> None:
    assert bound(f"IsOpen eq {text}") == bound("IsOpen") == OPEN
    assert bound("IsOpen ne '0'") == Comparison(IS_OPEN, NE, value=False)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("datetime'2015-10-29T21:25:09Z'", "2015-10-29T21:25:09Z"),
        ("DateTime'2015-10-29T21:25:09Z'", "2015-10-29T21:25:09Z"),
        ("2015-10-29T21:25:09.0000000Z", "2015-10-29T21:25:09Z"),
        ("'2015-10-29T21:25:09.1234567Z'", "2015-10-29T21:25:09.1234567Z"),
        ("2015-10-29T21:25:09.123456789Z", "2015-10-29T21:25:09.1234567Z"),
        ("2015-10-29", "2015-10-29T00:00:00Z"),
        ("'2015-10-29'", "2015-10-29T00:00:00Z"),
        ("2015-10-29T21:25", "2015-10-29T21:25:00Z"),
        ("2015-10-29t21:25:09z", "2015-10-29T21:25:09Z"),
        ("2015-10-29T21:25:09", "2015-10-29T21:25:09Z"),
        ("2015-10-29T21:25:09+02:00", "2015-10-29T19:25:09Z"),
        ("2015-10-29T21:25:09 02:00", "2015-10-29T19:25:09Z"),
        ("'2015-10-29T21:25 02:00'", "2015-10-29T19:25:00Z"),
        ("2015-10-29T21:25:09-08:00", "2015-10-30T05:25:09Z"),
        ("1901-01-01", "1901-01-01T00:00:00Z"),
    ],
)
def test_dates(text: str, instant: str) -> None:
    assert bound(f"Created eq {text}") == created(instant)
    assert bound(f"(Created eq {text} )") == created(instant)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("1 Eq 1", ALL),
        ("1 eq 1.0", ALL),
        ("1L lt 2", ALL),
        ("10 lt 9", NOTHING),
        ("'10' lt '9'", ALL),
        ("'1' eq 1", ALL),
        ("'a' eq 'A'", ALL),
        ("'\u03a3\u03a3' eq '\u03c3\u03c3'", ALL),
        ("true eq 1", NOTHING),
        ("null eq null", ALL),
        ("'a' in ('b','A')", ALL),
        ("1 in (2,3)", NOTHING),
        ("1e9999 gt 1e-9999", ALL),
    ],
)
def test_literals_on_both_sides_are_legal(text: str, condition: Condition) -> None:
    assert bound(text) == condition
