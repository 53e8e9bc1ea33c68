"""Storage's time: the machine's own clock counts only where it is right."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from adapters.model.ticks import PER_SECOND, from_datetime
from adapters.storage_clock import StorageClock


def told(hours: float) -> StorageClock:
    """A clock of a storage that is so far ahead of this machine."""
    clock = StorageClock()
    clock.observe(format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True))
    return clock


@pytest.mark.parametrize("hours", [-24 * 40, -1, 1, 24 * 40])
def test_where_the_machine_is_wrong_storage_s_time_counts(hours: float) -> None:
    expected = from_datetime(datetime.now(UTC) + timedelta(hours=hours))
    assert abs(told(hours).now() - expected) < 60 * PER_SECOND


def test_where_the_machine_is_right_its_finer_time_counts() -> None:
    before = from_datetime(datetime.now(UTC))
    assert before <= told(0).now() <= from_datetime(datetime.now(UTC))


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sun, 99 Nov 1994 08:49:37 GMT"])
def test_an_answer_without_a_date_says_nothing(date: str | None) -> None:
    clock = StorageClock()
    clock.observe(date)
    assert clock.told_at is None
    assert abs(clock.now() - from_datetime(datetime.now(UTC))) < 60 * PER_SECOND
