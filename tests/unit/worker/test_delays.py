"""The delays of jobs in the queue: before the next attempt, and behind jobs of the same data source."""

import pytest

from proxy.worker.attempt import retry_seconds
from proxy.worker.ordering import MAX_TURN_SECONDS, seconds_to_wait


def test_five_tries_outlast_two_minutes_of_outage() -> None:
    assert [retry_seconds(number) for number in (1, 2, 3, 4)] == [1, 5, 25, 125]
    assert retry_seconds(9) == 300


@pytest.mark.parametrize(("ahead", "seconds"), [(0, 0), (1, 30), (2, 60), (200, MAX_TURN_SECONDS)])
def test_job_waits_longer_behind_more_jobs(ahead: int, seconds: float) -> None:
    assert seconds_to_wait(ahead) == seconds
