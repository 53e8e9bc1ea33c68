"""A column at once is read as each of its texts alone."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.model import ticks
from proxy.formats.columns import numbers, parsing
from proxy.formats.columns.datetimes import convert_dates, format_dates
from proxy.formats.schema import EdmType


def read_date_alone(text: str) -> int | None:
    column, wrong = convert_dates(pa.array([text]))
    if wrong:
        raise ValueError(wrong[0])
    value: int | None = column[0].as_py()
    return value


READERS = {
    EdmType.INT64: numbers.parse_int64,
    EdmType.DOUBLE: numbers.parse_double,
    EdmType.BOOLEAN: parsing.parse_boolean,
    EdmType.DATETIME: read_date_alone,
}
NUMBERS = st.from_regex(r"[+-]?[0-9]{0,20}(\.[0-9]{0,20})?([Ee][+-]?[0-9]{1,3})?", fullmatch=True)
DATES = st.builds(
    "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{}".format,
    st.integers(0, 9999) | st.sampled_from([0, 1, 4, 1900, 2000, 9999]),
    st.integers(0, 13),
    st.integers(0, 32) | st.sampled_from([28, 29, 30, 31]),
    st.integers(0, 24),
    st.integers(0, 60),
    st.integers(0, 60),
    st.from_regex(r"(\.[0-9]{1,8})?", fullmatch=True),
    st.sampled_from(["", "Z", "+00:00", "-08:00", "+05:30", "+24:00", "+01:60", "+0100", "z"]),
)
WORDS = st.sampled_from(
    [
        "true",
        "false",
        "True",
        "FALSE",
        "1",
        "0",
        "yes",
        "",
        " ",
        "NaN",
        "INF",
        "-INF",
        "nan",
        "inf",
        " 1 ",
        "0x1F",
        "1_0",
        "\u0661",
    ]
)


@settings(max_examples=400)
@given(
    st.sampled_from([*READERS]),
    st.lists(st.none() | st.one_of(NUMBERS, DATES, WORDS, st.integers().map(str)), max_size=6),
)
def test_a_column_is_read_as_each_text_alone(type_: EdmType, texts: list[str | None]) -> None:
    column, wrong = parsing.convert(pa.array(texts, pa.string()), type_)
    expected: list[Any] = []
    failed = set()
    for row, text in enumerate(texts):
        try:
            expected.append(READERS[type_](text) if text is not None else None)
        except ValueError:
            expected.append(None)
            failed.add(row)
    assert list(map(repr, column.to_pylist())) == list(map(repr, expected))
    assert wrong.keys() == failed


@given(st.lists(st.none() | st.integers(ticks.FIRST, ticks.LAST), min_size=1, max_size=6))
def test_dates_are_written_as_ticks_are_and_read_back(moments: list[int | None]) -> None:
    texts = format_dates(pa.array([None, *moments], pa.int64()).slice(1))
    expected = [None if moment is None else ticks.format_ticks(ticks.Ticks(moment)) for moment in moments]
    assert texts.to_pylist() == expected
    assert convert_dates(texts)[0].to_pylist() == moments


@given(
    st.lists(st.integers(ticks.FIRST, ticks.LAST), min_size=1, max_size=6),
    st.integers(0, 7),
    st.integers(-14 * 60, 14 * 60),
)
def test_dates_of_any_fraction_and_zone_are_read(moments: list[int], digits: int, minutes: int) -> None:
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    texts = [ticks.format_ticks(ticks.Ticks(moment))[: 20 + digits if digits else 19] + zone for moment in moments]
    expected: list[int | None] = []
    for text in texts:
        try:
            expected.append(ticks.parse_ticks(text))
        except ValueError:  # the zone leads out of the calendar
            expected.append(None)
    read, wrong = convert_dates(pa.array([None, *texts]))
    assert read.to_pylist() == [None, *expected]
    assert len(wrong) == expected.count(None)


@pytest.mark.parametrize("type_", list(EdmType)[:-1])
def test_a_column_of_nothing_is_read(type_: EdmType) -> None:
    assert parsing.convert(pa.array([], pa.string()), type_)[0].to_pylist() == []
    assert parsing.convert(pa.array([None], pa.string()), type_)[0].to_pylist() == [None]
    assert parsing.convert(pa.nulls(2, pa.string()), type_)[0].to_pylist() == [None, None]


@pytest.mark.parametrize("text", ["x\ufffdy\uffefz", "\uff0c", "\t\r\n", "\U0010ffff"])
def test_a_string_may_have_any_character_that_xml_can_carry(text: str) -> None:
    assert parsing.convert(pa.array([text], pa.string()), EdmType.STRING)[1] == {}
