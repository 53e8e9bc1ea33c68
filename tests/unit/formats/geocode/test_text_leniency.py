"""Forms of delimited text that shipped clients send (geocode.md, 2.2 and 2.3)."""

from typing import Any

import pytest

from adapters.model.geocoding import ForwardItem, ReverseItem
from proxy.formats.schema import InvalidDataError
from tests.unit.formats.geocode.jobs import items, place, read, run
from tests.unit.formats.loading import zipped

TITLE = "Bing Spatial Data Services, 2.0"
HEADER = "Id,GeocodeRequest/Query,GeocodeResponse/Name"
DENVER = ForwardItem("Denver")


def text(*lines: str, end: str = "\n") -> bytes:
    return "".join(line + end for line in lines).encode()


def version_1(**fields: str) -> str:
    """A row of version 1.0 with values by their positions, `at2` for one."""
    return ",".join(fields.get(f"at{place}", "") for place in range(31))


@pytest.mark.parametrize(
    "title",
    [
        TITLE,
        "Bing Spatial Data Services,2.0",
        "Bing Spatial Data Services|2.0",
        "Bing Spatial Data Services, 2.0   ",
        '"Bing Spatial Data Services, 2.0"',
        "bing spatial data services, 2.0",
        "\ufeffBing Spatial Data Services, 2.0",
        f"{TITLE}\n{TITLE}",
        f"{TITLE}\r\n\r\n{TITLE}",
        f"\n\n{TITLE}",
        f"{TITLE},,,",
    ],
)
def test_a_first_line_is_judged_by_its_beginning_and_the_version_in_it(title: str) -> None:
    assert items(text(title, HEADER, "1,Denver,")) == [DENVER]


def test_a_first_line_in_quotes_or_twice_is_written_once_without() -> None:
    quoted = run(text(f'"{TITLE}"', f'"{TITLE}"', HEADER, "1,Denver,"))
    assert quoted.failed == f"{TITLE}\n{HEADER}\n1,Denver,\n"


def test_the_first_lines_are_written_as_they_were_sent() -> None:
    title, header = f"{TITLE}  ", 'Id, "GeocodeRequest/Query" ,  GeocodeResponse/NAME,Mine '
    done = run(text(title, header, "1,Denver", end="\r\n"), answer_of=lambda _: place())
    assert done.succeeded == f'{title}\n{header}\n1,Denver,"Denver, CO",\n'


@pytest.mark.parametrize(
    "header", ["ID,GEOCODEREQUEST/QUERY", "id , geocoderequest/query ", '"Id","GeocodeRequest/Query"']
)
def test_names_are_read_in_any_letter_case_with_blanks_or_quotes_around_them(header: str) -> None:
    assert items(text(TITLE, header, "1,Denver")) == [DENVER]


def test_a_row_may_be_shorter_or_longer_than_the_header() -> None:
    done = run(text(TITLE, HEADER, "1", "2,Denver,x,y,z", ",Denver"))
    assert done.failed == f"{TITLE}\n{HEADER}\n1,,\n2,Denver,\n,Denver,\n"


def test_line_ends_may_differ_in_one_file_and_empty_lines_are_no_rows() -> None:
    data = f"{TITLE}\n{HEADER}\r\n1,Denver,\r\n\r\n\n  \n2,Denver,\n3,Denver,\r4,Denver,".encode()
    assert [row.echo[0] for row in read(data)] == ["1", "2", "3", "4"]


def test_values_are_trimmed_and_stay_text() -> None:
    rows = read(text(TITLE, HEADER, ' 007 ,"  Denver ", x'))
    assert rows[0].echo == ("007", "Denver", "")


def test_csv_has_quotes_with_separators_quotes_and_line_ends_in_them() -> None:
    rows = read(b'%s\n%s\n1,"Denver, ""CO""\nUSA",\n2,"",\n' % (TITLE.encode(), HEADER.encode()))
    assert [row.echo[1] for row in rows] == ['Denver, "CO"\nUSA', ""]


@pytest.mark.parametrize(("form", "by"), [("pipe", "|"), ("tab", "\t")])
@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ('5" pipe', '5" pipe'),
        ("O'Brien", "O'Brien"),
        ('"5" pipe', '"5" pipe'),
        ('"', '"'),
        ('"a', '"a'),
        ('"a{by}b"', "a{by}b"),
        ('"say ""a"""', 'say "a"'),
    ],
)
def test_in_pipe_and_tab_a_quote_is_a_character_unless_it_encloses_a_field(
    form: str, by: str, written: str, read_as: str
) -> None:
    lines = (TITLE, HEADER.replace(",", by), by.join(["1", written.format(by=by), ""]), by.join(["2", "Denver"]))
    assert items(text(*lines), form) == [ForwardItem(read_as.format(by=by)), DENVER]


@pytest.mark.parametrize(
    ("names", "row", "item"),
    [
        ("Query Address/Locality", "Denver,Redmond", DENVER),
        ("Address/Locality Address/PostalTown", ",Soho", ForwardItem(admin_district3="Soho")),
        ("Address/CountryRegion", "usa", ForwardItem(country="US")),
    ],
)
def test_a_query_or_address_field_makes_a_geocode_request(names: str, row: str, item: ForwardItem) -> None:
    header = ",".join(f"GeocodeRequest/{name}" for name in names.split())
    location = "ReverseGeocodeRequest/Location/Latitude,ReverseGeocodeRequest/Location/Longitude"
    assert items(text(TITLE, f"{header},{location}", f"{row},10,20")) == [item]


