"""Answers of hand-made pages: odd characters, numbers, dates, shapes and missing values (query-api.md, section 2)."""

import json
import re
from collections.abc import Sequence

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.model.ticks import FIRST, LAST, Ticks, parse_ticks
from proxy.query.answer import Answer
from proxy.query.atom_answer import render_atom
from proxy.query.json_answer import render_json
from proxy.query.query import Distance, Intersection, Member
from proxy.query.render import render
from proxy.query.response_form import Callback, ResponseForm, ResponseFormat
from proxy.query.result import Cell, Result, ResultColumn
from proxy.query.schema import Property, PropertyType
from tests.unit.query.samples import BOUNDARY, CREATED, IS_OPEN, LATITUDE, NAME, RATE, SEATS

NOW = parse_ticks("2026-11-27T02:00:00.9Z")
INTERSECTION = Intersection(shapely.Point(1, 2))


def answer(*, is_single: bool = False) -> Answer:
    return Answer(
        base="https://a.example",
        access_id="ab",
        data_source="A!b",
        entity_type="Stores",
        copyright="\u00a9 <&>",
        now=NOW,
        guid="g",
        is_single=is_single,
    )


def page(member: Member, values: Sequence[Cell]) -> Result:
    return Result([str(number) for number in range(len(values))], (ResultColumn(member, values),))


def in_json(member: Member, value: Cell) -> str:
    """The value's text in JSON."""
    body = render_json(page(member, [value]), answer()).decode("ascii")
    match = re.search(r'\(\'0\'\)"},"[A-Za-z_]+":(.*)}]}}$', body, re.DOTALL)
    assert match is not None
    return match[1]


def in_atom(member: Member, value: Cell) -> str:
    """The property's element in Atom."""
    body = render_atom(page(member, [value]), answer()).decode()
    return body[body.index("<m:properties>") + len("<m:properties>") : body.index("</m:properties>")]


def read_atom(values: Sequence[str]) -> list[str]:
    root = etree.fromstring(render_atom(page(NAME, values), answer()))
    return [each.text or "" for each in root.iter("{http://schemas.microsoft.com/ado/2007/08/dataservices}Name")]


@pytest.mark.parametrize(
    ("member", "value", "json_text", "atom"),
    [
        (NAME, "a/b", r'"a\/b"', "<d:Name>a/b</d:Name>"),
        (NAME, "<'&\">", '"<\'&\\">"', "<d:Name>&lt;'&amp;\"&gt;</d:Name>"),
        (NAME, "\\", r'"\\"', "<d:Name>\\</d:Name>"),
        (NAME, "L\u00f8ven", r'"L\u00f8ven"', "<d:Name>L\u00f8ven</d:Name>"),
        (NAME, "\U0001f600\uffff", r'"\ud83d\ude00\uffff"', "<d:Name>\U0001f600</d:Name>"),
        (NAME, "\b\t\n\f\r\0\x1f\x7f", r'"\b\t\n\f\r\u0000\u001f\u007f"', "<d:Name>\t\n&#13;\x7f</d:Name>"),
        (NAME, "\u2028\u2029", r'"\u2028\u2029"', "<d:Name>\u2028\u2029</d:Name>"),
        (NAME, "  %s %% {} ", '"  %s %% {} "', "<d:Name>  %s %% {} </d:Name>"),
        (NAME, "", '""', "<d:Name />"),
        (NAME, "\0", r'"\u0000"', "<d:Name />"),
        (NAME, None, '""', "<d:Name />"),
        (SEATS, -(2**63), "-9223372036854775808", '<d:Seats m:type="Edm.Int64">-9223372036854775808</d:Seats>'),
        (SEATS, 9007199254740993, "9007199254740993", '<d:Seats m:type="Edm.Int64">9007199254740993</d:Seats>'),
        (SEATS, 0, "0", '<d:Seats m:type="Edm.Int64">0</d:Seats>'),
        (SEATS, None, "null", '<d:Seats m:type="Edm.Int64" m:null="true" />'),
        (IS_OPEN, True, "true", '<d:IsOpen m:type="Edm.Boolean">1</d:IsOpen>'),
        (IS_OPEN, False, "false", '<d:IsOpen m:type="Edm.Boolean">0</d:IsOpen>'),
        (IS_OPEN, None, "null", '<d:IsOpen m:type="Edm.Boolean" m:null="true" />'),
        (RATE, None, "null", '<d:Rate m:type="Edm.Double" m:null="true" />'),
        (CREATED, None, "null", '<d:Created m:type="Edm.DateTime" m:null="true" />'),
        (BOUNDARY, None, "null", '<d:Boundary m:type="Edm.Geography" m:null="true" />'),
        (Distance(), None, "null", '<d:__Distance m:type="Edm.Double" m:null="true" />'),
        (INTERSECTION, None, "null", '<d:__IntersectedGeom m:type="Edm.Geography" m:null="true" />'),
    ],
)
def test_values_of_every_type(member: Member, value: Cell, json_text: str, atom: str) -> None:
    assert in_json(member, value) == json_text
    assert in_atom(member, value) == atom


