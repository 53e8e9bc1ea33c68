"""Dates in both formats (wire-contract.md, section 3)."""

from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from adapters.model.ticks import LAST, PER_SECOND, Ticks, parse_ticks
from proxy.wire.dates import format_iso8601, format_rfc1123, parse_rfc1123

PACIFIC = ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        ("2013-01-03T23:22:15.7979398Z", "Thu, 03 Jan 2013 23:22:15 GMT"),
        ("2013-01-03T23:22:15.9999999Z", "Thu, 03 Jan 2013 23:22:15 GMT"),
        ("2024-02-29T00:00:00Z", "Thu, 29 Feb 2024 00:00:00 GMT"),
        ("0001-01-01T00:00:00Z", "Mon, 01 Jan 0001 00:00:00 GMT"),
        ("9999-12-31T23:59:59.9999999Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ],
)
def test_a_json_date_is_rfc_1123_in_whole_seconds(moment: str, written: str) -> None:
    assert format_rfc1123(parse_ticks(moment)) == written


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        ("2013-01-03T23:22:15.7979398Z", "2013-01-03T15:22:15.7979398-08:00"),
        ("2013-01-04T01:06:23.546903Z", "2013-01-03T17:06:23.546903-08:00"),
        ("2013-01-03T23:22:15.1000000Z", "2013-01-03T15:22:15.1-08:00"),
        ("2013-01-03T23:22:15.0000001Z", "2013-01-03T15:22:15.0000001-08:00"),
        ("2013-01-03T23:22:15Z", "2013-01-03T15:22:15-08:00"),
        ("2013-01-03T23:22:10Z", "2013-01-03T15:22:10-08:00"),
    ],
)
def test_an_xml_date_has_all_its_ticks_and_no_zeros_at_its_end(moment: str, written: str) -> None:
    assert format_iso8601(parse_ticks(moment), PACIFIC) == written


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        ("2013-07-01T00:00:00Z", "2013-06-30T17:00:00-07:00"),
        ("2013-03-10T09:59:59.9999999Z", "2013-03-10T01:59:59.9999999-08:00"),
        ("2013-03-10T10:00:00Z", "2013-03-10T03:00:00-07:00"),
        ("2013-11-03T08:30:00Z", "2013-11-03T01:30:00-07:00"),
        ("2013-11-03T09:30:00Z", "2013-11-03T01:30:00-08:00"),
        ("2045-07-01T12:00:00Z", "2045-07-01T05:00:00-07:00"),
    ],
)
def test_an_xml_date_has_the_offset_of_its_own_instant(moment: str, written: str) -> None:
    assert format_iso8601(parse_ticks(moment), PACIFIC) == written


def test_the_zone_may_be_any() -> None:
    moment = parse_ticks("2013-01-03T23:22:15Z")
    assert format_iso8601(moment, UTC) == "2013-01-03T23:22:15+00:00"
    assert format_iso8601(moment, ZoneInfo("Asia/Kathmandu")) == "2013-01-04T05:07:15+05:45"
    assert format_iso8601(moment, ZoneInfo("America/St_Johns")) == "2013-01-03T19:52:15-03:30"


def test_local_mean_time_is_rounded_to_minutes() -> None:
    moment = parse_ticks("1880-01-01T12:00:00.1234567Z")
    written = format_iso8601(moment, PACIFIC)  # its offset was -7:52:58
    assert written == "1880-01-01T04:07:00.1234567-07:53"
    assert parse_ticks(written) == moment


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati", "UTC"])
@pytest.mark.parametrize(
    "moment",
    [
        Ticks(0),
        Ticks(1),
        parse_ticks("0001-01-01T12:00:00Z"),
        parse_ticks("9999-12-31T12:00:00Z"),
        Ticks(LAST - 1),
        LAST,
    ],
    ids=str,
)
def test_the_edges_of_the_calendar_keep_every_tick(zone: str, moment: Ticks) -> None:
    assert parse_ticks(format_iso8601(moment, ZoneInfo(zone))) == moment


def test_a_date_outside_the_calendar_by_its_zone_is_utc() -> None:
    assert format_iso8601(Ticks(0), PACIFIC) == "0001-01-01T00:00:00+00:00"
    # Its offset was -7:52:58, which leaves a second of year 1; in whole minutes it leaves none.
    assert format_iso8601(parse_ticks("0001-01-01T07:52:59Z"), PACIFIC) == "0001-01-01T07:52:59+00:00"
    assert format_iso8601(LAST, timezone(timedelta(hours=14))) == "9999-12-31T23:59:59.9999999+00:00"


@pytest.mark.parametrize(("moment", "nearest"), [(-PER_SECOND, 0), (LAST + PER_SECOND, LAST)])
def test_an_instant_outside_the_calendar_is_clamped(moment: int, nearest: int) -> None:
    assert format_iso8601(Ticks(moment), PACIFIC) == format_iso8601(Ticks(nearest), PACIFIC)
    assert format_rfc1123(Ticks(moment)) == format_rfc1123(Ticks(nearest))


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "0070-05-05T05:05:05Z", "1969-12-31T23:59:59Z"])
def test_a_json_date_is_read_as_it_was_written(moment: str) -> None:
    assert parse_rfc1123(format_rfc1123(parse_ticks(moment))) == parse_ticks(moment)


def test_a_wrong_weekday_does_no_harm() -> None:
    assert parse_rfc1123("Mon, 13 Nov 2010 20:58:39 GMT") == parse_ticks("2010-11-13T20:58:39Z")


@pytest.mark.parametrize("text", ["", "yesterday", "2013-01-03T23:22:15Z", "Thu, 32 Jan 2013 23:22:15 GMT"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_rfc1123(text)
