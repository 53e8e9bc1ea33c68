"""Outputs of delimited text: what shipped clients break without (geocode.md, 3.1, 3.2 and 5.1)."""

import json
from typing import Any

import pytest

from proxy.formats.geocode.numbers import format_number
from tests.unit.formats.geocode.jobs import NOTHING, TRACE, place, run, write

TITLE = "Bing Spatial Data Services, 2.0"
SEPARATORS = {"csv": ",", "tab": "\t", "pipe": "|"}


def answered(names: str, form: str = "csv", query: str = "q", **properties: Any) -> list[str]:
    """The fields of one row as they are written, by columns of the response."""
    by = SEPARATORS[form]
    header = by.join(["GeocodeRequest/Query", *names.split()])
    done = run(f"{TITLE}\n{header}\n{query}\n".encode(), form, lambda _: place(**properties))
    line = done.succeeded.split("\n", 2)[2]
    assert line.endswith("\n")
    return line.removesuffix("\n").split(by)


def address(**parts: Any) -> dict[str, Any]:
    return {"address": parts}


@pytest.mark.parametrize("form", ["csv", "tab", "pipe"])
def test_every_row_is_as_wide_as_the_header_and_ends_without_a_separator(form: str) -> None:
    by = SEPARATORS[form]
    header = by.join(["Id", "GeocodeRequest/Query", "GeocodeResponse/Confidence", "", "StatusCode", ""])
    rows = [by.join(["1", "yes"]), by.join(["2", "no", *"abcdef"]), ""]
    answers = {"yes": place(), "no": NOTHING}
    done = run("\n".join([TITLE, header, *rows]).encode(), form, lambda item: answers[item["query"]])
    assert done.succeeded.splitlines()[2] == by.join(["1", "yes", "High", "", "Success", ""])
    assert done.failed.splitlines()[2] == by.join(["2", "no", "", "b", "BadRequest", "d"])


def test_a_header_with_an_empty_name_at_its_end_keeps_that_column() -> None:
    done = run(f"{TITLE}\nGeocodeRequest/Query,\nq,\n".encode())
    assert done.failed.splitlines()[1:] == ["GeocodeRequest/Query,", "q,"]


@pytest.mark.parametrize("form", ["tab", "pipe"])
@pytest.mark.parametrize("special", ["'", '"', "#", "{by}", "\n", "\r"])
def test_in_pipe_and_tab_a_field_that_clients_trip_over_is_in_quotes(form: str, special: str) -> None:
    name = f"a{special.format(by=SEPARATORS[form])}b"
    done = run(
        f"{TITLE}\nGeocodeRequest/Query{SEPARATORS[form]}GeocodeResponse/Name\nq\n".encode(),
        form,
        lambda _: place(**address(formattedAddress=name)),
    )
    quoted = name.replace('"', '""')
    assert done.succeeded.split("\n", 2)[2] == f'q{SEPARATORS[form]}"{quoted}"\n'


@pytest.mark.parametrize("plain", ["a, b", "a|b", "O'Brien #4", "a  b"])
def test_csv_has_quotes_only_where_they_are_needed(plain: str) -> None:
    (_, *rest) = answered("GeocodeResponse/Name", **address(formattedAddress=plain))
    assert ",".join(rest) == (f'"{plain}"' if "," in plain else plain)


def test_csv_doubles_quotes_within_quotes() -> None:
    name = 'a "b", c\nd'
    fields = answered("GeocodeResponse/Name", **address(formattedAddress=name))
    assert ",".join(fields[1:]) == '"a ""b"", c\nd"'


def test_points_are_json_without_blanks_and_without_quotes_around_it_in_pipe() -> None:
    points = [{"geometry": {"coordinates": [1.5, 2]}, "calculationMethod": "a|b\n", "usageTypes": ["Display", "Route"]}]
    (_, text) = answered("GeocodeResponse/GeocodePoints", "pipe", geocodePoints=points)
    assert text.startswith('[{"Longitude":"1.5","Latitude":"2","UsageTypes":"Display, Route","Type":"Point",')
    assert json.loads(text)[0]["CalculationMethod"] == "a|b\n"


