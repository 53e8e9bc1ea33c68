"""What nobody needs any more is deleted, never sooner; and a job whose message was lost gets another.

Any number of workers may sweep at once, and all of it may be done again.
"""

from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from adapters.account import Account
from adapters.datasources import DataSource
from adapters.files import UPLOADS, VERSIONS
from adapters.ids import created_at, is_row_id
from adapters.properties import MalformedRowError
from adapters.records import BlobPath, JobStatus
from adapters.ticks import PER_SECOND, Ticks
from proxy.work.job import now
from proxy.work.order import LOOK_BACK, unfinished
from proxy.work.versions import versions, without_ended

# A job gets its row, then its message, then it is confirmed: one this young may be in between.
YOUNG = 60 * PER_SECOND

NOT_CREATED = "The request that creates this job was answered by an error, so no worker does it. Create it again."

# Data comes before its job's row, and may take its time.
ROWLESS = 86_400 * PER_SECOND


async def sweep(account: Account) -> None:
    """All of it, for one account.

    Raises:
        StorageFaultError: storage could not answer; the rest is left to the next time.
    """
    await end_unconfirmed(account)
    await put_lost_jobs(account)
    await end_staged(account)
    await end_deleting(account)
    await remove_versions(account)
    await remove_uploads(account)


async def end_unconfirmed(account: Account) -> None:
    """Ends the jobs whose creation was begun and never confirmed: their callers were told that there is no job."""
    moment = now()
    for record in await account.jobs.created_since(Ticks(moment - LOOK_BACK)):
        is_pending = record.status is JobStatus.PENDING
        if record.unconfirmed and is_pending and created_at(record.row_key) < moment - YOUNG:
            await account.jobs.finish(
                replace(record, status=JobStatus.ABORTED, completed=moment, error_message=NOT_CREATED)
            )


async def put_lost_jobs(account: Account) -> None:
    """Where more jobs are unfinished than the queue has messages, one was lost: each of them gets another.

    The length that storage tells is never too low. Whoever finds a job done throws its message away.
    """
    moment = now()
    waiting = await unfinished(account, Ticks(moment - LOOK_BACK))
    if len(waiting) > await account.queue.length():
        for job_id in waiting:
            if created_at(job_id) < moment - YOUNG:
                await account.queue.put(job_id)


async def end_staged(account: Account) -> None:
    """Takes staged versions away whose 30 days are over, and data sources that had nothing else."""
    for source in await account.datasources.all():
        if without_ended(source, now()) != source:
            await account.datasources.change(source.name, _without_ended)


def _without_ended(source: DataSource | None) -> DataSource | None:
    return None if source is None else without_ended(source, now())


async def end_deleting(account: Account) -> None:
    """Frees data sources whose delete job was given up: what is left of them is in use again."""
    for source in await account.datasources.all():
        if source.deleting is not None and await _is_over(account, source.deleting):
            await account.datasources.change(source.name, partial(_freed, job_id=source.deleting))


def _freed(source: DataSource | None, job_id: str) -> DataSource | None:
    if source is None or source.deleting != job_id:
        return source
    return replace(source, deleting=None)


async def remove_versions(account: Account, name: str | None = None) -> None:
    """Deletes the entities that no version refers to, of all data sources or of one.

    The order is what makes it safe: a blob is listed, then its job is found to be over, then its data source's row is
    read. A job makes its switch before it is over, so a row that does not refer to the blob by then never will.
    """
    prefix = f"{account.name}/" if name is None else f"{account.name}/{name.lower()}/"
    paths = await account.files.names(VERSIONS, prefix)
    used = {version.blob for source in await account.datasources.all() for version in versions(source)} if paths else ()
    for path in paths:
        if path not in used and await _is_over(account, _job_of(path)) and not await _is_used(account, path):
            await account.files.delete(path)


async def remove_uploads(account: Account) -> None:
    """Deletes the data of loads that are over."""
    for path in await account.files.names(UPLOADS, f"{account.name}/"):
        if await _is_over(account, _job_of(path)):
            await account.files.delete(path)


def _job_of(path: BlobPath) -> str:
    """The id of the job that a blob is named for."""
    return PurePosixPath(path.name).stem


async def _is_over(account: Account, job_id: str) -> bool:
    """Whether nobody does this job any more; False for what is no job's id, for that is not ours to judge."""
    if not is_row_id(job_id):
        return False
    try:
        found = await account.jobs.work(job_id)
    except MalformedRowError:
        return False
    if found is None:
        return created_at(job_id) < now() - ROWLESS
    return found[0].status is not JobStatus.PENDING


async def _is_used(account: Account, path: BlobPath) -> bool:
    """Whether the row of a version's data source refers to it; also where that can't be read."""
    try:
        source = await account.datasources.get(PurePosixPath(path.name).parent.name)
    except MalformedRowError:
        return True
    return source is not None and any(version.blob == path for version in versions(source))
