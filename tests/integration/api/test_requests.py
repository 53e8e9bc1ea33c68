"""Wire contract, section 1: paths, parameters, and what their letter case and order mean."""

from collections.abc import Callable

import pytest
from lxml import etree

from tests.conftest import StartServer
from tests.support.job_samples import JOB_TYPES, OUTPUT_PATHS, SAMPLES, STATUS_PATHS, Sample, path_of, rich_job
from tests.support.live import PUBLIC_URL, LiveServer
from tests.support.storage import Storage

Change = Callable[[str], str]

CHANGES: dict[str, Change] = {
    "lower case": str.lower,
    "upper case": str.upper,
    "swapped case": str.swapcase,
    "slash at the end": lambda path: path + "/",
    "slashes doubled": lambda path: path.replace("/", "//"),
}


@pytest.mark.parametrize("sample", SAMPLES, ids=JOB_TYPES)
def test_each_job_type_has_its_status_url_and_leads_back_to_it(
    sample: Sample, proxy: LiveServer, account: Storage
) -> None:
    job_id = rich_job(account, sample.job_type)
    job = proxy.job(sample.path.format(job_id))
    assert job["id"] == job_id
    assert job["__type"] == f"{sample.json_type}:http://schemas.microsoft.com/search/local/ws/rest/v1"
    assert job["links"][0] == {"role": "self", "url": f"{PUBLIC_URL}/REST/v1/{sample.self_path.format(job_id)}"}
    (element,) = proxy.xml(sample.path.format(job_id)).findall(".//{*}Resources/*")
    assert etree.QName(element).localname == sample.xml_type


@pytest.mark.parametrize("path", ["Dataflows/ListJobs", *STATUS_PATHS, *OUTPUT_PATHS])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_letter_case_and_slashes_of_a_path_change_nothing(
    path: str, change: Change, proxy: LiveServer, account: Storage
) -> None:
    (job_type, *_) = [sample.job_type for sample in SAMPLES if path.startswith(sample.path)] or ["Geocode"]
    path = path.format(rich_job(account, job_type))
    plain, changed = proxy.get(path), proxy.get(change(path))
    assert changed.status_code == plain.status_code < 400
    if plain.status_code == 200:
        assert (
            changed.json()["resourceSets"][0]["resources"][0]["id"]
            == (plain.json()["resourceSets"][0]["resources"][0]["id"])
        )


def test_the_first_segments_match_in_any_letter_case(proxy: LiveServer) -> None:
    for prefix in ("rest/v1", "REST/V1", "Rest/v1"):
        assert proxy.client.get(f"{proxy.url}/{prefix}/dataflows/listjobs?key=master-key").status_code == 200


@pytest.mark.parametrize(
    ("query", "is_xml"),
    [
        ("", False),
        ("output=json", False),
        ("output=xml", True),
        ("o=xml", True),
        ("O=XML", True),
        ("OutPut=Xml", True),
        ("o=JSON", False),
        ("o=", False),
        ("output=", False),
        ("o", False),
        ("o=xml&output=json", True),
        ("output=json&o=xml", False),
        ("o=xml&o=json", True),
        ("o=&output=xml", False),
        ("o=xml&output=pdf", True),
        ("%6F=%78ml", True),
    ],
)
def test_the_first_output_parameter_decides_the_format(query: str, is_xml: bool, proxy: LiveServer) -> None:  # noqa: FBT001 - a table's column
    response = proxy.client.get(f"{proxy.url}/REST/v1/Dataflows/ListJobs?{query}&KEY=master-key")
    assert response.status_code == 200
    assert response.headers["content-type"] == f"application/{'xml' if is_xml else 'json'}; charset=utf-8"
    assert response.content.startswith(b"<?xml" if is_xml else b"{")


@pytest.mark.parametrize("query", ["o=pdf", "output=text", "o=json%20", "o=xml,json", "o=0", "o=%FF", "o=pdf&o=json"])
def test_any_other_output_is_a_bad_request_that_names_what_is_allowed(query: str, proxy: LiveServer) -> None:
    response = proxy.client.get(f"{proxy.url}/REST/v1/Dataflows/ListJobs?{query}&key=master-key")
    (detail,) = response.json()["errorDetails"]
    assert (response.status_code, response.json()["authenticationResultCode"]) == (400, "ValidCredentials")
    assert "output" in detail
    assert "json, xml" in detail


@pytest.mark.parametrize("name", ["key", "KEY", "Key", "%6bey"])
def test_the_key_parameter_has_any_letter_case_but_the_key_its_own(name: str, proxy: LiveServer) -> None:
    url = f"{proxy.url}/REST/v1/Dataflows/ListJobs?{name}="
    assert proxy.client.get(url + "master-key").status_code == 200
    assert proxy.client.get(url + "Master-Key").status_code == 401


@pytest.mark.parametrize(
    "query", ["clientApi=SDS&jsonp=f", "&&&", "=", "=x", "a", "%00=%ff", "keys=1&okay=pdf", "key2=x&[]=1", "k%65y2=&;"]
)
def test_unknown_parameters_are_ignored(query: str, proxy: LiveServer, account: Storage) -> None:
    job_id = account.job()
    url = f"{proxy.url}/REST/v1/Dataflows/LoadDataSource/{job_id}?{query}&key=master-key&{query}"
    assert proxy.client.get(url).status_code == 200


@pytest.mark.parametrize("asked", STATUS_PATHS)
@pytest.mark.parametrize("job_type", JOB_TYPES)
def test_a_job_is_found_under_its_own_kind_only(asked: str, job_type: str, proxy: LiveServer, account: Storage) -> None:
    job_id = rich_job(account, job_type)
    is_own = path_of(job_type, "{}") == asked
    response = proxy.get(asked.format(job_id))
    assert response.status_code == (200 if is_own else 404)
    if asked.startswith("Dataflows/"):
        assert proxy.get(asked.format(job_id) + "/output/succeeded").status_code == (302 if is_own else 404)
    if not is_own:
        assert response.json()["authenticationResultCode"] == "ValidCredentials"


def test_a_job_of_another_account_is_not_found(account: Storage, start: StartServer) -> None:
    other = {"storage": {"connection_string": account.connection_string}}
    both = start(account, accounts={"other": other}, keys={"other-key": {"account": "other"}})
    job_id = account.job(DataSourceName="Shop")
    account.download("Shop")
    for path in (f"Dataflows/LoadDataSource/{job_id}", "Dataflows/DataSourceDownload/Shop"):
        assert both.get(path).status_code == 200
        response = both.get(path, key="other-key")
        assert (response.status_code, response.json()["authenticationResultCode"]) == (404, "ValidCredentials")
    assert both.json("Dataflows/ListJobs", key="other-key")["resourceSets"][0]["estimatedTotal"] == 0
