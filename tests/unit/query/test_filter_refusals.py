"""Which texts are no `$filter`, and how an error shows them (query-api.md, section 1.5)."""

import pytest

from proxy.query.errors import QueryError
from tests.unit.query.samples import bound


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Name", "Name without an operator"),
        ("Name eq", "ends too early"),
        ("Name is 'a'", "'is 'a''"),
        ("Name eq 'a", "''a'"),
        ("Name eq 'a'b'", "'b''"),
        ("Name eq 'a' b", "'b'"),
        ("Name eq 'a' and", "ends too early"),
        ("or Name eq 'a'", "'Name eq 'a''"),
        ("Seats eq 1,5", "',5'"),
        ("Seats eq 1x", "'1x'"),
        ("Seats add 1 eq 2", "'add 1 eq 2'"),
        ("substringof('a',Name) eq true", "'('a',Name) eq true'"),
        ("contains(Name,'a')", "'(Name,'a')'"),
        ("length(Name) eq 1", "'(Name) eq 1'"),
        ("Name in ()", "')'"),
        ("Name in 'a'", "'in 'a''"),
        ("Name in ('a',)", "')'"),
        ("Name in (Name)", "'Name)'"),
        ("Name in ('a'", "ends too early"),
        ("startswith(Name)", "')'"),
        ("startswith('a',Name)", "''a',Name)'"),
        ("startswith(Name,null)", "'null)'"),
        ("startswith(Name,''Sea)", "'Sea)'"),
        ("startswith(Seats,1)", "Seats in startswith"),
        ("startswith(Name,'a') eq 2", "'2'"),
        ("(IsOpen", "ends too early"),
        ("(IsOpen))", "')'"),
        ("()", "')'"),
        ("(Seats) eq 5", "'5'"),
        ("5", "ends too early"),
        ("not", "ends too early"),
        ("*", "'*'"),
        ("Latitude gt 50", "'Latitude'"),
        ("longitude lt Latitude", "'longitude'"),
        ("Boundary eq 'x'", "'Boundary'"),
        ("__distance lt 5", "__Distance"),
        ("Nothing eq 1", "'Nothing'"),
        ("IsOpen and Nothing", "'Nothing'"),
        ("Name eq Seats", "Name of type String with Seats of type Int64"),
        ("Seats eq 'many'", "'many'"),
        ("Seats eq true", "'true'"),
        ("Seats eq 2015-10-29", "'2015-10-29'"),
        ("Seats eq 1e9999999999999999999", "'1e9999999999999999999'"),
        ("1e9999999999999999999 eq 1", "'1e9999999999999999999'"),
        ("Rate eq '1,5'", "'1,5'"),
        ("Rate eq NaN", "'NaN'"),
        ("IsOpen eq 2", "'2'"),
        ("IsOpen eq 'yes'", "'yes'"),
        ("IsOpen eq datetime'1'", "'1'"),
        ("Created eq 5", "'5'"),
        ("Created eq '2015'", "'2015'"),
        ("Created eq '2015-13-01'", "'2015-13-01'"),
        ("Created eq '2015-01-01T25:00'", "'2015-01-01T25:00'"),
        ("Created eq '0001-01-01T00:00+01:00'", "'0001-01-01T00:00+01:00'"),
        ("Created eq datetime'today'", "'today'"),
        ("Created eq datetime", "'datetime'"),
    ],
)
def test_what_is_no_filter_is_refused_by_its_value(text: str, shown: str) -> None:
    with pytest.raises(QueryError) as caught:
        bound(text)
    assert "$filter" in str(caught.value)
    assert shown in str(caught.value)


@pytest.mark.parametrize(("opened", "closed", "levels"), [("(", ")", 100), ("not ", "", 100), ("not(", ")", 50)])
def test_a_hundred_levels_are_answered_and_one_more_is_refused(opened: str, closed: str, levels: int) -> None:
    bound(opened * levels + "IsOpen" + closed * levels)
    with pytest.raises(QueryError, match="more than 100 parentheses and nots"):
        bound(opened * levels + "(IsOpen)" + closed * levels)
