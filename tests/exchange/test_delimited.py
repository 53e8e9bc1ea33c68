"""Text by comma, tab or pipe loads as documented, and each line is found again."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.exchange.delimited_regular import regular_columns
from proxy.exchange.schema import UnusableError
from tests.exchange.loading import HEAD, csv_of, load
from tests.exchange.samples import DELIMITED, separated

HEADER = "EntityID(Edm.String,primaryKey),Name(Edm.String),Open(Edm.Int64)"


@pytest.mark.parametrize(
    ("form", "data"), [("csv", DELIMITED.encode()), ("tab", separated("\t")), ("pipe", separated("|"))]
)
def test_the_documented_sample_loads(form: str, data: bytes) -> None:
    loaded = load(data, form)
    assert loaded.failures == []
    assert loaded.entity_type.name == "FourthCoffeeShops"
    assert loaded.entity_type.key == "EntityID"
    first, second = loaded.entities
    assert (first["EntityID"], first["Longitude"], first["Close"]) == ("-22067", 9.87443416667, 1800)
    assert first["StoreLayout"] is not None
    assert (second["Phone"], second["StoreLayout"]) == ("425-555-0111", None)


@pytest.mark.parametrize("separator", [",", "\t", "|"])
@pytest.mark.parametrize("value", ['a "b" c', "a,b\tc|d", "two\nlines", "two\r\nlines", ' "spaces" ', '"', "'"])
def test_a_quoted_value_is_any_text(separator: str, value: str) -> None:
    header = HEADER.replace("),", f"){separator}")
    quoted = '"' + value.replace('"', '""') + '"'
    form = {",": "csv", "\t": "tab", "|": "pipe"}[separator]
    loaded = load(csv_of(header, separator.join(["1", quoted, "5"]), separator.join(["2", "x", "6"])), form)
    assert [(entity["Name"], entity["Open"]) for entity in loaded.entities] == [(value, 5), ("x", 6)]


def test_a_quote_inside_a_value_is_a_quote() -> None:
    assert load(csv_of(HEADER, '1,5" pipe,', "2,x,"), "csv").entities[0]["Name"] == '5" pipe'


def test_an_empty_value_is_missing() -> None:
    assert load(csv_of(HEADER, '1,"",'), "csv").entities == [{"EntityID": "1", "Name": None, "Open": None}]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_in_any_way_and_failures_name_the_line(end: str) -> None:
    lines = [HEADER, "1,a,1", "", '2,"b\nc",2', "3,d,x", "4,e", '5,"f""g",y']
    data = HEAD.replace(b"\n", end.encode()) + end.join(lines).encode()
    loaded = load(data, "csv")
    assert [entity["EntityID"] for entity in loaded.entities] == ["1", "2"]
    assert {(failure.place, failure.entity_id) for failure in loaded.failures} == {
        ("line 7", "3"),
        ("line 8", "4"),
        ("line 9", "5"),
    }


@settings(max_examples=300, deadline=None)
@given(st.text('",|a \n\r\t\0\u00e9', min_size=1, max_size=30), st.sampled_from([",", "|", "\t"]))
def test_the_quick_way_reads_what_python_reads(text: str, separator: str) -> None:
    columns = regular_columns(text.encode(), separator, 2)
    if columns is not None:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        assert [list(row) for row in zip(*(column.to_pylist() for column in columns), strict=True)] == [
            [value or None for value in row] for row in rows
        ]


def test_lines_are_counted_across_both_ways_and_all_blocks() -> None:
    rows = [f"{row},{'a' * 50},1" for row in range(40_000)]
    broken = ['a,"b\nc",x', "b,b,x", "", "c,d"]
    loaded = load(csv_of(HEADER, *rows[:20_000], *broken, *rows[20_000:], *broken[1:]), "csv")
    assert [entity["EntityID"] for entity in loaded.entities] == [str(row) for row in range(40_000)]
    assert max(batch.entities.num_rows for batch in loaded.batches) <= 5_000
    assert sorted((failure.place, failure.entity_id) for failure in loaded.failures) == [
        ("line 20003", "a"),
        ("line 20005", "b"),
        ("line 20007", "c"),
        ("line 40008", "b"),
        ("line 40010", "c"),
    ]


def test_a_byte_order_mark_is_no_character() -> None:
    assert len(load(b"\xef\xbb\xbf" + csv_of(HEADER, "1,a,1"), "csv").entities) == 1


@pytest.mark.parametrize(
    "line",
    [
        "Bing Spatial Data Services,1.0,Shops",
        "bing spatial data services, 1.0, Shops  ",
        "Bing Spatial Data Services, 1.0, Shops,,,",
    ],
)
def test_the_version_line_is_read_as_writers_write_it(line: str) -> None:
    assert load(f"{line}\n{HEADER}\n1,a,1\n".encode(), "csv").entity_type.name == "Shops"


@pytest.mark.parametrize(
    "header", [f"{HEADER}  ", f"{HEADER},,", '"EntityID(Edm.String,primaryKey)",Name(edm.string),"Open(Edm.Int64)"']
)
def test_the_schema_line_is_read_as_writers_write_it(header: str) -> None:
    assert load(csv_of(header, "1,a,1"), "csv").entities == [{"EntityID": "1", "Name": "a", "Open": 1}]


def test_an_only_property_may_be_the_key() -> None:
    loaded = load(csv_of("EntityID(Edm.String,primaryKey)", "1", "", "2"), "csv")
    assert [entity["EntityID"] for entity in loaded.entities] == ["1", "2"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1 is not: Bing Spatial Data Services, 1.0"),
        (b"EntityID,Name\n1,a\n", "line 1 is not"),
        (b"Bing Spatial Data Services, 2.0, Shops\n", "line 1 is not"),
        (csv_of(HEADER, "1,a,1").replace(b",a", b",\xff"), "not UTF-8"),
        (csv_of(HEADER, "1,a,1").decode().encode("utf-16"), "not UTF-8"),
        (csv_of(HEADER, f"1,{'a' * 10_000_000},1"), "line 3: an entity of more than 8,388,608 bytes"),
        (csv_of(HEADER, '1,"' + ("a" * 999 + "\n") * 9_000), "an entity of more than 8,388,608 bytes"),
    ],
)
def test_what_is_no_such_text_aborts_the_load(data: bytes, message: str) -> None:
    with pytest.raises(UnusableError, match=message):
        load(data, "csv")