@pytest.mark.parametrize(
    ("member", "number", "text"),
    [
        (LATITUDE, 22.58118, "22.581180"),
        (LATITUDE, 5.0, "5.000000"),
        (LATITUDE, 57.00376611111, "57.003766"),
        (LATITUDE, -0.5, "-0.500000"),
        (RATE, 0.0, "0"),
        (RATE, -0.0, "-0"),
        (RATE, 1.5, "1.5"),
        (RATE, 0.1, "0.1"),
        (RATE, 123456.789, "123456.789"),
        (RATE, 1e15, "1000000000000000"),
        (RATE, 1e16, "1E+16"),
        (RATE, 1.5e300, "1.5E+300"),
        (RATE, 0.0001, "0.0001"),
        (RATE, 0.00005, "5E-05"),
        (RATE, 1e-7, "1E-07"),
        (RATE, -1.25e-7, "-1.25E-07"),
        (RATE, 5e-324, "5E-324"),
        (RATE, 0.30000000000000004, "0.30000000000000004"),
        (Distance(), 2.197340772189728, "2.19734077218973"),
        (Distance(), 0.0, "0"),
        (Distance(), 5.0, "5"),
        (Distance(), 0.00005, "5E-05"),
        (Distance(), 0.000123, "0.000123"),
        (Distance(), 1.168436693357040, "1.16843669335704"),
        (Distance(), 20037.123456789012345, "20037.123456789"),
    ],
)
def test_numbers(member: Member, number: float, text: str) -> None:
    assert in_json(member, number) == text
    assert f'm:type="Edm.Double">{text}</d:' in in_atom(member, number)


@pytest.mark.parametrize(("number", "text"), [(float("nan"), "NaN"), (float("inf"), "INF"), (float("-inf"), "-INF")])
@pytest.mark.parametrize("member", [RATE, LATITUDE])
def test_what_is_no_number_in_json_is_null_there(member: Member, number: float, text: str) -> None:
    assert in_json(member, number) == "null"
    assert f">{text}</d:" in in_atom(member, number)


@pytest.mark.parametrize(
    ("instant", "milliseconds", "clock"),
    [
        ("2010-11-03T23:31:36Z", 1288827096000, "2010-11-03T23:31:36"),
        ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00"),
        ("1969-12-31T23:59:59.9999999Z", -1, "1969-12-31T23:59:59.9999999"),
        ("1901-12-13T20:45:52.5Z", -2147483647500, "1901-12-13T20:45:52.5"),
        ("2010-11-03T10:00:00.1230000Z", 1288778400123, "2010-11-03T10:00:00.123"),
        ("0001-01-01T00:00:00Z", -62135596800000, "0001-01-01T00:00:00"),
        ("9999-12-31T23:59:59.9999999Z", 253402300799999, "9999-12-31T23:59:59.9999999"),
    ],
)
def test_dates(instant: str, milliseconds: int, clock: str) -> None:
    ticks = parse_ticks(instant)
    assert in_json(CREATED, ticks) == f'"\\/Date({milliseconds})\\/"'
    assert in_atom(CREATED, ticks) == f'<d:Created m:type="Edm.DateTime">{clock}</d:Created>'


@pytest.mark.parametrize(
    "text",
    [
        "POINT (1.5 -2)",
        "POINT (1 2 3)",
        "POINT EMPTY",
        "LINESTRING (-5 5, 15 5)",
        "POLYGON ((0 0, 1 0, 1 1, 0 0), (0.1 0.1, 0.2 0.1, 0.2 0.2, 0.1 0.1))",
        "MULTIPOINT ((1 2), (3 4))",
        "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 0.30000000000000004 1E-07))",
    ],
)
@pytest.mark.parametrize("member", [BOUNDARY, INTERSECTION])
def test_shapes_are_well_known_text(member: Member, text: str) -> None:
    wkb = shapely.to_wkb(shapely.from_wkt(text), flavor="iso")
    found = json.loads(in_json(member, wkb))
    assert found.upper() == text.upper()
    assert f'm:type="Edm.Geography">{found}</d:' in in_atom(member, wkb)


