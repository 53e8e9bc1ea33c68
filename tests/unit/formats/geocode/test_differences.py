"""The numbered differences of docs/compatibility.md that are of geocode jobs, a test each."""

import re
from typing import Any

import pytest

from adapters.model.geocoding import ForwardItem
from proxy.formats.geocode.requests import build_request
from tests.unit.formats.geocode.jobs import NOTHING, place, run

TITLE = "Bing Spatial Data Services, 2.0"
RESPONSE = "GeocodeResponse/"


def rows(columns: str, *lines: str, form: str = "csv", answer: Any = place()) -> list[str]:  # noqa: B008 - never changed
    """The succeeded rows of these lines."""
    by = {"csv": ",", "tab": "\t", "pipe": "|"}[form]
    header = by.join(columns.split())
    done = run("\n".join([TITLE, header, *lines, ""]).encode(), form, lambda _: answer)
    return done.succeeded.splitlines()[2:]


def feed(request: str, version: int = 2, answer: Any = place()) -> str:  # noqa: B008 - never changed
    """The succeeded feed of one request."""
    mark = ' Version="2.0"' if version == 2 else ""
    entity = f'<GeocodeEntity Id="1">{request}</GeocodeEntity>'
    return run(f"<GeocodeFeed{mark}>{entity}</GeocodeFeed>".encode(), "xml", lambda _: answer).succeeded


def test_difference_65_rows_have_the_order_of_the_input() -> None:
    ids = [
        row.partition(",")[0]
        for row in rows("Id GeocodeRequest/Query", *(f"{each},q{each}" for each in ("4", "7", "13", "2")))
    ]
    assert ids == ["4", "7", "13", "2"]


def test_difference_66_what_azure_maps_lacks_is_empty_or_left_out() -> None:
    lacking = f"{RESPONSE}Address/PostalTown {RESPONSE}Address/Landmark {RESPONSE}QueryParseValues"
    assert rows(f"GeocodeRequest/Query {lacking}", "q") == ["q,,,"]
    written = feed('<GeocodeRequest Query="q" IncludeQueryParse="true" />')
    assert not re.search("PostalTown|Landmark|QueryParseValue", written)


def test_difference_67_a_trace_id_is_32_hex_digits_without_quotes() -> None:
    for form in ("csv", "tab", "pipe"):
        assert rows(
            "Id TraceId GeocodeRequest/Query", {"csv": "1,,q", "tab": "1\t\tq", "pipe": "1||q"}[form], form=form
        ) == [{"csv": "1,{trace},q", "tab": "1\t{trace}\tq", "pipe": "1|{trace}|q"}[form]]


def test_difference_68_quotes_stand_where_clients_trip_over_a_character() -> None:
    name = {"address": {"formattedAddress": "O'Brien"}}
    assert rows(f"GeocodeRequest/Query {RESPONSE}Name", "q", form="pipe", answer=place(**name)) == ['q|"O\'Brien"']
    assert rows(f"GeocodeRequest/Query {RESPONSE}Name", "q", answer=place(**name)) == ["q,O'Brien"]


def test_difference_69_a_reverse_request_has_one_result() -> None:
    request = (
        '<ReverseGeocodeRequest MaxResults="5"><Location Latitude="39.5" Longitude="-104.5" /></ReverseGeocodeRequest>'
    )
    assert feed(request).count("<GeocodeResponse ") == 1
    assert 'MaxResults="5"' in feed(request)


def test_difference_70_without_max_results_there_is_one_result() -> None:
    assert feed('<GeocodeRequest Query="q" />').count("<GeocodeResponse ") == 1
    assert build_request({"Query": "q"}).question.item == ForwardItem(query="q", top=1)  # type: ignore[union-attr]  # it has no fault


def test_difference_71_a_confidence_and_a_strict_match_are_judged_here() -> None:
    low = place(confidence="Low")
    request = '<GeocodeRequest Query="q"><ConfidenceFilter MinimumConfidence="High" /></GeocodeRequest>'
    assert not feed(request, answer=low)


def test_difference_72_a_query_goes_before_address_fields() -> None:
    question = build_request({"Query": "here", "Locality": "there"}).question
    assert question is not None
    assert question.item == ForwardItem(query="here")


def test_difference_73_a_geocode_request_goes_before_a_reverse_one() -> None:
    both = '<ReverseGeocodeRequest><Location Latitude="1" Longitude="2" /></ReverseGeocodeRequest>'
    both += '<GeocodeRequest Query="q" />'
    asked: list[dict[str, Any]] = []

    def answer(item: dict[str, Any]) -> Any:
        asked.append(item)
        return place()

    run(
        f'<GeocodeFeed Version="2.0"><GeocodeEntity Id="1">{both}</GeocodeEntity></GeocodeFeed>'.encode(), "xml", answer
    )
    assert [item.get("query") for item in asked] == ["q"]


def test_difference_74_an_unknown_column_is_given_back() -> None:
    assert rows("Id Mine GeocodeRequest/Query", "1,so,q") == ["1,so,q"]


@pytest.mark.parametrize("culture", ["fi_FI", "en US", ""])
def test_difference_75_a_culture_that_is_no_language_is_english(culture: str) -> None:
    question = build_request({"Query": "q", "Culture": culture}).question
    assert question is not None
    assert question.language == "en-US"


def test_difference_76_districts_are_filled_in_text_of_version_1() -> None:
    districts = {"address": {"adminDistricts": [{"shortName": "WA"}, {"shortName": "King Co."}]}}
    done = run(b"1,en-US,q\n", "csv", lambda _: place(**districts))
    fields = done.succeeded.rstrip("\n").split(",")
    assert (fields[13], fields[15]) == ("WA", "King Co.")


def test_difference_77_points_have_latitude_and_longitude_the_right_way_round() -> None:
    points = [{"geometry": {"coordinates": [23.5, 61.5]}, "calculationMethod": "Rooftop", "usageTypes": ["Display"]}]
    (row,) = rows(f"GeocodeRequest/Query {RESPONSE}GeocodePoints", "q", form="pipe", answer=place(geocodePoints=points))
    assert '"Longitude":"23.5","Latitude":"61.5"' in row


def test_difference_78_a_reason_that_no_document_has_is_ours() -> None:
    done = run(f"{TITLE}\nGeocodeRequest/Query,StatusCode,FaultReason\nq\n".encode(), "csv", lambda _: NOTHING)
    assert done.failed.splitlines()[2] == "q,BadRequest,No location was found for this request."


def test_difference_79_a_name_is_the_whole_address() -> None:
    name = {"address": {"formattedAddress": "Space Needle, Seattle"}}
    assert rows(f"GeocodeRequest/Query {RESPONSE}Name", "q", form="pipe", answer=place(**name)) == [
        "q|Space Needle, Seattle"
    ]
    assert 'DisplayName="Space Needle, Seattle"' in feed('<GeocodeRequest Query="q" />', 1, place(**name))


def test_difference_80_the_data_quality_is_a_constant() -> None:
    assert '<DataQuality feedAlias="geofeed1" />' in feed('<GeocodeRequest Query="q" />', 1)