def test_a_place_without_points_has_that_of_its_geometry() -> None:
    (_, text) = answered("GeocodeResponse/GeocodePoints", "tab")
    assert json.loads(text) == [
        {
            "Longitude": "-104.5",
            "Latitude": "39.5",
            "UsageTypes": "Display",
            "Type": "Point",
            "CalculationMethod": "Rooftop",
        }
    ]


def test_what_a_client_sends_in_columns_of_the_response_is_not_repeated() -> None:
    names = ["Point/Latitude", "Address/PostalTown", "Address/Landmark", "QueryParseValues", "Name"]
    header = ",".join(["GeocodeRequest/Query", *(f"GeocodeResponse/{name}" for name in names), "StatusCode", "Note"])
    done = run(f"{TITLE}\n{header}\nq,1,2,3,4,5,Success,mine\n".encode())
    assert done.failed.splitlines()[2] == "q,,,,,,BadRequest,mine"


def test_a_short_name_of_a_district_goes_before_its_name() -> None:
    districts = [{"name": "Washington", "shortName": "WA"}, {"name": "King County", "shortName": None}]
    names = "GeocodeResponse/Address/AdminDistrict GeocodeResponse/Address/AdminDistrict2"
    assert answered(names, **address(adminDistricts=districts)) == ["q", "WA", "King County"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (12, "12"), (1e-7, "0.0000001"), (-1.5e-5, "-0.000015"),
        (47.640130519866912, "47.6401305198669"),
        (-122.14631082421619, "-122.146310824216"), (180.0, "180"), (1.5e16, "15000000000000000"), (0.1 + 0.2, "0.3"),
    ],
)  # fmt: skip
def test_numbers_have_15_digits_and_no_exponent(value: float, text: str) -> None:
    assert format_number(value) == text


def test_an_output_of_many_rows_is_written_in_pieces_and_in_the_order_of_the_input() -> None:
    pad = "x" * 100  # longer rows, so that fewer fill several pieces of both outputs
    rows = [f"{number},{'good' if number % 3 else 'bad'} {number} {pad}" for number in range(9_000)]
    data = "\n".join([TITLE, "Id,GeocodeRequest/Query", *rows, ""]).encode()
    done = run(data, answer_of=lambda item: place() if "good" in item["query"] else NOTHING)
    assert done.succeeded.splitlines()[2:] == [row for row in rows if "good" in row]
    assert done.failed.splitlines()[2:] == [row for row in rows if "bad" in row]
    assert (done.counts.total, done.counts.failed) == (9_000, 3_000)


def test_trace_ids_differ_by_row_and_not_by_try() -> None:
    data = f"{TITLE}\nGeocodeRequest/Query,TraceId\na\nb\n".encode()
    ids = [TRACE.findall(write(data, "csv", lambda _: ())[1].decode()) for _ in range(2)]
    assert ids[0] == ids[1]
    assert len({*ids[0]}) == 2


@pytest.mark.parametrize("form", ["csv", "tab", "pipe"])
def test_version_1_has_the_first_point_of_each_kind(form: str) -> None:
    points = [
        {"geometry": {"coordinates": [2, 1]}, "calculationMethod": "InterpolationOffset"},
        {"geometry": {"coordinates": [4, 3]}, "calculationMethod": "Interpolation"},
        {"geometry": {"coordinates": [6, 5]}, "calculationMethod": "Parcel"},
    ]
    by = SEPARATORS[form]
    done = run(f"1{by}{by}q\n".encode(), form, lambda _: place(geocodePoints=points))
    assert done.succeeded.removesuffix("\n").replace('"Denver, CO"', "x").split(by)[20:24] == ["5", "6", "1", "2"]


def test_a_reverse_row_of_version_1_has_no_culture_in_either_output() -> None:
    row = "1,en-US" + "," * 28 + "{},2\n"
    done = run((row.format("1") + row.format("91")).encode(), answer_of=lambda _: place())
    assert done.succeeded.startswith("1,,,")
    assert done.succeeded.endswith(",Success,,1,2\n")
    assert done.failed.startswith("1,,,")
    assert done.failed.endswith(",91,2\n")