def test_a_page_of_shapes_may_lack_some() -> None:
    wkb = shapely.to_wkb(shapely.Point(1, 2))
    body = json.loads(render_json(page(BOUNDARY, [None, wkb, None]), answer()))
    assert [each["Boundary"] for each in body["d"]["results"]] == [None, "POINT (1 2)", None]


URI = r"https:\/\/a.example\/REST\/v1\/data\/ab\/A%21b\/Stores"


@pytest.mark.parametrize(
    ("id_", "shown"),
    [
        ("a", "a"),
        ("O'Neil", "O''Neil"),
        ("a b/c?%&", "a%20b%2Fc%3F%25%26"),
        ("-._~AZ09", "-._~AZ09"),
        ("\u00f8\U0001f600", "%C3%B8%F0%9F%98%80"),
        ("(*,;=:@!$)", "%28%2A%2C%3B%3D%3A%40%21%24%29"),
        ('<">', "%3C%22%3E"),
    ],
)
def test_the_uri_encodes_all_but_letters_digits_marks_and_quotes(id_: str, shown: str) -> None:
    result = Result([id_], ())
    assert f'{{"uri":"{URI}(\'{shown}\')"}}' in render_json(result, answer()).decode()
    assert f"{URI}('{shown}')</id>".replace("\\/", "/") in f"<id>{render_atom(result, answer()).decode()}"


def test_a_list_shows_the_count_where_it_was_asked_for() -> None:
    head = r'{"d":{"__copyright":"\u00a9 <&>",'
    for count, shown in ((None, ""), (0, '"__count":0,')):
        empty = Result([], (ResultColumn(NAME, []),), count)
        assert render_json(empty, answer()).decode() == f'{head}{shown}"results":[]}}}}'
        assert ("<m:count>0</m:count></feed>" in render_atom(empty, answer()).decode()) is (count is not None)


def test_entities_without_members_have_their_uri_alone() -> None:
    result = Result(["a", "b"], ())
    entities = [f'{{"__metadata":{{"uri":"{URI}(\'{id_}\')"}}}}' for id_ in "ab"]
    assert render_json(result, answer()).decode().endswith(f'"results":[{",".join(entities)}]}}}}')
    assert render_atom(result, answer()).decode().count("<m:properties></m:properties>") == 2


def test_one_entity_stands_in_no_list() -> None:
    result = page(NAME, ["x"])
    head = r'{"d":{"__copyright":"\u00a9 <&>","__metadata":{"uri":"' + URI
    assert render_json(result, answer(is_single=True)).decode() == head + '(\'0\')"},"Name":"x"}}'
    atom = render_atom(result, answer(is_single=True)).decode()
    assert atom.endswith('</content><rights type="text">\u00a9 &lt;&amp;&gt;</rights></entry>')


def test_the_feed_is_updated_now_in_whole_seconds() -> None:
    atom = render_atom(page(NAME, ["x", "y"]), answer()).decode()
    assert atom.count("<updated>2026-11-27T02:00:00Z</updated>") == 3


def test_the_form_of_the_answer() -> None:
    result = page(NAME, ["x"])
    assert render(result, answer(), ResponseForm()) == render_atom(result, answer())
    json_form = ResponseForm(ResponseFormat.JSON)
    assert render(result, answer(), json_form) == render_json(result, answer())
    called = render(result, answer(), ResponseForm(ResponseFormat.JSON, Callback("cb", "s")))
    assert called == b"cb(" + render_json(result, answer()) + b',"s")'


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_any_text_reads_back(values: list[str]) -> None:
    body = render_json(page(NAME, values), answer())
    assert body.isascii()
    assert re.search(rb"[^\\]/", body) is None
    assert [each["Name"] for each in json.loads(body)["d"]["results"]] == values
    valid = [re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", value) for value in values]
    assert read_atom(values) == valid


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_double_reads_back(number: float) -> None:
    text = in_json(RATE, number)
    assert float(text) == number
    assert ".0" not in text[-2:]


@given(st.integers(FIRST, LAST))
def test_any_date_reads_back(ticks: int) -> None:
    clock = etree.fromstring(f'<a xmlns:d="d" xmlns:m="m">{in_atom(CREATED, ticks)}</a>')[0].text or ""
    assert parse_ticks(clock) == Ticks(ticks)


def test_a_coordinate_of_another_type_shows_as_its_type() -> None:
    assert in_json(Property("Latitude", PropertyType.STRING), "x") == '"x"'
