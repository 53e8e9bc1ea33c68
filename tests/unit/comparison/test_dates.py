"""Dates of both formats: what is read, and what has another form."""

from datetime import UTC, datetime, timedelta

import pytest

from proxy.comparison.dates import read_json_date, read_xml_date


def test_json_date_is_rfc_1123() -> None:
    assert read_json_date("Thu, 03 Jan 2013 23:22:15 GMT") == datetime(2013, 1, 3, 23, 22, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "Wed, 03 Jan 2013 23:22:15 GMT",
        "Thu, 03 Jan 2013 23:22:15 +0000",
        "Thu, 3 Jan 2013 23:22:15 GMT",
        "Sat, 31 Feb 2013 23:22:15 GMT",
        "Thu, 03 Foo 2013 23:22:15 GMT",
        "Thu, 03 Jan 2013 25:22:15 GMT",
        "Thu, ٠٣ Jan 2013 23:22:15 GMT",
    ],
)
def test_json_date_of_another_form_is_none(text: str | None) -> None:
    assert read_json_date(text) is None


def test_xml_date_keeps_digits_and_offset() -> None:
    found = read_xml_date("2013-01-03T15:22:15.7979398-08:00")
    assert found is not None
    assert found.order == (datetime(2013, 1, 3, 23, 22, 15, tzinfo=UTC), "7979398")
    assert found.offset == timedelta(hours=-8)
    whole = read_xml_date("2013-01-03T15:22:15+00:00")
    assert whole is not None
    assert whole.fraction == ""


@pytest.mark.parametrize(
    "text",
    [
        None,
        "2013-01-03T15:22:15.7979390-08:00",
        "2013-01-03T15:22:15.79793981-08:00",
        "2013-01-03T15:22:15.-08:00",
        "2013-01-03T15:22:15Z",
        "2013-01-03T15:22:15",
        "2013-01-03 15:22:15-08:00",
        "2013-02-31T15:22:15-08:00",
        "0001-01-01T00:00:00+08:00",
    ],
)
def test_xml_date_of_another_form_is_none(text: str | None) -> None:
    assert read_xml_date(text) is None
