"""What nobody needs any more is deleted, never sooner; and a job whose message was lost gets another.

Any number of workers may sweep at once, and all of it may be done again. Ages are those of rows and blobs in storage,
by storage's own time: no worker's clock counts, nor that of whoever made a job's id.
"""

import re
from collections import defaultdict
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from adapters.account import AccountStorage
from adapters.blobs.store import EXPORTS, UPLOADS, VERSIONS
from adapters.model.job_ids import created_at, first_id_at, is_row_id
from adapters.model.jobs import BlobPath, JobRecord, JobStatus
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.model.versions import expire_staged, versions
from adapters.tables.data_source_store import DataSource
from adapters.tables.properties import MalformedRowError
from adapters.tables.worker_rows import KEPT_SECONDS
from proxy.worker.ordering import LOOK_BACK

# A job gets its row, then its message, then it is confirmed: one this young may be in between. One that is under way
# tells its progress.
ENQUEUE_GRACE = 60 * PER_SECOND

NOT_CREATED = "The request that creates this job was answered by an error, so no worker does it. Create it again."

# Data comes before its job's row, and may take its time.
ORPHAN_GRACE = 86_400 * PER_SECOND

# What a try hands out lies in a folder of its own, in that of its job. All else in the container is somebody else's.
_OF_A_TRY = re.compile(r"(?P<account>[^/]+)/(?P<job>[0-9a-f]{32})/[0-9a-f]{12}/[^/]+", re.ASCII)

# Hex digits of a job's id that stay the same for three days.
_DAYS = 5


async def sweep(account: AccountStorage) -> None:
    """All of it, for one account.

    Raises:
        StorageFaultError: storage could not answer; the rest is left to the next time.
    """
    await requeue_lost_jobs(account)
    if account.clock.told_at is None:
        return  # without storage's time nothing has an age
    await account.data_sources.remove_reservations()
    await expire_staged_versions(account)
    await release_failed_deletes(account)
    await delete_unreferenced_blobs(account)
    await remove_uploads(account)
    await remove_exports(account)
    await remove_gone_workers(account)


async def requeue_lost_jobs(account: AccountStorage) -> None:
    """Ends jobs whose creation was never confirmed, and puts lost ones again.

    Where more jobs are unfinished than the queue has messages, one was lost: each of them gets another. The length that
    storage tells is never too low. Whoever finds a job done throws its message away.
    """
    found = await account.jobs.list_waiting(first_id_at(Ticks(account.clock.now() - LOOK_BACK)))
    if account.clock.told_at is None:
        return  # without storage's time nothing has an age
    old = [job for job in found if (job.written or 0) < account.clock.now() - ENQUEUE_GRACE]
    for job in old:
        if job.is_unconfirmed:
            await _end_unconfirmed(account, job.row_key)
    if sum(not job.is_unconfirmed for job in found) > await account.queue.length():
        for job in old:
            if not job.is_unconfirmed:
                await account.jobs.release(job.row_key)  # the message that counts may be the lost one
                await account.queue.enqueue(job.row_key)


async def _end_unconfirmed(account: AccountStorage, job_id: str) -> None:
    """The caller was told that there is no job."""
    held = await account.jobs.get_held(job_id)
    if held is not None and held.record.unconfirmed:
        ended = replace(held.record, status=JobStatus.ABORTED, completed=account.clock.now(), error_message=NOT_CREATED)
        await account.jobs.complete(ended)


async def expire_staged_versions(account: AccountStorage) -> None:
    """Takes staged versions away whose 30 days are over, and data sources that had nothing else."""
    for source in await account.data_sources.all():
        moment = account.clock.now()
        if expire_staged(source, moment) != source:
            await account.data_sources.change(source.name, partial(_without_ended, moment=moment))


def _without_ended(source: DataSource | None, moment: Ticks) -> DataSource | None:
    return None if source is None else expire_staged(source, moment)


async def release_failed_deletes(account: AccountStorage) -> None:
    """Frees data sources whose delete job was given up: what is left of them is in use again."""
    for source in await account.data_sources.all():
        if source.deleting is not None and await _is_over(account, source.deleting):
            await account.data_sources.change(source.name, partial(_freed, job_id=source.deleting))


