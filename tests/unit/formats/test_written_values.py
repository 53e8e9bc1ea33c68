"""Dates and numbers are read as programs write them; the message on others suggests the form to write."""

import pyarrow as pa
import pytest

from adapters.model import ticks
from proxy.formats.columns.buffers import quote_value
from proxy.formats.columns.parsing import convert
from proxy.formats.schema import EdmType
from tests.unit.formats.loading import csv_of, export, load

NOON = "2011-08-22T12:00:00"


def read(text: str, type_: EdmType) -> tuple[object, str | None]:
    """A text in a column of its own, and between two others: both ways to read a column."""
    alone, wrong = convert(pa.array([text], pa.string()), type_, finite=True)
    among, reasons = convert(pa.array(["", text, "x"], pa.string()), type_, finite=True)
    assert among[1].as_py() == alone[0].as_py()
    assert reasons.get(1) == wrong.get(0)
    return alone[0].as_py(), wrong.get(0)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2011-08-22", "2011-08-22T00:00:00"),
        ("2011-08-22T12:00", NOON),
        ("2011-08-22T12:00:00", NOON),
        ("2011-08-22t12:00:00z", NOON),
        ("2011-08-22 12:00:00", NOON),
        ("2011-08-22 12:00:00 Z", NOON),
        ("2011-08-22T14:30:00+02:30", NOON),
        ("2011-08-22T14:30:00+0230", NOON),
        ("2011-08-22 08:00:00 -04", NOON),
        ("2011-08-22T12:00:00.1", f"{NOON}.1"),
        ("2011-08-22T12:00:00,25", f"{NOON}.25"),
        ("2011-08-22 12:00:00.1234567", f"{NOON}.1234567"),
        ("2011-08-22T12:00:00.12345678Z", f"{NOON}.1234567"),
        ("2011-08-22Z", "2011-08-22T00:00:00"),
        ("2011-08-22+02:00", "2011-08-21T22:00:00"),
        (" 2011-08-22 ", "2011-08-22T00:00:00"),
        ("08/22/2011 12:00:00", NOON),
        ("8/22/2011 12:00", NOON),
        ("8/22/2011 12:00:00 PM", NOON),
        ("8/22/2011 12:00 pm", NOON),
        ("8/22/2011 12:00:00PM", NOON),
        ("8/22/2011 12:00:00\u202fPM", NOON),
        ("8/22/2011  12:00", NOON),
        ("8/22/2011 12:00:00 AM", "2011-08-22T00:00:00"),
        ("8/22/2011 9:05:07 PM", "2011-08-22T21:05:07"),
        ("8/22/2011 12:00:00.5", f"{NOON}.5"),
        ("08/22/2011 14:00:00 +02:00", NOON),
        ("8/22/2011", "2011-08-22T00:00:00"),
        ("2/3/2011", "2011-02-03T00:00:00"),
        ("01/01/0001 00:00:00", "0001-01-01T00:00:00"),
        ("12/31/9999 23:59:59", "9999-12-31T23:59:59"),
        ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999"),
        ("2012-02-29", "2012-02-29T00:00:00"),
    ],
)
def test_a_date_is_read_as_programs_write_it(written: str, instant: str) -> None:
    assert read(written, EdmType.DATETIME) == (ticks.parse_ticks(instant), None)


@pytest.mark.parametrize(
    "written",
    [
        "2011-8-22",
        "2011/08/22",
        "22.8.2011",
        "8/22/11",
        "2011-02-29",
        "2/29/2011",
        "13/13/2011",
        "0/1/2011",
        "2011-08-22T24:00:00",
        "2011-08-22T12:60",
        "2011-08-22T12:00:60",
        "2011-08-22T12",
        "2011-08-22T12:00:00+24:00",
        "2011-08-22T12:00:00+01:60",
        "2011-08-22T12:00:00 PM",
        "8/22/2011 13:00 PM",
        "8/22/2011 0:00 AM",
        "8/22/2011 24:00",
        "8/22/2011 1:0",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "0000-01-01",
        "today",
        "2011-08-22T12:00:00." + "0" * 100,
        "\u0662\u0660\u0661\u0661-08-22",
    ],
)
def test_a_text_that_is_no_date_fails_with_its_value(written: str) -> None:
    value, reason = read(written, EdmType.DATETIME)
    assert value is None
    assert f"is '{written[:50]}" in str(reason)
    assert "2013-01-03 or 1/3/2013 11:22:15 PM" in str(reason)


@pytest.mark.parametrize("written", ["22/8/2011", "22/08/2011 12:00:00", "22/8/2011 12:00 PM"])
def test_the_day_first_fails_with_the_form_to_write(written: str) -> None:
    reason = f"is '{written}': the month comes first: write 8/22/2011 or 2011-08-22"
    assert read(written, EdmType.DATETIME) == (None, reason)


