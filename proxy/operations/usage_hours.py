"""Sums the requests of an account by hour, for the last day."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from adapters.account import AccountStorage
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.model.usage import ERROR, NOT_SERVED, REFUSED, hour_of

HOURS = 24
HOUR = 3600 * PER_SECOND

MOST_ROWS = 5000
"""Rows of one hour that are read: one for each key and process of `serve`."""


@dataclass(slots=True)
class HourUsage:
    """The requests of an hour, which begins at `start`."""

    start: Ticks
    requests: int = 0
    errors: int = 0
    refused: int = 0
    not_served: Counter[str] = field(default_factory=Counter)
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class DayUsage:
    """The requests of the last day: 24 hours, the oldest first, the last one still running."""

    hours: tuple[HourUsage, ...]

    @property
    def requests(self) -> int:
        """All requests."""
        return sum(hour.requests for hour in self.hours)

    @property
    def errors(self) -> int:
        """The requests that failed."""
        return sum(hour.errors for hour in self.hours)

    @property
    def refused(self) -> int:
        """The requests that a key was not allowed to make."""
        return sum(hour.refused for hour in self.hours)

    @property
    def is_partial(self) -> bool:
        """Whether more keys were in use than were read."""
        return any(hour.is_partial for hour in self.hours)

    @property
    def not_served(self) -> Mapping[str, int]:
        """The operations that were asked for and are not served, with their counts, the most frequent first."""
        return dict(sum((hour.not_served for hour in self.hours), Counter[str]()).most_common())


async def read_day(account: AccountStorage) -> DayUsage:
    """Reads the last 24 hours. A server writes what it counted once a minute, so the last minute may lack."""
    now = account.clock.now()
    current = now - now % HOUR
    starts = [Ticks(current - back * HOUR) for back in reversed(range(HOURS))]
    return DayUsage(tuple(await asyncio.gather(*(_read_hour(account, start) for start in starts))))


async def _read_hour(account: AccountStorage, start: Ticks) -> HourUsage:
    found, rows = HourUsage(start), 0
    async with aclosing(account.usage.iterate_hour(hour_of(start))) as usages:
        async for usage in usages:
            if rows == MOST_ROWS:
                found.is_partial = True
                break
            rows += 1
            for operation, counts in usage.operations.items():
                found.requests += counts[0]
                found.errors += counts[ERROR]
                found.refused += counts[REFUSED]
                if counts[NOT_SERVED]:
                    found.not_served[operation] += counts[NOT_SERVED]
    return found
