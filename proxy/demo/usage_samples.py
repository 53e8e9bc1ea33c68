"""What the demo's keys asked for on the day before it: a store locator that queries, and a program that loads."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from adapters.model.key_records import KeyRecord
from adapters.model.ticks import from_datetime
from adapters.model.usage import DIGEST_DIGITS, Usage, hour_of
from proxy.demo.samples import DATA_SOURCE
from proxy.wire.routes import Operation

# Queries of each hour in UTC. The shops are in America.
QUERIES = (61, 48, 37, 22, 14, 8, 5, 4, 3, 6, 11, 24, 52, 71, 88, 96, 93, 97, 104, 112, 108, 99, 87, 74)
ERRORS = {7: 1, 15: 3, 16: 1}
"""Queries that failed, by the hour."""

LOAD_HOURS = (2, 14)
BOUNDARY_HOUR = 17
"""When the store locator asked for what this endpoint does not serve."""


def sample_hours(now: datetime, loader: KeyRecord, locator: KeyRecord) -> Iterator[tuple[str, list[Usage]]]:
    """The hours of the last day, the current one left out: its name, and what each key asked for.

    Args:
        now: the time, with a zone.
        loader: the key of the program that loads.
        locator: the key of the store locator.
    """
    begin = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    for hours in range(1, len(QUERIES)):
        hour = begin - timedelta(hours=hours)
        count = QUERIES[hour.hour]
        usages = [_usage(locator, hour, {Operation.QUERY: [count, ERRORS.get(hour.hour, 0), 0, 0]})]
        if hour.hour == BOUNDARY_HOUR:
            usages[0].operations[Operation.BOUNDARIES.value] = [2, 0, 0, 2]
        if hour.hour in LOAD_HOURS:
            usages.append(_usage(loader, hour, {Operation.LOAD: [1, 0, 0, 0], Operation.JOB_STATUS: [9, 0, 0, 0]}))
        yield hour_of(from_datetime(hour)), usages


def _usage(key: KeyRecord, hour: datetime, operations: dict[Operation, list[int]]) -> Usage:
    return Usage(
        digest=key.digest[:DIGEST_DIGITS],
        name=key.name,
        first=from_datetime(hour + timedelta(minutes=1)),
        last=from_datetime(hour + timedelta(minutes=58)),
        operations={operation.value: counts for operation, counts in operations.items()},
        sources={DATA_SOURCE: None},
    )
