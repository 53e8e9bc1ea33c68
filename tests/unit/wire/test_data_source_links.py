"""The links to a data source (wire-contract.md, section 3)."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.model.jobs import JobStatus, JobType
from tests.support.given_jobs import BASE, ERRORS, SIGNED, json_listed, json_status, record, roles, xml_listed

LOADS = [
    JobType.COMPLETE,
    JobType.INCREMENTAL,
    JobType.COMPLETE_STAGING,
    JobType.INCREMENTAL_STAGING,
    JobType.ROLLBACK,
]
SERVICE_URL = f"{BASE}/REST/v1/data/20181f26/FourthCoffee"


@pytest.mark.parametrize("job_type", LOADS)
def test_a_completed_load_has_a_link_in_both_spellings(job_type: JobType) -> None:
    links = json_status(record(job_type, output_blob=None))["links"]
    assert links[1:] == [
        {"name": "service", "role": "datasource", "url": SERVICE_URL},
        {"name": "service", "role": "dataSource", "url": SERVICE_URL},
    ]


def test_the_spellings_come_from_the_setting() -> None:
    style = replace(SIGNED, roles=("datasource",))
    assert roles(json_status(record(output_blob=None), style)) == [("self", None), ("datasource", "service")]


@pytest.mark.parametrize("job_type", LOADS)
def test_a_load_has_no_links_in_the_list(job_type: JobType) -> None:
    assert "links" not in json_listed(record(job_type, failed_blob=ERRORS))
    assert xml_listed(record(job_type)).find("{*}Link") is None


def test_an_access_job_has_its_link_in_list_and_status() -> None:
    link = {"name": "service", "role": "dataSource", "url": SERVICE_URL}
    assert json_listed(record(JobType.ACCESS))["links"] == [link]
    assert json_status(record(JobType.ACCESS, output_blob=None))["links"][1:] == [link]


@pytest.mark.parametrize("job_type", [JobType.COMPLETE, JobType.ACCESS])
@pytest.mark.parametrize(
    "changes",
    [
        {"status": JobStatus.PENDING},
        {"status": JobStatus.ABORTED},
        {"access_id": None},
        {"data_source_name": None},
    ],
    ids=str,
)
def test_an_incomplete_record_has_no_data_source_link(job_type: JobType, changes: dict[str, Any]) -> None:
    job = record(job_type, **({"output_blob": None} | changes))
    assert roles(json_status(job)) == [("self", None)]
    assert "links" not in json_listed(job)


@pytest.mark.parametrize("job_type", [JobType.GEOCODE, JobType.DOWNLOAD, JobType.PUBLISH, JobType.DELETE])
def test_other_jobs_never_link_to_a_data_source(job_type: JobType) -> None:
    assert roles(json_status(record(job_type, output_blob=None))) == [("self", None)]
