"""Whose turn it is: the jobs of one data source are done in the order in which they were created.

A client may well send an update right after a load, or a delete after both; the last one must have the last word.
"""

from adapters.account import Account
from adapters.records import JobRecord, JobStatus
from adapters.ticks import PER_SECOND, Ticks

LOOK_BACK = 3 * 86_400 * PER_SECOND
"""Ticks. A job that is still unfinished after days holds nobody up any more."""


async def is_first(account: Account, record: JobRecord) -> bool:
    """Whether no older job of the same data source is still to be done."""
    for job_id in await unfinished(account, Ticks(record.created - LOOK_BACK), record.data_source_name):
        if job_id < record.row_key:
            return False
    return True


async def unfinished(account: Account, since: Ticks, name: str | None = None) -> list[str]:
    """Ids of the jobs that workers have still to do, created since then; all, or those of one data source.

    A job without a work text was written by somebody else, who will also finish it.
    """
    found = []
    for record in await account.jobs.created_since(since):
        is_named = name is None or (record.data_source_name or "").lower() == name.lower()
        if record.status is JobStatus.PENDING and not record.unconfirmed and is_named:
            job = await account.jobs.work(record.row_key)
            if job is not None and job[0].status is JobStatus.PENDING and job[1] is not None:
                found.append(record.row_key)
    return found
