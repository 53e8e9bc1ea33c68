"""Counts the jobs of an account that need an eye on them: unfinished ones, and those that were aborted of late."""

from contextlib import aclosing
from dataclasses import dataclass

from adapters.account import AccountStorage
from adapters.model.jobs import JobStatus
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.tables.current_jobs import CurrentJob

DAY = 86_400 * PER_SECOND

MOST_COUNTED = 5000
"""Jobs that are counted. The oldest come first, so the age of the oldest one is right where there are more."""


@dataclass(frozen=True, slots=True)
class JobCounts:
    """The counts of jobs.

    Args:
        unfinished: how many are unfinished.
        oldest_seconds: the age of the oldest of them; None where there is none.
        aborted: how many were aborted in the last 24 hours.
        aborted_since: a list of the aborted jobs that were created since then has all of these.
        is_partial: whether there are more than were counted.
    """

    unfinished: int
    oldest_seconds: float | None
    aborted: int
    aborted_since: Ticks
    is_partial: bool


async def count_jobs(account: AccountStorage, window_days: int) -> JobCounts:
    """Counts jobs that were created in the last `window_days` days."""
    now = account.clock.now()
    day_ago = Ticks(now - DAY)
    found = list[CurrentJob]()
    async with aclosing(account.jobs.iterate_current(Ticks(now - window_days * DAY), day_ago)) as jobs:
        async for job in jobs:
            found.append(job)
            if len(found) > MOST_COUNTED:
                break
    counted = found[:MOST_COUNTED]
    waiting = [job.created for job in counted if job.status is JobStatus.PENDING]
    aborted = [job.created for job in counted if job.status is JobStatus.ABORTED]
    return JobCounts(
        unfinished=len(waiting),
        oldest_seconds=max(0.0, (now - min(waiting)) / PER_SECOND) if waiting else None,
        aborted=len(aborted),
        aborted_since=min(day_ago, *aborted) if aborted else day_ago,
        is_partial=len(found) > MOST_COUNTED,
    )
