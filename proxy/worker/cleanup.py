"""Clean-up of one account: deletes what nothing refers to any more, and re-enqueues jobs whose message was lost.

Any number of workers may run it at once, and repeat all of it. Ages are those of rows and blobs by storage's own clock:
neither the clock of a worker nor that of a job's creator counts.
"""

import re
from collections import defaultdict
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from adapters.account import AccountStorage
from adapters.blobs.store import EXPORTS, UPLOADS, VERSIONS
from adapters.errors import StorageError, StorageErrorCode
from adapters.model.data_sources import DataSource
from adapters.model.job_ids import created_at, first_id_at, is_row_id
from adapters.model.jobs import BlobPath, JobStatus
from adapters.model.ticks import PER_SECOND, Ticks, to_datetime
from adapters.model.versions import expire_staged, list_versions
from adapters.tables.properties import MalformedRowError
from adapters.tables.worker_rows import RETENTION_SECONDS
from proxy.operations.audit import KEEP_AUDIT
from proxy.worker.geocoding.checkpoints import DELETIONS, FOLDER
from proxy.worker.ordering import LOOK_BACK
from proxy.worker.parallel import run_all

# Ticks. A job gets its row, then its message, then its confirmation: a younger job may be between these steps.
ENQUEUE_GRACE = 60 * PER_SECOND

# Ticks. An upload is written before its job's row, and may be slow.
ORPHAN_GRACE = 86_400 * PER_SECOND

DAY = 86_400 * PER_SECOND
"""Ticks."""

KEEP_COUNTERS = 60 * DAY
"""As long as the use of keys is kept."""

RETRY_GRACE = DAY
"""An operator may retry an aborted job as long as its data is there."""

NOT_CREATED = "The request that creates this job was answered by an error, so no worker does it. Create it again."

# The outputs of an attempt: account, job, attempt, name. All other blobs of the container belong to other programs.
_OUTPUT = re.compile(r"[^/]+/(?P<job>[0-9a-f]{32})/[0-9a-f]{12}/[^/]+", re.ASCII)

# So many hex digits of a job's id stay the same for three days.
_DAYS = 5


async def clean_up(account: AccountStorage, keep_outputs_days: int = 0) -> None:
    """Runs the whole clean-up of one account.

    Args:
        account: the account.
        keep_outputs_days: the days after which outputs of finished jobs are deleted; 0: never.

    Raises:
        StorageError: storage did not answer. The next clean-up continues.
    """
    await requeue_lost_jobs(account)
    if account.clock.last_date is None:
        return  # without storage's time nothing has an age
    await account.data_sources.remove_reservations()
    await update_data_sources(account)
    await delete_unreferenced_blobs(account)
    await delete_uploads(account)
    await delete_exports(account)
    for worker in await account.workers.list_all():
        if worker.age > RETENTION_SECONDS:
            await account.workers.remove(worker.name)
    await account.counters.remove_before(to_datetime(Ticks(account.clock.now() - KEEP_COUNTERS)).date())
    if keep_outputs_days:
        await delete_old_outputs(account, keep_outputs_days)
    await delete_old_audit(account)


async def requeue_lost_jobs(account: AccountStorage) -> None:
    """Aborts jobs that were never confirmed, and re-enqueues all others if a message was lost.

    If there are more unfinished jobs than messages, at least one message was lost; then each job gets another one. The
    queue's length is never too low. The worker that receives a message of an ended job deletes it.
    """
    jobs = await account.jobs.list_waiting(first_id_at(Ticks(account.clock.now() - LOOK_BACK)))
    if account.clock.last_date is None:
        return
    old = [job for job in jobs if (job.written or 0) < account.clock.now() - ENQUEUE_GRACE]
    for job in old:
        if job.is_unconfirmed:
            await _abort_unconfirmed(account, job.row_key)
    if sum(not job.is_unconfirmed for job in jobs) > await account.queue.approximate_length():
        for job in old:
            if not job.is_unconfirmed:
                await account.jobs.release(job.row_key)  # the lost message may be the one that counts
                await account.queue.enqueue(job.row_key)


async def _abort_unconfirmed(account: AccountStorage, job_id: str) -> None:
    held = await account.jobs.get_held(job_id)
    if held is not None and held.record.unconfirmed:
        ended = replace(held.record, status=JobStatus.ABORTED, completed=account.clock.now(), error_message=NOT_CREATED)
        await account.jobs.complete(ended)


async def update_data_sources(account: AccountStorage) -> None:
    """Removes staged versions after 30 days, and the deletion marks of delete jobs that were given up."""
    for source in await account.data_sources.list_all():
        is_given_up = source.deleting is not None and await _is_over(account, source.deleting)
        given_up = source.deleting if is_given_up else None
        update = partial(_without_leftovers, moment=account.clock.now(), given_up=given_up)
        if update(source) != source:
            await account.data_sources.change(source.name, update)


def _without_leftovers(source: DataSource | None, *, moment: Ticks, given_up: str | None) -> DataSource | None:
    if source is not None and given_up is not None and source.deleting == given_up:
        source = replace(source, deleting=None)
    return None if source is None else expire_staged(source, moment)


