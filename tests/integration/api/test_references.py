"""wire-contract.md, section 1: job ids and data source names in a path."""

from urllib.parse import quote

import pytest

from adapters.model.job_ids import new_job_id
from adapters.model.ticks import parse_ticks
from tests.support.live import PUBLIC_URL, LiveServer
from tests.support.raw_http import get, talk, target
from tests.support.storage import Storage

DOWNLOAD = "Dataflows/DataSourceDownload"


def test_a_path_may_hold_utf8_and_signs_as_they_are(proxy: LiveServer, account: Storage) -> None:
    account.alias('alias:id:größe {|}^`"<>', account.job(LegacyId='Größe {|}^`"<>'))
    raw = target('Dataflows/LoadDataSource/größe%20{|}^`"<>')
    assert talk(proxy, get(raw)).envelope["resourceSets"][0]["resources"][0]["id"] == 'Größe {|}^`"<>'


NAME = "~`!$^_={}-AZaz09"


@pytest.mark.parametrize("sent", [NAME, quote(NAME, safe=""), NAME.lower(), NAME.upper()])
def test_a_data_source_name_matches_in_any_spelling(sent: str, proxy: LiveServer, account: Storage) -> None:
    account.download(NAME)
    answer = talk(proxy, get(target(f"{DOWNLOAD}/{sent}")))
    assert answer.status == 200
    url = answer.envelope["resourceSets"][0]["resources"][0]["links"][0]["url"]
    assert url == f"{PUBLIC_URL}/REST/v1/dataflows/DataSourceDownload/{quote(NAME, safe='~!$=-')}"
    assert talk(proxy, get(url.removeprefix(PUBLIC_URL) + "?key=master-key")).status == 200


@pytest.mark.parametrize("name", ["a%2Fb", "é"])
@pytest.mark.parametrize("tail", ["", "/output/succeeded"])
def test_an_invalid_name_is_a_400_that_shows_the_rule(name: str, tail: str, proxy: LiveServer) -> None:
    answer = talk(proxy, get(target(f"{DOWNLOAD}/{name}{tail}")))
    assert (answer.status, answer.envelope["authenticationResultCode"]) == (400, "ValidCredentials")
    (detail,) = answer.envelope["errorDetails"]
    assert "data source name" in detail
    assert "~ ` ! $ ^ _ = { } -" in detail


def test_a_download_by_name_leads_back_by_name_and_by_id_by_id(proxy: LiveServer, account: Storage) -> None:
    job_id = account.download("FourthCoffee")
    base = f"{PUBLIC_URL}/REST/v1/dataflows/DataSourceDownload"
    by_name, by_id = proxy.job(f"{DOWNLOAD}/fourthCOFFEE"), proxy.job(f"{DOWNLOAD}/{job_id.upper()}")
    assert by_name["id"] == by_id["id"] == job_id
    assert by_name["links"][0]["url"] == f"{base}/FourthCoffee"
    assert by_id["links"][0]["url"] == f"{base}/{job_id}"


def test_a_name_means_the_newest_download(proxy: LiveServer, account: Storage) -> None:
    first = account.download("Moving", Description="first")
    assert proxy.job(f"{DOWNLOAD}/Moving")["id"] == first
    second = account.download("Moving", "Pending", Description="second")
    assert proxy.job(f"{DOWNLOAD}/Moving")["id"] == second
    assert proxy.job(f"{DOWNLOAD}/{first}")["description"] == "first"


def test_an_imported_job_is_found_by_both_ids(proxy: LiveServer, account: Storage) -> None:
    row_key = account.job(LegacyId="AbC-d'ef 42")
    account.alias("alias:id:abc-d'ef 42", row_key)
    for reference in ("AbC-d'ef%2042", "ABC-D'EF%2042", row_key, row_key.upper()):
        answer = talk(proxy, get(target(f"Dataflows/LoadDataSource/{reference}")))
        job = answer.envelope["resourceSets"][0]["resources"][0]
        assert job["id"] == "AbC-d'ef 42"
        assert job["links"][0]["url"].endswith("/LoadDataSource/AbC-d'ef%2042")


def test_a_download_answers_to_its_id_from_bing(proxy: LiveServer, account: Storage) -> None:
    row_key = account.download("Imported", LegacyId="Old-Download-1")
    account.alias("alias:id:old-download-1", row_key)
    job = proxy.job(f"{DOWNLOAD}/OLD-download-1")
    assert job["id"] == "Old-Download-1"
    assert job["links"][0]["url"].endswith("/DataSourceDownload/Old-Download-1")
    assert proxy.job(f"{DOWNLOAD}/imported")["links"][0]["url"].endswith("/DataSourceDownload/Imported")


def test_ids_match_in_any_letter_case_and_show_as_stored(proxy: LiveServer, account: Storage) -> None:
    job_id = account.job(RowKey=new_job_id(parse_ticks("2026-01-02T03:04:05Z")))
    assert proxy.job(f"Dataflows/LoadDataSource/{job_id.upper()}")["id"] == job_id
