"""The order of the job list (wire contract, section 6)."""

from itertools import permutations

from adapters.records import JobRecord, JobStatus
from adapters.ticks import Ticks
from proxy.bing.translate import listed
from tests.wire.given import CREATED, SIGNED, record

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
        assert [job.id for job in listed(shuffled, SIGNED)] == [job.shown_id for job in jobs]


def test_a_tick_decides_the_order() -> None:
    later = record(row_key="0" * 32, created=Ticks(CREATED + 1))
    assert [job.id for job in listed([record(), later], SIGNED)] == [later.row_key, record().row_key]


def test_jobs_of_the_same_instant_keep_one_order() -> None:
    twins = [record(row_key=digit * 32) for digit in "123"]
    for shuffled in permutations(twins):
        assert [job.id[0] for job in listed(shuffled, SIGNED)] == ["3", "2", "1"]
