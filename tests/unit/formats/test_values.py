"""A column at once is read as each of its texts alone."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.model import ticks
from proxy.formats.columns import datetimes as dates
from proxy.formats.columns import numbers as written_numbers
from proxy.formats.columns import parsing as values
from proxy.formats.schema import EdmType

READERS = {
    EdmType.INT64: written_numbers.read_int64,
    EdmType.DOUBLE: written_numbers.read_double,
    EdmType.BOOLEAN: values.read_boolean,
    EdmType.DATETIME: values.read_datetime,
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
    column, wrong = values.convert(pa.array(texts, pa.string()), type_)
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
def test_dates_are_written_as_the_ticks_of_one_are(moments: list[int | None]) -> None:
    column = pa.array([None, *moments], pa.int64()).slice(1)
    texts = dates.to_texts(column)
    assert texts.to_pylist() == [None if moment is None else ticks.to_text(ticks.Ticks(moment)) for moment in moments]
    read = dates.to_ticks(texts)
    assert read is not None
    assert read.to_pylist() == moments


@given(
    st.lists(st.integers(ticks.FIRST, ticks.LAST), min_size=1, max_size=6),
    st.integers(0, 7),
    st.integers(-14 * 60, 14 * 60),
)
def test_a_column_of_one_form_is_read_at_once_whatever_its_fraction_and_zone(
    moments: list[int], digits: int, minutes: int
) -> None:
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    texts = [ticks.to_text(ticks.Ticks(moment))[: 20 + digits if digits else 19] + zone for moment in moments]
    try:
        expected = [ticks.parse(text) for text in texts]
    except ValueError:  # the zone leads out of the calendar
        assert dates.to_ticks(pa.array(texts)) is None
    else:
        read = dates.to_ticks(pa.array([None, *texts]))
        assert read is not None
        assert read.to_pylist() == [None, *expected]


@pytest.mark.parametrize(
    "text",
    [
        "2010-11-11T00:00:00+1:000",
        "2010-11-11T00:00:00+24:00",
        "2010-11-11T00:00:00+01:60",
        "2010-11-11T00:00:00+aa:00",
        "2010-11-11T24:00:00Z",
        "2010-11-11T00:00:00.Z",
        "2010-11-11T00:00:00.00000000Z",
        "2010-11-11T00:00:00,5Z",
        "2010/11/11T00:00:00Z",
        "2010-13-11T00:00:00Z",
        "2011-02-29T00:00:00Z",
        "2010-11-11 ",
        "1/2/2010 13:00 PM",
        "13/2/2010",
        "1/2/2010T10:00",
        "2010-11-11T00:00:00.0000000000000000+00:00",
    ],
)
def test_a_date_of_another_form_is_looked_at_alone(text: str) -> None:
    assert dates.to_ticks(pa.array(["2010-11-11T00:00:00Z", text])) is None


@pytest.mark.parametrize("type_", list(EdmType)[:-1])
def test_a_column_of_nothing_is_read(type_: EdmType) -> None:
    assert values.convert(pa.array([], pa.string()), type_)[0].to_pylist() == []
    assert values.convert(pa.array([None], pa.string()), type_)[0].to_pylist() == [None]
    assert values.convert(pa.nulls(2, pa.string()), type_)[0].to_pylist() == [None, None]


@pytest.mark.parametrize("text", ["x\ufffdy\uffefz", "\uff0c", "\t\r\n", "\U0010ffff"])
def test_a_string_may_have_any_character_that_xml_can_carry(text: str) -> None:
    assert values.convert(pa.array([text], pa.string()), EdmType.STRING)[1] == {}
