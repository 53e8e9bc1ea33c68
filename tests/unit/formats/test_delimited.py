"""Text by comma, tab or pipe loads as people's programs write it, and each line is found again."""

import itertools

import pytest

from proxy.formats.limits import MAX_RECORD_BYTES
from tests.unit.formats.loading import HEAD, SEPARATORS, Loaded, csv_of, load, load_until_error, placed
from tests.unit.formats.samples import DELIMITED, separated

HEADER = "EntityID(Edm.String,primaryKey),Name(Edm.String),Open(Edm.Int64)"
FIVE = "Latitude(Edm.Double),Longitude(Edm.Double),EntityID(Edm.String,primaryKey),Name(Edm.String),Note(Edm.String)"


def with_separator(header: str, form: str) -> str:
    return header.replace("),", f"){SEPARATORS[form]}")


def load_rows(form: str, *lines: str) -> Loaded:
    """Rows of Latitude, Longitude, EntityID, Name and Note, written with commas."""
    by = SEPARATORS[form]
    return load(csv_of(with_separator(FIVE, form), *(line.replace(",", by) for line in lines)), form)


def names(loaded: Loaded) -> list[str | None]:
    return [entity["Name"] for entity in loaded.entities]


@pytest.mark.parametrize(
    ("form", "data"), [("csv", DELIMITED.encode()), ("tab", separated("\t")), ("pipe", separated("|"))]
)
def test_documented_sample_loads(form: str, data: bytes) -> None:
    loaded = load(data, form)
    assert loaded.failures == []
    assert loaded.entity_type.name == "FourthCoffeeShops"
    assert loaded.entity_type.key == "EntityID"
    first, second = loaded.entities
    assert (first["EntityID"], first["Longitude"], first["Close"]) == ("-22067", 9.87443416667, 1800)
    assert first["StoreLayout"] is not None
    assert (second["Phone"], second["StoreLayout"]) == ("425-555-0111", None)


@pytest.mark.parametrize("form", [*SEPARATORS])
@pytest.mark.parametrize("value", ['a "b" c', "a,b\tc|d", ' "spaces" ', '"', "'", '""', "\u2028\u0085"])
def test_a_quoted_value_is_any_text_of_one_line(form: str, value: str) -> None:
    quoted = '"' + value.replace('"', '""') + '"'
    rows = [SEPARATORS[form].join(row) for row in (["1", "2", "a", quoted, "x"], ["1", "2", "b", "y", "z"])]
    assert names(load(csv_of(with_separator(FIVE, form), *rows), form)) == [value, "y"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_quoted_value_of_csv_may_have_line_ends(end: str) -> None:
    loaded = load_rows("csv", f'1,2,a,"one{end}two{end}",x', "1,2,b,y,z")
    assert names(loaded) == [f"one{end}two{end}", "y"]


@pytest.mark.parametrize("form", ["tab", "pipe"])
def test_a_line_of_tab_and_pipe_is_a_row(form: str) -> None:
    loaded = load_rows(form, '1,2,a,"one', 'two",3,4', "1,2,b,y,z")
    assert names(loaded) == ['"one', "y"]
    assert [failure.location for failure in loaded.failures] == ["line 4"]


@pytest.mark.parametrize("form", [*SEPARATORS])
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('5" pipe', '5" pipe'),
        ('"Old" Mill', '"Old" Mill'),
        ('"A" or "B"', '"A" or "B"'),
        ('Corner"', 'Corner"'),
        ('"', '"'),
        ('""', None),
        ('"""', '"""'),
        ('""""', '"'),
        ('""x', '""x'),
        ('"""x', '"""x'),
        (' "x"', "x"),
        ('  "x y" ', "x y"),
        (' "x" y', ' "x" y'),
        (' "" ', None),
        ("  x ", "  x "),
    ],
)
def test_a_quote_not_around_a_whole_value_is_a_character(form: str, written: str, value: str | None) -> None:
    for name, line in (("Name", f"1,2,a,{written},note"), ("Note", f"1,2,a,n,{written}")):
        loaded = load_rows(form, line, "1,2,b,n,x")
        assert loaded.failures == []
        assert loaded.entities[0][name] == value
        assert loaded.entities[1]["Note"] == "x"


