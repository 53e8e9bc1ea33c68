"""The clock of storage: the machine's own clock counts only where it is right."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from adapters.model.ticks import PER_SECOND, from_datetime
from adapters.storage_clock import StorageClock


def storage_ahead(hours: float) -> StorageClock:
    """The clock of a storage that is so many hours ahead of this machine."""
    clock = StorageClock()
    clock.observe(format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True))
    return clock


@pytest.mark.parametrize("hours", [-24 * 40, -1, 1, 24 * 40])
def test_clock_of_storage_counts_where_the_machine_is_wrong(hours: float) -> None:
    expected = from_datetime(datetime.now(UTC) + timedelta(hours=hours))
    assert abs(storage_ahead(hours).now() - expected) < 60 * PER_SECOND


def test_clock_of_the_machine_counts_where_it_is_right() -> None:
    before = from_datetime(datetime.now(UTC))
    assert before <= storage_ahead(0).now() <= from_datetime(datetime.now(UTC))


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sun, 99 Nov 1994 08:49:37 GMT"])
def test_malformed_date_is_ignored(date: str | None) -> None:
    clock = StorageClock()
    clock.observe(date)
    assert clock.last_date is None
    assert abs(clock.now() - from_datetime(datetime.now(UTC))) < 60 * PER_SECOND
