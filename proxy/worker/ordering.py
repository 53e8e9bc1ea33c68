"""The order of jobs: those of one data source run one at a time, in the order of their creation.

A job that is not yet next is hidden in the queue, for longer the more jobs are ahead of it. The worker that ends a job
enqueues the next one, so that none waits for its own message, which is dropped later: only one message of a job counts.
If the worker dies before that, the message of the ended job comes back first, and its receiver enqueues the next one.
A job without a data source, as a geocode job is, waits for none.
"""

from adapters.account import AccountStorage
from adapters.model.job_ids import created_at, first_id_at
from adapters.model.jobs import JobRecord
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.tables.leased_jobs import WaitingJob

LOOK_BACK = 3 * 86_400 * PER_SECOND
"""Ticks. A job that is unfinished after three days delays no other job."""

# Seconds that a job is hidden for each job ahead of it, and at most. They only matter where `enqueue_next` failed.
TURN_SECONDS = 30.0
MAX_TURN_SECONDS = 600.0


async def count_jobs_ahead(account: AccountStorage, record: JobRecord) -> int:
    """Counts the older unfinished jobs of the same data source."""
    return len(await _waiting(account, record, record.row_key))


def seconds_to_wait(ahead: int) -> float:
    """How long a job with so many jobs ahead of it is hidden in the queue."""
    return min(MAX_TURN_SECONDS, ahead * TURN_SECONDS)


async def enqueue_next(account: AccountStorage, record: JobRecord) -> None:
    """Enqueues the oldest job of the data source of a job that has ended, unless a worker has begun it."""
    waiting = await _waiting(account, record)
    if waiting and not waiting[0].is_claimed:
        await account.queue.enqueue(waiting[0].row_key)


async def _waiting(account: AccountStorage, record: JobRecord, *before: str) -> list[WaitingJob]:
    """The unfinished jobs of the same data source, oldest first. An unconfirmed job does not count yet."""
    name = (record.data_source_name or "").lower()
    if not name:
        return []
    first = first_id_at(Ticks(created_at(record.row_key) - LOOK_BACK))
    found = await account.jobs.list_waiting(first, *before)
    return [job for job in found if not job.is_unconfirmed and job.data_source_name.lower() == name]
