"""The links of a job (wire-contract.md, sections 3 and 4)."""

import pytest

from adapters.model.jobs import BlobPath, JobStatus, JobType
from proxy.wire.job_resources import job_status_resource
from proxy.wire.links import LinkOptions, build_status_links, list_outputs
from proxy.wire.request import Format
from proxy.wire.xml_renderer import render_xml
from tests.support.given_jobs import (
    BASE,
    ERRORS,
    ID,
    OUTPUT,
    PACIFIC,
    REDIRECT,
    envelope,
    json_listed,
    json_status,
    record,
    roles,
    xml_status,
)
from tests.support.member_order import names_of

SELF_URLS = {
    JobType.GEOCODE: f"dataflows/Geocode/{ID}",
    JobType.COMPLETE: f"dataflows/LoadDataSource/{ID}",
    JobType.INCREMENTAL: f"dataflows/LoadDataSource/{ID}",
    JobType.COMPLETE_STAGING: f"dataflows/LoadDataSource/{ID}",
    JobType.INCREMENTAL_STAGING: f"dataflows/LoadDataSource/{ID}",
    JobType.PUBLISH: f"data/jobs/{ID}/$getstatus",
    JobType.ROLLBACK: f"dataflows/DataSourceRollback/{ID}",
    JobType.DELETE: f"data/jobs/{ID}/$getstatus",
    JobType.ACCESS: f"data/jobs/{ID}/$getstatus",
    JobType.DOWNLOAD: f"dataflows/DataSourceDownload/{ID}",
}
SIGNED_OUTPUT = "https://data.example.net/exports/out%20put.xml?sig=abc&legacy=output/succeeded#"
SIGNED_ERRORS = "https://data.example.net/exports/errors.log?sig=abc&legacy=output/failed#"


@pytest.mark.parametrize("job_type", JobType)
@pytest.mark.parametrize("status", JobStatus)
def test_the_self_link_has_its_documented_casing(job_type: JobType, status: JobStatus) -> None:
    first = json_status(record(job_type, status))["links"][0]
    assert first == {"role": "self", "url": f"{BASE}/REST/v1/{SELF_URLS[job_type]}"}


@pytest.mark.parametrize("job_type", JobType)
def test_the_second_link_is_the_output_with_its_suffix(job_type: JobType) -> None:
    second = json_status(record(job_type))["links"][1]
    assert second == {"name": "succeeded", "role": "output", "url": SIGNED_OUTPUT}


def test_json_link_members_are_name_role_url() -> None:
    assert list(json_status(record())["links"][1]) == ["name", "role", "url"]
    assert list(json_status(record())["links"][0]) == ["role", "url"]


def test_a_links_role_comes_before_its_name_in_xml() -> None:
    job = job_status_resource(record(JobType.DOWNLOAD), "Name", REDIRECT, Format.XML)
    content = render_xml(envelope(job), PACIFIC)
    assert b'\n          <Link role="self">https://' in content
    assert b'\n          <Link role="output" name="succeeded">https://' in content


@pytest.mark.parametrize("job_type", JobType)
def test_links_come_before_the_status(job_type: JobType) -> None:
    job = xml_status(record(job_type, failed_blob=ERRORS))
    names = names_of(job)
    assert max(index for index, name in enumerate(names) if name == "Link") < names.index("Status")


@pytest.mark.parametrize("status", [JobStatus.PENDING, JobStatus.ABORTED])
def test_only_a_completed_job_links_to_its_output(status: JobStatus) -> None:
    assert roles(json_status(record(status=status))) == [("self", None)]


def test_a_completed_job_without_a_blob_has_no_output_link() -> None:
    assert roles(json_status(record(JobType.DOWNLOAD, output_blob=None))) == [("self", None)]


@pytest.mark.parametrize("status", JobStatus)
def test_the_error_log_is_linked_whatever_the_status(status: JobStatus) -> None:
    links = json_status(record(status=status, failed_blob=ERRORS))["links"]
    assert {"name": "failed", "role": "output", "url": SIGNED_ERRORS} in links


def test_what_links_offer_is_what_output_urls_answer() -> None:
    assert list_outputs(record(failed_blob=ERRORS)) == {"succeeded": OUTPUT, "failed": ERRORS}
    assert list_outputs(record(status=JobStatus.ABORTED, failed_blob=ERRORS)) == {"failed": ERRORS}
    assert list_outputs(record(output_blob=None)) == {}


def test_a_geocode_job_has_its_self_and_output_links_in_the_list() -> None:
    job = record(JobType.GEOCODE, failed_blob=ERRORS)
    expected = [("self", None), ("output", "succeeded"), ("output", "failed")]
    assert roles(json_listed(job)) == roles(json_status(job)) == expected
    assert json_listed(job)["links"][1]["url"] == SIGNED_OUTPUT


def test_links_that_stay_on_the_proxy_have_no_suffix() -> None:
    urls = [link["url"] for link in json_status(record(JobType.GEOCODE, failed_blob=ERRORS), REDIRECT)["links"]]
    assert urls[1:] == [f"{BASE}/REST/v1/dataflows/Geocode/{ID}/output/{name}" for name in ("succeeded", "failed")]


def test_the_list_prints_output_links_under_list_jobs() -> None:
    urls = [link["url"] for link in json_listed(record(JobType.GEOCODE), REDIRECT)["links"]]
    assert urls[1] == f"{BASE}/REST/v1/dataflows/ListJobs/{ID}/output/succeeded"


@pytest.mark.parametrize("job_type", [JobType.PUBLISH, JobType.DELETE, JobType.ACCESS])
def test_a_service_jobs_output_link_has_a_path_that_is_answered(job_type: JobType) -> None:
    urls = [link["url"] for link in json_status(record(job_type), REDIRECT)["links"]]
    assert urls[1] == f"{BASE}/REST/v1/dataflows/ListJobs/{ID}/output/succeeded"


def test_a_download_by_name_has_a_self_link_by_name() -> None:
    links = build_status_links(record(JobType.DOWNLOAD), "FourthCoffee", REDIRECT)
    assert [link.url for link in links] == [
        f"{BASE}/REST/v1/dataflows/DataSourceDownload/FourthCoffee",
        f"{BASE}/REST/v1/dataflows/DataSourceDownload/FourthCoffee/output/succeeded",
    ]


def test_what_a_path_cannot_carry_is_percent_encoded() -> None:
    job = record(legacy_id="a/b c?d#e%é", access_id="x/y", data_source_name="~`!$^_={}", output_blob=None)
    links = [link["url"] for link in json_status(job)["links"]]
    assert links[0] == f"{BASE}/REST/v1/dataflows/LoadDataSource/a%2Fb%20c%3Fd%23e%25%C3%A9"
    assert links[1] == f"{BASE}/REST/v1/data/x%2Fy/~%60!$%5E_=%7B%7D"


def test_a_signer_is_given_the_blob_of_the_link() -> None:
    asked: list[BlobPath] = []
    style = LinkOptions(base=BASE, roles=(), suffix="", sign=lambda blob: asked.append(blob) or str(blob))  # type: ignore[func-returns-value]
    assert [link["url"] for link in json_status(record(failed_blob=ERRORS), style)["links"][1:]] == [
        "exports/out put.xml",
        "exports/errors.log",
    ]
    assert asked == [OUTPUT, ERRORS]
