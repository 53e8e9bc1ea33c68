"""Instants keep their 100 ns ticks."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from adapters.model.ticks import (
    FIRST,
    LAST,
    PER_SECOND,
    UNIX_EPOCH,
    Ticks,
    format_ticks,
    from_datetime,
    parse_ticks,
    to_datetime,
)


def test_epochs_are_those_of_dotnet() -> None:
    assert parse_ticks("0001-01-01T00:00:00Z") == FIRST == 0
    assert parse_ticks("1970-01-01T00:00:00Z") == UNIX_EPOCH == 621_355_968_000_000_000
    assert parse_ticks("9999-12-31T23:59:59.9999999Z") == LAST == 3_155_378_975_999_999_999


def test_seventh_digit_is_kept() -> None:
    moment = parse_ticks("2013-01-03T23:22:15.7979398Z")
    assert moment % PER_SECOND == 7_979_398
    assert format_ticks(moment) == "2013-01-03T23:22:15.7979398Z"


@pytest.mark.parametrize(
    ("text", "fraction"),
    [
        ("2013-01-03T23:22:15Z", 0),
        ("2013-01-03T23:22:15.5Z", 5_000_000),
        ("2013-01-03T23:22:15.797939Z", 7_979_390),
        ("2013-01-03T23:22:15.79793981Z", 7_979_398),
        ("2013-01-03T23:22:15.7979398999999Z", 7_979_398),
        ("2013-01-03T23:22:15.0000001Z", 1),
    ],
)
def test_fraction_may_have_any_number_of_digits(text: str, fraction: int) -> None:
    assert parse_ticks(text) == parse_ticks("2013-01-03T23:22:15Z") + fraction


@pytest.mark.parametrize("zone", ["Z", "", "+00:00", "-00:00"])
def test_date_without_a_zone_is_utc(zone: str) -> None:
    assert parse_ticks(f"2013-01-03T23:22:15{zone}") == from_datetime(datetime(2013, 1, 3, 23, 22, 15, tzinfo=UTC))


def test_offset_is_subtracted() -> None:
    assert parse_ticks("2013-01-03T15:22:15.7979398-08:00") == parse_ticks("2013-01-03T23:22:15.7979398Z")
    assert parse_ticks("2013-01-04T05:07:15+05:45") == parse_ticks("2013-01-03T23:22:15Z")


MALFORMED = """
    2013-01-03 2013-01-03T23:22 2013-01-03T23:22:15.Z 2013-01-03T23:22:15z 2013-01-03T23:22:15+0800
    2013-02-29T00:00:00Z 2013-01-03T24:00:01Z 2013-01-03T23:22:60Z 2013-01-03T23:22:15+24:00
    0000-01-01T00:00:00Z 10000-01-01T00:00:00Z ٢٠١٣-01-03T23:22:15Z
"""


@pytest.mark.parametrize("text", ["", "2013-01-03 23:22:15", "2013-01-03T23:22:15Z\n", *MALFORMED.split()])
def test_malformed_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_ticks(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.9999999-00:01"])
def test_offset_that_leaves_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a date in the years 1 to 9999"):
        parse_ticks(text)


def test_datetime_in_any_zone_is_the_same_instant() -> None:
    moment = datetime(2013, 1, 3, 15, 22, 15, 797_939, tzinfo=timezone(timedelta(hours=-8)))
    assert from_datetime(moment) == parse_ticks("2013-01-03T23:22:15.797939Z")
    assert to_datetime(from_datetime(moment)) == moment


def test_datetime_ends_at_microseconds() -> None:
    assert to_datetime(parse_ticks("2013-01-03T23:22:15.7979398Z")).microsecond == 797_939


@pytest.mark.parametrize("ticks", [-1 * PER_SECOND, LAST + 1])
def test_ticks_outside_the_calendar_overflow(ticks: int) -> None:
    with pytest.raises(OverflowError):
        to_datetime(Ticks(ticks))


@pytest.mark.parametrize(
    ("ticks", "text"),
    [
        (FIRST, "0001-01-01T00:00:00.0000000Z"),
        (LAST, "9999-12-31T23:59:59.9999999Z"),
        (parse_ticks("0123-01-02T03:04:05Z"), "0123-01-02T03:04:05.0000000Z"),
    ],
)
def test_text_has_four_digits_of_year_and_seven_of_fraction(ticks: Ticks, text: str) -> None:
    assert format_ticks(ticks) == text
    assert parse_ticks(text) == ticks
