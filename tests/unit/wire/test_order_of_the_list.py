"""The order of the job list (wire-contract.md, section 6)."""

from itertools import permutations

from adapters.model.jobs import JobRecord, JobStatus
from adapters.model.ticks import Ticks
from proxy.wire.job_resources import job_list_resources
from tests.support.given_jobs import CREATED, SIGNED, record

HOUR = 36_000_000_000


def _job(name: str, hours: int, status: JobStatus) -> JobRecord:
    return record(status=status, legacy_id=name, created=Ticks(CREATED + hours * HOUR))


def test_pending_comes_first_then_the_rest_each_newest_first() -> None:
    jobs = [
        _job("pending, newer", 2, JobStatus.PENDING),
        _job("pending, oldest of all", 0, JobStatus.PENDING),
        _job("aborted, newest of all", 4, JobStatus.ABORTED),
        _job("completed", 3, JobStatus.COMPLETED),
        _job("aborted", 1, JobStatus.ABORTED),
    ]
    for shuffled in permutations(jobs):
        assert [job.id for job in job_list_resources(shuffled, SIGNED)] == [job.public_id for job in jobs]


def test_a_tick_decides_the_order() -> None:
    later = record(row_key="0" * 32, created=Ticks(CREATED + 1))
    assert [job.id for job in job_list_resources([record(), later], SIGNED)] == [later.row_key, record().row_key]


def test_jobs_of_the_same_instant_keep_one_order() -> None:
    twins = [record(row_key=digit * 32) for digit in "123"]
    for shuffled in permutations(twins):
        assert [job.id[0] for job in job_list_resources(shuffled, SIGNED)] == ["3", "2", "1"]