@pytest.mark.parametrize("written", ["8/22/2011 12:00:00 PM", "08/22/2011 12:00:00", "2011-08-22 12:00", "8/22/2011"])
def test_a_column_of_one_form_comes_back_in_the_form_of_xml(written: str) -> None:
    header = "EntityID(Edm.String,primaryKey),Latitude(Edm.Double),Longitude(Edm.Double),Since(Edm.DateTime)"
    loaded = load(csv_of(header, *(f"{row},1,2,{written}" for row in range(3)), "3,1,2,"), "csv")
    expected = "2011-08-22T00:00:00" if written.endswith("/2011") else NOON
    assert export(loaded).decode().count(f"<Since>{expected}.0000000Z</Since>") == 3
    assert load(export(loaded), "xml").table == loaded.table


@pytest.mark.parametrize(
    ("written", "value"),
    [("8.5", 8.5), ("-8.5", -8.5), ("+8.5", 8.5), (" 8.5 ", 8.5), (".5", 0.5), ("5.", 5), ("1.5e3", 1500)],
)
def test_a_double_is_read_with_point_and_exponent(written: str, value: float) -> None:
    assert read(written, EdmType.DOUBLE) == (value, None)


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("8,5", "write 8.5"),
        (",5", "write .5"),
        ("47,608", "write 47608, or 47.608 where the comma is a decimal one"),
        ("1,234.5", "write 1234.5"),
        ("1.234,5", "write 1234.5"),
        ("1.234.567", "write 1234567"),
        ("1 234,5", "write 1234.5"),
        ("1\u202f234", "write 1234"),
        ("1'234.5", "write 1234.5"),
        ("NaN", "leave it empty"),
        ("-INF", "leave it empty"),
        ("Infinity", "leave it empty"),
        ("0x1F", "a number like 8.5"),
        ("1_0", "a number like 8.5"),
        ("1,23,4", "a number like 8.5"),
        ("\u0665", "a number like 8.5"),
        ("1e999", "larger than Edm.Double can be"),
        ("1" * 401, "of 401 characters: a number has at most 400"),
        ("1." + "0" * 400, "of 402 characters: a number has at most 400"),
    ],
)
def test_a_text_that_is_no_double_fails_with_a_form(written: str, part: str) -> None:
    value, reason = read(written, EdmType.DOUBLE)
    assert value is None
    assert str(reason).startswith(f"is {quote_value(written)}")
    assert part in str(reason)


@pytest.mark.parametrize(
    ("written", "value"),
    [("7", 7), ("-7", -7), ("+7", 7), (" 7 ", 7), ("007", 7), (str(-(2**63)), -(2**63)), (str(2**63 - 1), 2**63 - 1)],
)
def test_an_int64_is_a_sign_and_digits(written: str, value: int) -> None:
    assert read(written, EdmType.INT64) == (value, None)


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("1,250", "write 1250"),
        ("1 250", "write 1250"),
        ("1.250.000", "write 1250000"),
        ("1.5", "without a fraction"),
        ("7.0", "without a fraction"),
        ("1.23457E+11", "without an exponent (a spreadsheet may have shortened it"),
        ("0x1F", "a sign and digits"),
        ("NaN", "a sign and digits"),
        ("--1", "a sign and digits"),
        ("\u0661", "a sign and digits"),
        (str(2**63), "between -9,223,372,036,854,775,808 and 9,223,372,036,854,775,807"),
        (str(-(2**63) - 1), "between -9,223,372,036,854,775,808 and 9,223,372,036,854,775,807"),
        ("1" * 401, "at most 400 characters, not 401"),
    ],
)
def test_a_text_that_is_no_int64_fails_with_a_form(written: str, part: str) -> None:
    value, reason = read(written, EdmType.INT64)
    assert value is None
    assert str(reason).startswith(f"is '{written[:50]}")
    assert part in str(reason)


@pytest.mark.parametrize(("written", "value"), [("TRUE", True), ("False", False), (" 1 ", True), ("0", False)])
def test_a_boolean_is_a_word_or_a_digit(written: str, value: bool) -> None:  # noqa: FBT001  a value of the test
    assert read(written, EdmType.BOOLEAN) == (value, None)


@pytest.mark.parametrize("written", ["Yes", "no", "2", "T", "t r u e", "10", "\u0130", "-1"])
def test_a_text_that_is_no_boolean_fails(written: str) -> None:
    assert read(written, EdmType.BOOLEAN) == (None, f"is '{written}': it has to be true, false, 1 or 0")


def test_in_xml_a_double_may_be_what_xml_schema_allows() -> None:
    assert convert(pa.array(["INF", "-INF"]), EdmType.DOUBLE)[0].to_pylist() == [float("inf"), float("-inf")]
