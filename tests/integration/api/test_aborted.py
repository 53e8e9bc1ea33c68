"""Wire contract, sections 2 and 3: what an aborted job says, and where."""

import pytest

from tests.support.job_samples import JOB_TYPES, path_of
from tests.support.live import LiveServer
from tests.support.storage import Storage

MESSAGES = {None: "The job was aborted.", "": "The job was aborted.", "Row 7: no latitude": "Row 7: no latitude"}


@pytest.mark.parametrize("job_type", JOB_TYPES)
@pytest.mark.parametrize(("stored", "shown"), MESSAGES.items())
def test_an_aborted_job_says_why_in_itself_and_in_the_envelope(
    job_type: str, stored: str | None, shown: str, proxy: LiveServer, account: Storage
) -> None:
    path = path_of(job_type, account.job(job_type, "Failed", **({} if stored is None else {"ErrorMessage": stored})))
    response = proxy.get(path)
    envelope = response.json()
    (job,) = envelope["resourceSets"][0]["resources"]
    assert (response.status_code, envelope["statusCode"], job["status"]) == (200, 200, "Aborted")
    assert (job["errorMessage"], envelope["errorDetails"]) == (shown, [shown])
    assert envelope["authenticationResultCode"] == "ValidCredentials"
    answer = proxy.xml(path)
    assert [text.text for text in answer.iterfind("{*}ErrorDetails/{*}string")] == [shown]
    assert answer.findtext(".//{*}Resources/*/{*}ErrorMessage") == shown


def test_the_list_has_the_message_at_the_job_and_no_error_details(server: LiveServer, storage: Storage) -> None:
    storage.job(status="Aborted")
    storage.job("DataSourceDelete", "Aborted", ErrorMessage="Locked")
    envelope = server.json("Dataflows/ListJobs")
    assert [job["errorMessage"] for job in envelope["resourceSets"][0]["resources"]] == [
        "Locked",
        "The job was aborted.",
    ]
    assert "errorDetails" not in envelope
    answer = server.xml("Dataflows/ListJobs")
    assert [text.text for text in answer.iterfind(".//{*}ErrorMessage")] == ["Locked", "The job was aborted."]
    assert answer.find("{*}ErrorDetails") is None


@pytest.mark.parametrize("status", ["Pending", "Completed"])
def test_other_jobs_have_no_message_and_no_error_details(status: str, proxy: LiveServer, account: Storage) -> None:
    envelope = proxy.json(path_of("Geocode", account.job("Geocode", status, ErrorMessage="left over")))
    assert "errorDetails" not in envelope
    assert "errorMessage" not in envelope["resourceSets"][0]["resources"][0]


@pytest.mark.parametrize("sign", ["\x01", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_characters_that_xml_cant_carry_are_replaced_in_both_formats(
    sign: str, proxy: LiveServer, account: Storage
) -> None:
    text = f"<a & 'b' \"c\">\t\n{sign} \N{EARTH GLOBE EUROPE-AFRICA} / ]]>"
    path = path_of("Geocode", account.job("Geocode", "Aborted", ErrorMessage=text, Description=text))
    shown = text.replace(sign, "\ufffd")
    envelope = proxy.json(path)
    job = envelope["resourceSets"][0]["resources"][0]
    assert job["errorMessage"] == job["description"] == shown
    assert envelope["errorDetails"] == [shown]
    answer = proxy.xml(path)
    found = [answer.findtext(f".//{{*}}{name}") for name in ("ErrorMessage", "Description", "string")]
    assert found == [shown] * 3
