"""Whose turn it is: the jobs of one data source are done in the order in which they were created.

A client may well send an update right after a load, or a delete after both; the last one must have the last word.

A job that waits for others is put back for longer, the more of them there are. Whoever ends a job takes the next one of
the same data source with a new message, so that none waits longer than it must; the old message is thrown away when it
comes back, for only one message of a job counts. Should the worker die in between, the ended job's own message comes
back first, and whoever finds the job ended hands the turn on.
"""

from adapters.account import AccountStorage
from adapters.job_queue import Lease
from adapters.model.job_ids import created_at, first_id_at
from adapters.model.jobs import JobRecord
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.tables.leased_jobs import WaitingJob

LOOK_BACK = 3 * 86_400 * PER_SECOND
"""Ticks. A job that is still unfinished after days holds nobody up any more."""

# How long a job waits before it looks again, for each job ahead of it, and at the most: only where a turn was lost.
TURN_SECONDS = 30.0
LONGEST_TURN_SECONDS = 600.0


async def count_jobs_ahead(account: AccountStorage, record: JobRecord) -> int:
    """How many older jobs of the same data source are still to be done."""
    waiting = await account.jobs.list_waiting(_horizon(record), record.row_key)
    return sum(_is_of_same(each, record) for each in waiting)


def seconds_to_wait(ahead: int) -> float:
    """How long a job with so many ahead of it is put back."""
    return min(LONGEST_TURN_SECONDS, ahead * TURN_SECONDS)


async def take_next(account: AccountStorage, record: JobRecord) -> Lease | None:
    """Takes the data source's oldest job after one that has ended, unless a worker has begun it already."""
    waiting = await account.jobs.list_waiting(_horizon(record))
    oldest = next((each for each in waiting if _is_of_same(each, record)), None)
    if oldest is None or oldest.is_claimed:
        return None
    return await account.queue.put_leased(oldest.row_key)


def _horizon(record: JobRecord) -> str:
    return first_id_at(Ticks(created_at(record.row_key) - LOOK_BACK))


def _is_of_same(job: WaitingJob, record: JobRecord) -> bool:
    """Whether a job is one of the same data source. One that is not confirmed is none yet."""
    return not job.is_unconfirmed and job.data_source_name.lower() == (record.data_source_name or "").lower()
