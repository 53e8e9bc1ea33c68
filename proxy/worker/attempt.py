"""One try of one job, from its message to its finished row."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from adapters.account import AccountStorage
from adapters.blobs.store import BlobTooLargeError
from adapters.errors import ConflictError, StorageError, StorageErrorCode
from adapters.instrumentation import UNNEEDED
from adapters.job_queue import Lease
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.versions import VersionNotFoundError
from adapters.remote.fetch import FetchError
from adapters.tables.leased_jobs import Claim, HeldJob
from adapters.tables.properties import MalformedRowError
from proxy.worker.job import ConcurrentChangeError, JobAbortedError, LeaseLostError, RunningJob, WorkerLimits
from proxy.worker.jobs.delete import delete
from proxy.worker.jobs.download import download
from proxy.worker.jobs.load import load
from proxy.worker.jobs.publish import publish
from proxy.worker.jobs.rollback import rollback
from proxy.worker.jobs.set_access import access
from proxy.worker.observer import GIVEN_BACK, LOST, NULL_OBSERVER, JobObserver
from proxy.worker.ordering import count_jobs_ahead, seconds_to_wait, take_next
from proxy.worker.reader_pool import ReaderKilledError, ReaderPool, ReadingError
from proxy.worker.reader_tasks import LOCAL_ERRORS

log = logging.getLogger(__name__)

WORK: Mapping[JobType, Callable[[RunningJob], Awaitable[JobRecord]]] = {
    JobType.COMPLETE: load,
    JobType.COMPLETE_STAGING: load,
    JobType.INCREMENTAL: load,
    JobType.INCREMENTAL_STAGING: load,
    JobType.DOWNLOAD: download,
    JobType.PUBLISH: publish,
    JobType.ROLLBACK: rollback,
    JobType.ACCESS: access,
    JobType.DELETE: delete,
}

# What no further try would change. The texts are for the job's owner.
FINAL = (JobAbortedError, VersionNotFoundError, ReadingError, BlobTooLargeError)

# What has words of our own.
OURS = (*FINAL, FetchError, ConcurrentChangeError, ConflictError, MalformedRowError, ReaderKilledError)

PROGRESS_SECONDS = 1.0

# What becomes of a job whose end storage refuses to take.
UNWRITABLE = "The job was given up: what became of it can't be stored, because storage refuses the job's row."

# How long a job waits that is being created in this moment.
CONFIRM_SECONDS = 1.0

# The wait after a failed try: a second after the first, twice as long after each more.
LONGEST_WAIT = 60.0

# How long a job that could not be done here waits, for another worker may have what is wanting.
UNFIT_SECONDS = 5.0

# What the log repeats of a reason.
LONGEST_REASON = 500


class UnfitError(Exception):
    """This worker can't do any job: its folder is gone, or has no room. The text is for the log."""


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """Where jobs are done.

    What the settings allow, the worker's folder, the processes that read data, who looks on, and the worker's name.
    """

    limits: WorkerLimits
    folder: Path
    readers: ReaderPool
    observer: JobObserver = NULL_OBSERVER
    worker: str = "worker"


async def attempt_job(account: AccountStorage, lease: Lease, place: WorkerContext) -> Lease | None:
    """Does a leased job, once more if need be, and gives the message away: done, or to be tried again.

    Returns:
        The next job of the same data source where it is now its turn, taken already.

    Raises:
        StorageFaultError: storage does not take the result. The lease ends by itself, and the job is tried again.
        ConflictError: the same, for others kept changing the job's row.
        UnfitError: no job can be done here; this one is put back as it came.
    """
    held = await _held(account, lease)
    if held is None:
        await lease.complete()
        return None
    if held.record.status is not JobStatus.PENDING:
        # The worker that ended it may have died before it handed on the turn.
        return await _done(account, lease, held.record)
    try_id = await _begin(account, lease, place, held)
    try:
        ended = None if try_id is None else await _ended(account, lease, place, held, try_id)
    except OSError as error:
        place.observer.ended(lease, GIVEN_BACK)
        await postpone(account, lease, UNFIT_SECONDS)
        raise UnfitError(f"the folder for files ({place.folder}) can't be used: {error.strerror}") from error
    if try_id is None or ended is None:
        return None
    if await _finish(account, held, ended, try_id):
        place.observer.ended(lease, ended.status.value)
        _tell_end(ended, _fields(account, lease))
        await _discard_upload(account, held.work or "")
    return await _done(account, lease, held.record)


async def _held(account: AccountStorage, lease: Lease) -> HeldJob | None:
    """The job of a message; None where it is gone or not ours, or another message of it counts."""
    try:
        held = await account.jobs.get_held(lease.job_id)
    except MalformedRowError:
        log.exception("a job's row can't be read, so that nobody can do it", extra=_fields(account, lease))
        return None
    if held is None or held.work is None:
        return None
    counts = held.record.status is not JobStatus.PENDING or held.message in {None, lease.message_id}
    return held if counts else None


async def _begin(account: AccountStorage, lease: Lease, place: WorkerContext, held: HeldJob) -> str | None:
    """Begins a try where it is the job's turn; gives its name. Else the job waits for those ahead of it."""
    wait = CONFIRM_SECONDS
    if not held.record.unconfirmed and not (wait := seconds_to_wait(await count_jobs_ahead(account, held.record))):
        try_id = token_hex(6)
        number = held.next_try(lease.message_id)
        claim = Claim(lease.message_id, try_id, place.worker, number, account.clock.now())
        if await account.jobs.claim(held, claim):
            return try_id
    await _wait(account, lease, wait)
    return None