async def delete_unreferenced_blobs(account: AccountStorage, name: str | None = None) -> None:
    """Deletes the entities that no version refers to, of all data sources or of one.

    The order makes it safe. After a blob is listed, its job is found to be over, so no attempt is confirmed any more.
    Then the fence stops attempts that were confirmed before. A row that is read after that and does not refer to the
    blob never will.
    """
    prefix = f"{account.name}/" if name is None else f"{account.name}/{name.lower()}/"
    paths = await account.blobs.list_blobs(VERSIONS, prefix)
    if not paths:
        return
    used = {version.blob for source in await account.data_sources.list_all() for version in list_versions(source)}
    unused = defaultdict(list)
    for path, written in paths.items():
        if path not in used and await _is_over(account, _job_of(path), written):
            unused[PurePosixPath(path.name).parent.name].append(path)
    for source_name, over in unused.items():
        await account.data_sources.bump_etag(source_name)
        referenced = await _referenced(account, source_name)
        for path in over:
            if referenced is not None and path not in referenced:
                await account.blobs.delete(path)


async def delete_uploads(account: AccountStorage) -> None:
    """Deletes the data of loads and geocode jobs that are over, and what the latter kept for their next turn.

    The data of an Aborted job stays for a day, so that it can be retried.
    """
    by_job: dict[str, dict[BlobPath, Ticks]] = defaultdict(dict)
    for path, written in (await account.blobs.list_blobs(UPLOADS, f"{account.name}/")).items():
        by_job[_job_of_upload(path)][path] = written
    for job_id, paths in by_job.items():
        if await _is_over(account, job_id, max(paths.values())):
            kept = await _may_be_retried(account, job_id)
            over = (path for path in paths if not (kept and _is_data(path)))
            await run_all((account.blobs.delete(path) for path in over), DELETIONS)


async def _may_be_retried(account: AccountStorage, job_id: str) -> bool:
    found = await account.jobs.get_with_payload(job_id)
    if found is None or found[0].status is not JobStatus.ABORTED:
        return False
    return (found[0].completed or 0) > account.clock.now() - RETRY_GRACE


def _is_data(path: BlobPath) -> bool:
    """Whether a blob is what a request sent, and no checkpoint."""
    return f"/{FOLDER}/" not in path.name


def _job_of_upload(path: BlobPath) -> str:
    """The id of the job whose data or checkpoint a blob is."""
    _, _, *checkpoint = path.name.split("/") if f"/{FOLDER}/" in path.name else ("", "")
    return checkpoint[0] if checkpoint else _job_of(path)


async def delete_exports(account: AccountStorage) -> None:
    """Deletes the outputs that no job's row names. They come from attempts that did not count.

    A blob whose job is not found may belong to another program, and stays.
    """
    moment, paths = account.clock.now(), list[BlobPath]()
    for days in {first_id_at(Ticks(moment - ago))[:_DAYS] for ago in (0, LOOK_BACK)}:
        paths += await account.blobs.list_blobs(EXPORTS, f"{account.name}/{days}")
    outputs = [(path, match["job"]) for path in paths if (match := _OUTPUT.fullmatch(path.name))]
    if not outputs:
        return
    jobs = {job.row_key: job for job in await account.jobs.list_created_since(Ticks(moment - 3 * LOOK_BACK))}
    for path, job_id in outputs:
        job = jobs.get(job_id)
        if job and job.status is not JobStatus.PENDING and path not in {job.output_blob, job.failed_blob}:
            await account.blobs.delete(path)


async def delete_old_outputs(account: AccountStorage, days: int) -> None:
    """Deletes the outputs of jobs that ended so many days ago. The row goes first, so that no link leads nowhere.

    Raises:
        StorageError: one of them could not be deleted, maybe because another program's container is denied.
    """
    failure: StorageError | None = None
    for ended in await account.jobs.list_ended_outputs(Ticks(account.clock.now() - days * DAY)):
        if ended.is_offered and not await account.jobs.drop_outputs(ended):
            continue  # the next clean-up reads the row again
        try:
            for path in ended.blobs:
                await account.blobs.delete(path)
        except StorageError as error:
            failure = error
        else:
            await account.jobs.forget_outputs(ended.row_key)
    if failure is not None:
        raise failure


async def delete_old_audit(account: AccountStorage) -> None:
    """Deletes what operators changed 400 days ago. A worker without a role on that table leaves it alone."""
    try:
        await account.audit.remove_before(Ticks(account.clock.now() - KEEP_AUDIT))
    except StorageError as error:
        if error.code is not StorageErrorCode.ACCESS_DENIED:
            raise


def _job_of(path: BlobPath) -> str:
    """The id of the job that a blob is named for."""
    return PurePosixPath(path.name).stem.partition("-")[0]


async def _is_over(account: AccountStorage, job_id: str, written: Ticks | None = None) -> bool:
    """Whether a job has ended; False for what is no job's id, because such a blob may belong to another program.

    A job without a row counts as ended a day after its blob was `written`, or a day after its creation if no blob is
    given: the row may be on its way, or in the table of another deployment.
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


async def _referenced(account: AccountStorage, name: str) -> set[BlobPath] | None:
    """The blobs that a data source refers to; None if its row can't be read."""
    try:
        source = await account.data_sources.get(name)
    except MalformedRowError:
        return None
    return set() if source is None else {version.blob for version in list_versions(source)}