def test_the_geocode_columns_hold_for_a_reverse_row_too() -> None:
    names = "GeocodeRequest/Culture,GeocodeRequest/ConfidenceFilter/MinimumConfidence"
    location = "ReverseGeocodeRequest/Location/Latitude,ReverseGeocodeRequest/Location/Longitude"
    (row,) = read(text(TITLE, f"{names},{location}", "fi-FI,High,10,20"))
    assert row.question is not None
    assert (row.question.item, row.question.language, row.selection.confidence) == (ReverseItem(10, 20), "fi-FI", 3)


def test_a_column_that_is_not_known_or_twice_is_given_back_as_it_came() -> None:
    header = "Mine,GeocodeRequest/Query,GeocodeRequest/Query,GeocodeResponse/Name,GeocodeResponse/Name"
    done = run(text(TITLE, header, "x,Denver,y,z,w"), answer_of=lambda _: place())
    assert done.succeeded.splitlines()[2] == 'x,Denver,y,"Denver, CO",w'


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ((TITLE,), "line 2 is missing"),
        ((TITLE, "", "  "), "is missing"),
        ((TITLE, "Id,GeocodeResponse/Name", "1,x"), "needed is GeocodeRequest/Query"),
        ((TITLE, "Id,ReverseGeocodeRequest/Location/Latitude", "1,2"), "Location/Longitude"),
        ((TITLE, "Id|GeocodeRequest/Query", "1|Denver"), "needed is GeocodeRequest/Query"),
        ((TITLE, "GeocodeRequest/Address/FormattedAddress", "Denver"), "needed is GeocodeRequest/Query"),
        ((HEADER, "1,Denver,"), "a line before it has to be: Bing Spatial Data Services, 2.0"),
        (("Bing Spatial Data Services, 3.0", HEADER, "1,Denver"), "names no version"),
        ((TITLE + HEADER + "1,Denver",), "line ends are lost"),
        ((TITLE, ",".join(["GeocodeRequest/Query", *"x" * 1_000])), "1,001 columns"),
        (("<GeocodeFeed>", "1,en-US,Denver"), "looks like XML: send input=xml"),
        (("", " "), "the data is empty"),
        (("1,en-US,\0D\0e\0n",), "zero bytes"),
    ],
)
def test_a_file_that_makes_no_request_is_refused_in_one_sentence(lines: tuple[str, ...], says: str) -> None:
    with pytest.raises(InvalidDataError, match=says) as refused:
        read(text(*lines))
    assert "\n" not in str(refused.value)


def test_without_a_first_line_the_file_is_version_1() -> None:
    done = run(text(version_1(at0="1", at1="en-GB", at2="Denver"), "2,en-GB,Denver"), answer_of=lambda _: place())
    assert [one["language"] for one in done.sent] == ["en-GB"]
    assert [len(row.split(",")) for row in done.succeeded.replace('"Denver, CO"', "").splitlines()] == [31, 31]


@pytest.mark.parametrize(
    "before",
    [
        ["Bing Spatial Data Services, 1.0"],
        ["GeocodeEntity/@Id,GeocodeEntity/GeocodeRequest/@Culture,GeocodeEntity/GeocodeRequest/@Query"],
        ['"GeocodeEntity/@Id","GeocodeEntity/GeocodeRequest/@Culture"'],
        ["Bing Spatial Data Services, 1.0", "GeocodeEntity/@Id,GeocodeEntity/GeocodeRequest/@Culture"],
    ],
)
def test_a_header_of_version_1_is_no_row_and_not_written(before: list[str]) -> None:
    done = run(text(*before, "1,,Denver"))
    assert (done.counts.total, done.failed.split(",")[0]) == (1, "1")


def test_a_file_of_version_1_may_have_a_title_and_no_rows() -> None:
    assert read(text("Bing Spatial Data Services, 1.0")) == []


@pytest.mark.parametrize("width", [3, 31, 34, 40])
def test_a_row_of_version_1_may_have_any_number_of_fields(width: int) -> None:
    row = ",".join(["1", "", "Denver", *[""] * (width - 3)])
    done = run(text(row))
    assert done.failed == "1,,Denver" + "," * 25 + "BadRequest,No location was found for this request.,,\n"


def test_all_fields_of_version_1_are_read_by_position() -> None:
    address = version_1(at3="a", at4="b", at5="Finland", at6="c", at8="d", at9="e", at10="f", at11="Medium")
    forward, reverse = read(text(address, version_1(at29="10.5", at30="-20")))
    assert forward.question is not None
    assert forward.question.item == ForwardItem("", "a", "d", "b", "c", "f", "e", "FI", 5)
    assert forward.selection.confidence == 2
    assert reverse.question is not None
    assert reverse.question.item == ReverseItem(10.5, -20)


@pytest.mark.parametrize("form", ["csv", "tab", "pipe"])
@pytest.mark.parametrize("packed", ["zip", "bom", "plain", "utf-16"])
def test_a_file_may_be_packed_or_marked(form: str, packed: str) -> None:
    by = {"csv": ",", "tab": "\t", "pipe": "|"}[form]
    plain = f"{TITLE}\n{HEADER.replace(',', by)}\n1{by}Dragør{by}\n"
    data: dict[str, Any] = {
        "plain": plain.encode(),
        "bom": plain.encode("utf-8-sig"),
        "zip": zipped(("rows.txt", plain.encode("utf-8-sig"))),
        "utf-16": plain.encode("utf-16"),
    }
    assert items(data[packed], form) == [ForwardItem("Dragør")]


def test_a_header_without_rows_makes_a_job_without_outputs() -> None:
    done = run(text(TITLE, HEADER))
    assert (done.counts.total, done.succeeded, done.failed) == (0, "", "")