async def postpone(account: AccountStorage, lease: Lease, seconds: float = 0) -> None:
    """Puts a job back as it came: that it was taken counts as no try."""
    await account.jobs.release(lease.job_id)
    await _wait(account, lease, seconds)


async def _wait(account: AccountStorage, lease: Lease, seconds: float = 0) -> None:
    await account.queue.enqueue(lease.job_id, after=seconds)
    await lease.complete()


async def _done(account: AccountStorage, lease: Lease, record: JobRecord) -> Lease | None:
    """Hands the turn on before it deletes the message: a worker that finds the message later does the same."""
    following = await take_next(account, record)
    await lease.complete()
    return following


async def _finish(account: AccountStorage, held: HeldJob, ended: JobRecord, try_id: str) -> bool:
    """Writes how the job ended; whether this try still counted."""
    if ended.status is JobStatus.ABORTED and held.try_id and ended.data_source_name:
        # An earlier try may sleep between its last look and its switch, which must not come after this end.
        await account.data_sources.fence(ended.data_source_name)
    try:
        return await account.jobs.complete(ended, try_id)
    except StorageError as fault:
        if fault.fault is not StorageErrorCode.REJECTED:
            raise
        log.exception("storage refuses how a job ended", extra={"account": account.name, "row_key": ended.row_key})
        short = replace(held.record, status=JobStatus.ABORTED, completed=ended.completed, error_message=UNWRITABLE)
        return await account.jobs.complete(short, try_id)


def _tell_end(ended: JobRecord, fields: dict[str, str]) -> None:
    why = f": {ended.error_message[:LONGEST_REASON]}" if ended.error_message else ""
    what = ended.job_type, ended.data_source_name, ended.status.value, why
    log.info("%s of %s: %s%s", *what, extra=fields)


async def _ended(
    account: AccountStorage, lease: Lease, place: WorkerContext, held: HeldJob, try_id: str
) -> JobRecord | None:
    """The record of the job as it ended; None where it is tried again, or another worker's.

    Raises:
        OSError: files can't be kept here.
    """
    record, tries, number = held.record, place.limits.tries, held.next_try(lease.message_id)
    with TemporaryDirectory(dir=place.folder, ignore_cleanup_errors=True) as folder:
        job = RunningJob(
            account=account,
            record=record,
            limits=place.limits,
            folder=Path(folder),
            readers=place.readers,
            try_id=try_id,
        )
        place.observer.began(account.name, lease, job)
        if number > tries:
            return job.aborted(f"The job was given up: {tries} workers that tried it ended without a word.")
        log.info("%s of %s: begun", record.job_type, record.data_source_name, extra=_fields(account, lease))
        try:
            job.work = json.loads(held.work or "")
            async with _progress_told(job):
                return await WORK[record.job_type](job)
        except LeaseLostError:
            place.observer.ended(lease, LOST)
            await lease.complete()
        except Exception as error:  # whatever it is, it must not end the worker
            if isinstance(error, OSError) and error.errno in LOCAL_ERRORS:
                raise
            reason = _why(error, _fields(account, lease))
            if is_final(error):
                return job.aborted(sentence(reason))
            log.warning("try %s of %s failed: %s", number, tries, reason, extra=_fields(account, lease))
            if number >= tries:
                return job.aborted(f"The job was given up after {tries} tries. The last one failed: {sentence(reason)}")
            await lease.release(min(LONGEST_WAIT, 2.0 ** (number - 1)))
    return None


def is_final(error: Exception) -> bool:
    """Whether another try would end the same."""
    return isinstance(error, FINAL) or (isinstance(error, FetchError) and not error.passing)


@asynccontextmanager
async def _progress_told(job: RunningJob) -> AsyncIterator[None]:
    """Writes the counts into the job's row about once a second, as long as the context lasts."""
    telling = asyncio.create_task(_tell(job))
    try:
        yield
    finally:
        telling.cancel(UNNEEDED)
        await asyncio.wait({telling})


async def _tell(job: RunningJob) -> None:
    told = 0
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        processed = job.counts.processed
        if processed != told:
            with suppress(StorageError, ConflictError, MalformedRowError):  # the next second has news anyway
                await job.report_progress()
                told = processed


async def _discard_upload(account: AccountStorage, text: str) -> None:
    """Deletes the data of a load that is over. What is left is swept."""
    with suppress(StorageError, ValueError, TypeError, AttributeError):  # the text may be no object
        path = BlobPath.parse(json.loads(text).get("upload") or "")
        if path is not None:
            await account.blobs.delete(path)


def _why(error: Exception, fields: dict[str, str]) -> str:
    """Why a try failed, in words that hold no secret: those of our own errors, of others the type."""
    if isinstance(error, StorageError):
        return f"storage: {error}"
    if isinstance(error, ReadingError) and error.details:
        log.error("the data of a job can't be read", extra=fields | {"more": error.details})
    if isinstance(error, OURS):
        return str(error)
    log.error("a job failed", exc_info=error, extra=fields)
    return f"internal error ({type(error).__name__})"


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _fields(account: AccountStorage, lease: Lease) -> dict[str, str]:
    return {"account": account.name, "row_key": lease.job_id}
