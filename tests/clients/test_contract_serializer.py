"""Clients on .NET that read answers into classes, and throw on what does not fit them."""

import pytest

from tests.clients.contract_serializer import DataflowJob, Resource, read
from tests.support.job_samples import JOB_TYPES, path_of
from tests.support.live import LiveServer
from tests.support.storage import Storage, int64

EXTREMES = {"TotalEntityCount": int64(2**40), "ProcessedEntityCount": "none"}


@pytest.mark.parametrize("job_type", JOB_TYPES)
@pytest.mark.parametrize("status", ["Pending", "Completed", "Aborted"])
def test_every_status_answer_is_read_as_a_dataflow_job(
    job_type: str, status: str, proxy: LiveServer, account: Storage
) -> None:
    job_id = account.job(job_type, status, **EXTREMES)
    answer = read(proxy.get(path_of(job_type, job_id)).content, is_list=False)
    (job,) = answer.resources
    assert isinstance(job, DataflowJob)
    assert (answer.status_code, job.id, job.status) == (200, job_id, status)
    assert job.counts == (2_147_483_647, 0, 0)
    # This client shows what stands here, and nothing else, when a job was aborted.
    assert answer.error_details == (("The job was aborted.",) if status == "Aborted" else ())


def test_a_list_with_jobs_of_every_type_and_state_is_read(server: LiveServer, storage: Storage) -> None:
    for job_type in JOB_TYPES:
        for status in ("Pending", "Completed", "Aborted"):
            storage.job(job_type, status, **EXTREMES)
    resources = read(server.get("Dataflows/ListJobs").content, is_list=True).resources
    assert len(resources) == 27
    assert sum(isinstance(job, DataflowJob) for job in resources) == 18
    assert sum(type(job) is Resource for job in resources) == 9  # its class knows no DataServiceJob, and does not mind


def test_an_empty_list_is_read(server: LiveServer, storage: Storage) -> None:
    assert storage.account
    assert read(server.get("Dataflows/ListJobs").content, is_list=True).resources == ()