def test_only_a_quote_that_ends_a_value_closes_it() -> None:
    loaded = load_rows("csv", '1,2,a,"Corner,x', "1,2,b,n,x", '1,2,c,"Pike, 5th",x', '1,2,d,"open,y', '1,2,e,end",z')
    assert [(entity["EntityID"], entity["Name"], entity["Note"]) for entity in loaded.entities] == [
        ("a", '"Corner', "x"),
        ("b", "n", "x"),
        ("c", "Pike, 5th", "x"),
        ("d", "open,y\n1,2,e,end", "z"),
    ]


@pytest.mark.parametrize("form", [*SEPARATORS])
def test_surplus_empty_cells_are_ignored(form: str) -> None:
    rows = ["1,2,a,n,x,,,", '1,2,b,n,x, ,"",', "1,2,c,n", "1,2,d", "1,2,e,n,x,y", "1,2,f,n,x,,y,", "1,2", "1,2,g,,"]
    loaded = load_rows(form, *rows)
    assert [(entity["EntityID"], entity["Name"], entity["Note"]) for entity in loaded.entities] == [
        ("a", "n", "x"),
        ("b", "n", "x"),
        ("c", "n", None),
        ("d", None, None),
        ("g", None, None),
    ]
    assert [(failure.location, failure.entity_id) for failure in loaded.failures] == [
        ("line 7", "e"),
        ("line 8", "f"),
        ("line 9", None),
    ]
    assert loaded.reasons[0].startswith("has 'y' behind its last value: the schema names 5 properties")
    assert loaded.reasons[2] == "EntityID is missing"


@pytest.mark.parametrize("end", ["", ",n", ",n,", ",n,,", ",n,,,,", f",n,{',' * 60}"])
def test_rows_shorter_or_longer_than_the_schema_load(end: str) -> None:
    loaded = load_rows("csv", *(f"1,2,{row}{end}" for row in range(3)))
    assert [entity["EntityID"] for entity in loaded.entities] == ["0", "1", "2"]
    assert {(entity["Name"], entity["Note"]) for entity in loaded.entities} == {("n" if end else None, None)}


@pytest.mark.parametrize("form", [*SEPARATORS])
def test_blank_lines_are_lines_but_no_rows(form: str) -> None:
    loaded = load_rows(form, "", "1,2,a,n,", "  ", ",,,,", " ,  , ", "\t", "1,2,b,n,", ",,,,,,,", "x,2,c,n,", "", " ")
    assert [entity["EntityID"] for entity in loaded.entities] == ["a", "b"]
    assert [(failure.location, failure.entity_id) for failure in loaded.failures] == [("line 11", "c")]


@pytest.mark.parametrize("form", [*SEPARATORS])
def test_ids_are_trimmed_and_other_text_is_not(form: str) -> None:
    loaded = load_rows(form, "1,2, a , n ,x", '1, 2 ,"\u00a0b ",n,x')
    assert [(entity["EntityID"], entity["Name"]) for entity in loaded.entities] == [("a", " n "), ("b", "n")]
    assert load_rows(form, "1,2,a,n,", "1,2,A,n,", "1,2, a,n,").failures[0].entity_id == "a"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_read_and_counted(end: str) -> None:
    lines = [f"{FIVE}", "1,2,1,a,1", "", '1,2,2,"b\nc",2', "x,2,3,d,x", "1,x,4,e", 'x,2,5,"f""g",y']
    data = HEAD.replace(b"\n", end.encode()) + end.join(lines).encode()
    loaded = load(data, "csv")
    assert [entity["EntityID"] for entity in loaded.entities] == ["1", "2"]
    assert [(failure.location, failure.entity_id) for failure in loaded.failures] == [
        ("line 7", "3"),
        ("line 8", "4"),
        ("line 9", "5"),
    ]


