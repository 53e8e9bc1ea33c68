"""What the answer to a creation says of each job type (write-contract.md, "Requests")."""

import pytest

from adapters.model.jobs import JobRecord, JobStatus, JobType
from adapters.model.ticks import parse_ticks
from proxy.wire.create_response import create_response
from proxy.wire.job_types import JOB_TYPES
from proxy.wire.resources import EntityCounts, Link, ResourceType

BASE = "https://spatial.example.net"
KEY = b"a/b+c &\xff"
QUOTED = "?key=a%2Fb%2Bc%20%26%FF"
ID = "0192e4a0b1c27abc8def0123456789ab"


def record(job_type: JobType, description: str | None = None) -> JobRecord:
    return JobRecord(
        row_key=ID,
        job_type=job_type,
        status=JobStatus.PENDING,
        created=parse_ticks("2013-02-25T19:44:10.1234567Z"),
        data_source_name="Fourth`Coffee{}",
        access_id="20181f26d9e94c81acdf9496133d4f23",
        description=description,
    )


SHAPES = {
    JobType.COMPLETE: (201, "Pending", None, f"dataflows/LoadDataSource/{ID}", ""),
    JobType.COMPLETE_STAGING: (201, "Pending", None, f"dataflows/LoadDataSource/{ID}", ""),
    JobType.INCREMENTAL: (201, "Pending", None, f"dataflows/LoadDataSource/{ID}", ""),
    JobType.INCREMENTAL_STAGING: (201, "Pending", None, f"dataflows/LoadDataSource/{ID}", ""),
    JobType.DOWNLOAD: (201, "Pending", None, "dataflows/DataSourceDownload/Fourth%60Coffee%7B%7D", ""),
    JobType.PUBLISH: (202, "Accepted", "DataSourcePublishFromStaged", f"data/jobs/{ID}/$getstatus", QUOTED),
    JobType.ROLLBACK: (201, "Pending", "DataSourceRollback", f"dataflows/DataSourceRollback/{ID}", QUOTED),
    JobType.ACCESS: (201, "Created", None, f"data/jobs/{ID}/$getstatus", ""),
}


@pytest.mark.parametrize("job_type", SHAPES)
def test_each_job_type_has_its_create_answer(job_type: JobType) -> None:
    http, status, description, path, query = SHAPES[job_type]
    answer = create_response(record(job_type), BASE, KEY)
    assert (answer.http_status, answer.job.status, answer.job.description) == (http, status, description)
    assert answer.location == f"{BASE}/REST/v1/{path}"
    assert answer.job.links == (Link("self", answer.location + query),)
    assert (answer.job.id, answer.job.completed, answer.job.error_message) == (ID, None, None)


@pytest.mark.parametrize("job_type", SHAPES)
def test_a_dataflow_job_has_counts_and_a_data_service_job_none(job_type: JobType) -> None:
    job = create_response(record(job_type), BASE, KEY).job
    assert job.resource_type is JOB_TYPES[job_type].resource_type
    assert job.counts == (EntityCounts(0, 0, 0) if job.resource_type is ResourceType.DATAFLOW_JOB else None)


def test_a_load_is_described_in_its_owners_words() -> None:
    assert create_response(record(JobType.COMPLETE, "My shops"), BASE, KEY).job.description == "My shops"


@pytest.mark.parametrize(("public", "word"), [(True, "public"), (False, "private")])
def test_an_access_job_describes_what_it_sets(public: bool, word: str) -> None:  # noqa: FBT001 - a table's column
    job = create_response(record(JobType.ACCESS), BASE, KEY, public=public).job
    assert job.description == f'Data source "Fourth`Coffee{{}}" set {word}'
