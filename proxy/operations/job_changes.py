"""Retries and aborts jobs. The worker's rules hold: one message and one attempt of a job count, each effect is once."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from secrets import token_hex

from adapters.account import AccountStorage
from adapters.blobs.store import EXPORTS
from adapters.errors import ConflictError, StorageError
from adapters.model.job_ids import created_at, first_id_at
from adapters.model.jobs import JobRecord, JobStatus, JobType
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.sdk_calls import CHANGE_ATTEMPTS
from adapters.tables.audit_rows import AuditEntry
from adapters.tables.leased_jobs import HeldJob
from proxy.operations.audit import note_change
from proxy.operations.errors import OperationError
from proxy.operations.job_views import FoundJob, find_refusal, read_work
from proxy.operations.masking import mask_secrets

ABORTED_BY_OPERATOR = "Ended by the operator."

HAS_ITS_EFFECT = "The job has made its change already, so it can't be ended any more. A worker completes it."
OTHER_IS_RUNNING = "The job {} of the same data source is running. Try again when it has ended."
ENDED_ALREADY = "The job has ended already: it is {}."
CHANGED_MEANWHILE = "The job was changed meanwhile, so nothing was done. Look at it again."

WAIT_SECONDS = 1.0
"""Seconds between two looks at a job that is waited for."""

# Ticks around a job's creation in which a job of the same data source may be unfinished.
_LOOK_BACK = 3 * 86_400 * PER_SECOND


async def retry_job(found: FoundJob, who: str) -> JobRecord:
    """Makes an Aborted job Pending again, and hands it to the workers.

    Args:
        found: the job.
        who: the operator's name.

    Returns:
        The job as it is now.

    Raises:
        OperationError: it can't be tried again, or not now.
        StorageError: storage can't answer. The job is as it was, or a worker will do it.
    """
    account, held = found.account, found.held
    refusal = await find_refusal(found) or await _find_running(found)
    if refusal is not None:
        raise OperationError(refusal)
    if not await account.jobs.restart(held):
        raise OperationError(CHANGED_MEANWHILE)
    try:
        await account.queue.enqueue(found.id)
    except StorageError:
        try:
            await account.jobs.complete(held.record)
        except (StorageError, ConflictError):  # so the clean-up enqueues it
            await _note_retry(found, who)
        raise
    await _note_retry(found, who)  # what follows may take longer than a request has
    await _delete_outputs(account, held.record)
    return await _read(found)


async def _note_retry(found: FoundJob, who: str) -> None:
    held = found.held
    before = f"{held.record.status.value}: {mask_secrets(held.record.error_message or '')}"
    await note_change(found.account, AuditEntry(who, "jobs retry", found.id, before, JobStatus.PENDING.value))


async def abort_job(found: FoundJob, who: str) -> JobRecord:
    """Makes a Pending job Aborted. A worker that is at it stops when it renews its lease, and has no effect any more.

    Args:
        found: the job.
        who: the operator's name.

    Returns:
        The job as it is now.

    Raises:
        OperationError: it has ended, or has made its change.
        StorageError: storage can't answer. The job is as it was, or a worker will begin it anew.
    """
    account, before = found.account, found.held.record
    ended = await _abort(found)
    if found.held.work is not None:
        # Its receiver deletes what the job stored, and enqueues the next job of the data source. Without it, so does
        # the receiver of the job's own message, later.
        with suppress(StorageError):
            await account.queue.enqueue(found.id)
    after = f"{ended.status.value}: {ended.error_message}"
    await note_change(account, AuditEntry(who, "jobs abort", found.id, before.status.value, after))
    return ended


async def wait_for_job(account: AccountStorage, job_id: str) -> JobRecord:
    """Waits until a job has ended.

    Raises:
        OperationError: its row is gone.
    """
    while True:
        found = await account.jobs.get(job_id)
        if found is None:
            raise OperationError(f"The row of the job {job_id} is gone.")
        if found.status is not JobStatus.PENDING:
            return found
        await asyncio.sleep(WAIT_SECONDS)


async def _find_running(found: FoundJob) -> str | None:
    """A sentence where another job of the data source is running: jobs of one data source run one at a time."""
    name = (found.held.record.data_source_name or "").lower()
    if not name:
        return None
    first = first_id_at(Ticks(created_at(found.id) - _LOOK_BACK))
    for job in await found.account.jobs.list_waiting(first):
        if job.is_claimed and job.data_source_name.lower() == name:
            return OTHER_IS_RUNNING.format(job.row_key)
    return None


async def _delete_outputs(account: AccountStorage, record: JobRecord) -> None:
    """Deletes what the ended attempt put out, since no row names it any more."""
    own = f"{account.name}/{record.row_key}/"
    for path in (record.output_blob, record.failed_blob):
        if path is not None and path.container == EXPORTS and path.name.startswith(own):
            with suppress(StorageError):  # nothing refers to it
                await account.blobs.delete(path)


async def _abort(found: FoundJob) -> JobRecord:
    """Ends a job in an order that leaves no attempt with an effect of which the row says nothing.

    First all attempts are void, so that none is confirmed any more. Then the data source's row gets a new ETag, so that
    the writes of those that were confirmed before fail. What is in that row now stays, and decides.
    """
    account, jobs = found.account, found.account.jobs
    if found.held.work is None:
        return await _abort_foreign(found)
    for _ in range(CHANGE_ATTEMPTS):
        name = f"aborted-{token_hex(6)}"
        if not await jobs.void_attempts(found.id, name):
            break
        held = await jobs.get_held(found.id)
        if held is None:
            break
        if await _has_effect(account, held):
            await jobs.release(found.id)
            await account.queue.enqueue(found.id)
            raise OperationError(HAS_ITS_EFFECT)
        ended = _aborted(account, held.record)
        if await jobs.complete(ended, name):
            return ended
        # A worker has begun the job meanwhile: void that attempt too.
    raise OperationError(await _describe_end(found))


async def _abort_foreign(found: FoundJob) -> JobRecord:
    """Ends the row of another program's job."""
    ended = _aborted(found.account, found.held.record)
    if not await found.account.jobs.complete(ended):
        raise OperationError(await _describe_end(found))
    return ended


async def _has_effect(account: AccountStorage, held: HeldJob) -> bool:
    """Whether the data source has the job's change, or its deletion has begun. If not, it can't get it any more."""
    record, work = held.record, read_work(held)
    if not record.data_source_name:
        return False
    await account.data_sources.bump_etag(record.data_source_name)
    source = await account.data_sources.get(record.data_source_name)
    if source is not None and record.row_key in {*source.applied, source.deleting}:
        return True
    is_gone = source is None or work.get("source") not in {None, source.identity}
    return record.job_type is JobType.DELETE and is_gone


def _aborted(account: AccountStorage, record: JobRecord) -> JobRecord:
    moment = account.clock.now()
    return replace(record, status=JobStatus.ABORTED, completed=moment, error_message=ABORTED_BY_OPERATOR)


async def _describe_end(found: FoundJob) -> str:
    record = await found.account.jobs.get(found.id)
    if record is None:
        return "The row of the job is gone."
    if record.status is JobStatus.PENDING:
        return CHANGED_MEANWHILE
    return ENDED_ALREADY.format(record.status.value)


async def _read(found: FoundJob) -> JobRecord:
    return await found.account.jobs.get(found.id) or found.held.record