def _freed(source: DataSource | None, job_id: str) -> DataSource | None:
    if source is None or source.deleting != job_id:
        return source
    return replace(source, deleting=None)


async def delete_unreferenced_blobs(account: AccountStorage, name: str | None = None) -> None:
    """Deletes the entities that no version refers to, of all data sources or of one.

    The order is what makes it safe: a blob is listed, then its job is found to be over, so that no try of it is
    confirmed any more; then those that were confirmed before are fenced off; then the data source's row is read. A row
    that does not refer to the blob by then never will.
    """
    prefix = f"{account.name}/" if name is None else f"{account.name}/{name.lower()}/"
    paths = await account.blobs.dated_names(VERSIONS, prefix)
    used = (
        {version.blob for source in await account.data_sources.all() for version in versions(source)} if paths else ()
    )
    unneeded = defaultdict(list)
    for path, written in paths.items():
        if path not in used and await _is_over(account, _job_of(path), written):
            unneeded[PurePosixPath(path.name).parent.name].append(path)
    for source_name, over in unneeded.items():
        await account.data_sources.fence(source_name)
        kept = await _used(account, source_name)
        for path in over:
            if kept is not None and path not in kept:
                await account.blobs.delete(path)


async def remove_uploads(account: AccountStorage) -> None:
    """Deletes the data of loads that are over."""
    for path, written in (await account.blobs.dated_names(UPLOADS, f"{account.name}/")).items():
        if await _is_over(account, _job_of(path), written):
            await account.blobs.delete(path)


async def remove_exports(account: AccountStorage) -> None:
    """Deletes what tries that did not count have handed out, in the days of their jobs: no row has ever named it."""
    moment, paths = account.clock.now(), list[BlobPath]()
    for days in {first_id_at(Ticks(moment - ago))[:_DAYS] for ago in (0, LOOK_BACK)}:
        paths += await account.blobs.list(EXPORTS, f"{account.name}/{days}")
    tries = [(path, found["job"]) for path in paths if (found := _OF_A_TRY.fullmatch(path.name))]
    if not tries:
        return
    jobs = {job.row_key: job for job in await account.jobs.created_since(Ticks(moment - 3 * LOOK_BACK))}
    for path, job_id in tries:
        if _has_left_out(jobs.get(job_id), path):
            await account.blobs.delete(path)


def _has_left_out(job: JobRecord | None, path: BlobPath) -> bool:
    """Whether a job is over and its row does not name this; False for one that is not found, which is not ours then."""
    return job is not None and job.status is not JobStatus.PENDING and path not in {job.output_blob, job.failed_blob}


async def remove_gone_workers(account: AccountStorage) -> None:
    """Deletes the signs of life of workers that have been gone for a day."""
    for worker in await account.workers.all():
        if worker.age > KEPT_SECONDS:
            await account.workers.remove(worker.name)


def _job_of(path: BlobPath) -> str:
    """The id of the job that a blob is named for."""
    return PurePosixPath(path.name).stem.partition("-")[0]


async def _is_over(account: AccountStorage, job_id: str, written: Ticks | None = None) -> bool:
    """Whether the job is over; False for what is no job's id: such a blob may belong to another program.

    A job without a row is over where its blob, `written` before its row would be, is old. Its own id counts where there
    is no blob: of another deployment's job, which has its row elsewhere.
    """
    if not is_row_id(job_id):
        return False
    try:
        found = await account.jobs.get_with_payload(job_id)
    except MalformedRowError:
        return False
    if found is None:
        return (created_at(job_id) if written is None else written) < account.clock.now() - ORPHAN_GRACE
    return found[0].status is not JobStatus.PENDING


async def _used(account: AccountStorage, name: str) -> set[BlobPath] | None:
    """The blobs that a data source refers to; None where its row can't be read."""
    try:
        source = await account.data_sources.get(name)
    except MalformedRowError:
        return None
    return set() if source is None else {version.blob for version in versions(source)}
