"""Rows that are not sent (geocode.md, 2.4)."""

import csv

import pytest

from tests.unit.formats.geocode.jobs import run

TITLE = "Bing Spatial Data Services, 2.0"
FORMATTED = "GeocodeRequest/Address/FormattedAddress"
LOCATION = "ReverseGeocodeRequest/Location/Latitude,ReverseGeocodeRequest/Location/Longitude"
NO_REQUEST = "To geocode a location, you must specify at least one address field."
BAD_LOCATION = "The location must have a latitude from -90 to 90 and a longitude from -180 to 180."
OUTPUT_ONLY = "The Address.FormattedAddress property must not be specified because it is an output-only property."


def fault_of_text(row: str) -> tuple[str, int]:
    header = f"GeocodeRequest/Query,{FORMATTED},{LOCATION},Note,StatusCode,FaultReason"
    done = run(f"{TITLE}\n{header}\n{row}\n".encode())
    (fields,) = csv.reader(done.failed.splitlines()[2:])
    *_, status, reason = fields
    assert (status, fields[4]) == ("BadRequest", row.split(",")[4])
    return reason, len(done.sent)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",,,,note", NO_REQUEST),
        ("Denver,Denver,,,", OUTPUT_ONLY),
        (",Denver,1,2,", OUTPUT_ONLY),
        (",,10,,", BAD_LOCATION),
        (",,,20,", BAD_LOCATION),
        (",,90.1,0,", BAD_LOCATION),
        (",,-91,0,", BAD_LOCATION),
        (",,0,180.5,", BAD_LOCATION),
        (",,0,-181,", BAD_LOCATION),
        (",,nan,0,", BAD_LOCATION),
        (",,1e999,0,", BAD_LOCATION),
        (",,1_0,0,", BAD_LOCATION),
        (",,0x1,0,", BAD_LOCATION),
        (",,٣,0,", BAD_LOCATION),
        (",,10 N,0,", BAD_LOCATION),
    ],
)
def test_a_row_with_a_fault_fails_with_its_reason_and_is_not_sent(row: str, reason: str) -> None:
    assert fault_of_text(row) == (reason, 0)


@pytest.mark.parametrize("latitude", ["10", "+10.50", "-.5", "5.", "1e1", "1.5E-2", "-90", "90"])
def test_a_number_may_be_written_in_any_usual_way(latitude: str) -> None:
    done = run(f"{TITLE}\n{LOCATION}\n{latitude},-180\n".encode())
    assert done.sent[0]["item"] == {"coordinates": [-180.0, float(latitude)]}


def test_version_1_of_text_has_its_own_words_for_a_row_that_asks_for_nothing() -> None:
    done = run(b'4,en-US\n5,en-US,,,,,,"1 Main St, X"\n')
    first, second = done.failed.splitlines()
    assert first == "4,en-US" + "," * 26 + "BadRequest,Either Query or Address must be specified.,,"
    assert second.endswith(f"BadRequest,{OUTPUT_ONLY},,")


@pytest.mark.parametrize("version", ['Version="2.0"', ""])
def test_xml_has_the_same_reasons_in_both_versions(version: str) -> None:
    inner = [
        "",
        '<GeocodeRequest><Address FormattedAddress="x" Locality="y"/></GeocodeRequest>',
        "<ReverseGeocodeRequest/>",
        '<ReverseGeocodeRequest><Location Latitude="300" Longitude="0"/></ReverseGeocodeRequest>',
        '<ReverseGeocodeRequest><Location Latitude="30"/></ReverseGeocodeRequest>',
    ]
    entities = "".join(f"<GeocodeEntity>{one}</GeocodeEntity>" for one in inner)
    done = run(f"<GeocodeFeed {version}>{entities}</GeocodeFeed>".encode(), "xml")
    lines = done.failed.splitlines()[2:-1]
    for line, reason in zip(lines, [NO_REQUEST, OUTPUT_ONLY, NO_REQUEST, BAD_LOCATION, BAD_LOCATION], strict=True):
        assert reason in line
        assert "BadRequest" in line
    assert done.sent == []
    assert (done.counts.total, done.counts.failed, done.succeeded) == (5, 5, "")