@pytest.mark.parametrize("ends", list(itertools.permutations(["\n", "\r\n", "\r"])))
def test_line_ends_may_be_mixed(ends: tuple[str, ...]) -> None:
    lines = [HEAD.decode().strip(), FIVE, "1,2,a,n,x", "1,2,b,n,x", "1,2,c,n,x"]
    data = "".join(line + end for line, end in zip(lines, [*ends, ends[0], ""], strict=True))
    assert [entity["EntityID"] for entity in load(data.encode(), "csv").entities] == ["a", "b", "c"]


@pytest.mark.parametrize("form", [*SEPARATORS])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_text_is_utf_8_or_as_its_byte_order_mark(form: str, encoding: str) -> None:
    text = csv_of(with_separator(FIVE, form), SEPARATORS[form].join(["1", "2", "a", "Caf\u00e9 \U0001f600", ""]))
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    assert names(load((mark + text.decode()).encode(encoding), form)) == ["Caf\u00e9 \U0001f600"]


def test_lines_are_counted_across_blocks() -> None:
    rows = [f"{row},{'a' * 50},1" for row in range(40_000)]
    broken = ['a,"b\nc",x', "b,b,x", "", "c,d,1,2"]
    loaded = load(placed(HEADER, *rows[:20_000], *broken, *rows[20_000:], *broken[1:]), "csv")
    assert [entity["EntityID"] for entity in loaded.entities] == [str(row) for row in range(40_000)]
    assert max(batch.entities.num_rows for batch in loaded.batches) <= 5_000
    assert [(failure.location, failure.entity_id) for failure in loaded.failures] == [
        ("line 20003", "a"),
        ("line 20005", "b"),
        ("line 20006", None),
        ("line 20007", "c"),
        ("line 40008", "b"),
        ("line 40009", None),
        ("line 40010", "c"),
    ]


def test_lines_of_values_are_counted_across_blocks() -> None:
    rows = [f'1,2,{row},"{"x" * 40}\n{row}",n' for row in range(30_000)]
    loaded = load_rows("csv", *rows, "x,2,z,n,n")
    assert names(loaded) == [f"{'x' * 40}\n{row}" for row in range(30_000)]
    assert loaded.failures[0].location == f"line {2 + 60_000 + 1}"


def test_a_closing_quote_in_another_block_is_found() -> None:
    filler = [f"1,2,{row},n,{'y' * 100}" for row in range(30_000)]
    loaded = load_rows("csv", '1,2,a,"open,x', *filler)
    assert len(loaded.entities) == 30_001
    assert loaded.entities[0]["Name"] == '"open'
    loaded = load_rows("csv", '1,2,a,"open,x', *filler, '1,2,b,closed",x', "1,2,c,n,x")
    assert [entity["EntityID"] for entity in loaded.entities] == ["c"]
    assert loaded.reasons[0].startswith("Name is 'open,x 1,2,0,n,yyy")


def test_a_row_above_the_size_limit_fails_alone() -> None:
    large = "a" * (MAX_RECORD_BYTES + 3_000_000)
    rows = [
        "1,2,a,n,",
        f"1,2,b,{large},x",
        "1,2,c,n,",
        f'1,2,d,"b\nb",{large}',
        "1,2,e,n,",
        f'1,2,f,"{large},',
        "1,2,g,n,",
    ]
    loaded = load_rows("csv", *rows)
    assert [entity["EntityID"] for entity in loaded.entities] == ["a", "c", "e", "g"]
    reason = f"has more than {MAX_RECORD_BYTES:,} bytes, the most that an entity may have"
    assert [(one.location, one.entity_id, one.reason) for one in loaded.failures] == [
        ("line 4", "b", reason),
        ("line 6", "d", reason),
        ("line 9", "f", reason),
    ]


def test_rows_before_an_encoding_error_load() -> None:
    data = csv_of(FIVE, *(f"1,2,{row},n," for row in range(3)), "1,2,x,Caf\u00e9,").replace(b"\xc3\xa9", b"\xe9")
    loaded, message = load_until_error(data, "csv")
    assert len(loaded.entities) == 3
    assert message.startswith("line 6: the byte 0xE9 is not UTF-8; the text is probably in Windows-1252 or Latin-1")
