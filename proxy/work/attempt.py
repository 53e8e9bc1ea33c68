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

from adapters.account import Account
from adapters.errors import ConflictError, Fault, StorageFaultError
from adapters.files import TooLargeError
from adapters.held_jobs import Claim, HeldJob
from adapters.locations import LocationError
from adapters.properties import MalformedRowError
from adapters.queue import Lease
from adapters.records import BlobPath, JobRecord, JobStatus, JobType
from adapters.watch import UNNEEDED
from proxy.work.access import access
from proxy.work.delete import delete
from proxy.work.download import download
from proxy.work.job import AbortedError, ChangedError, EndedError, Job, Terms
from proxy.work.load import load
from proxy.work.order import jobs_ahead, seconds_to_wait, take_next
from proxy.work.publish import publish
from proxy.work.reader_pool import ReaderKilledError, ReaderPool, ReadingError
from proxy.work.rollback import rollback
from proxy.work.seen import GIVEN_BACK, LOST, UNSEEN, JobsSeen
from proxy.work.tasks import LOCAL_ERRORS
from proxy.work.versions import NoVersionError

log = logging.getLogger(__name__)

WORK: Mapping[JobType, Callable[[Job], Awaitable[JobRecord]]] = {
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
FINAL = (AbortedError, NoVersionError, ReadingError, TooLargeError)

# What has words of our own.
OURS = (*FINAL, LocationError, ChangedError, ConflictError, MalformedRowError, ReaderKilledError)

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
class Place:
    """Where jobs are done.

    What the settings allow, the worker's folder, the processes that read data, who looks on, and the worker's name.
    """

    terms: Terms
    folder: Path
    readers: ReaderPool
    seen: JobsSeen = UNSEEN
    worker: str = "worker"


async def attempt(account: Account, lease: Lease, place: Place) -> Lease | None:
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
        await lease.done()
        return None
    if held.record.status is not JobStatus.PENDING:
        # The worker that ended it may have died before it handed on the turn.
        return await _done(account, lease, held.record)
    try_id = await _begin(account, lease, place, held)
    try:
        ended = None if try_id is None else await _ended(account, lease, place, held, try_id)
    except OSError as error:
        place.seen.ended(lease, GIVEN_BACK)
        await postpone(account, lease, UNFIT_SECONDS)
        raise UnfitError(f"the folder for files ({place.folder}) can't be used: {error.strerror}") from error
    if try_id is None or ended is None:
        return None
    if await _finish(account, held, ended, try_id):
        place.seen.ended(lease, ended.status.value)
        _tell_end(ended, _fields(account, lease))
        await _discard_upload(account, held.work or "")
    return await _done(account, lease, held.record)


async def _held(account: Account, lease: Lease) -> HeldJob | None:
    """The job of a message; None where it is gone or not ours, or another message of it counts."""
    try:
        held = await account.jobs.held(lease.job_id)
    except MalformedRowError:
        log.exception("a job's row can't be read, so that nobody can do it", extra=_fields(account, lease))
        return None
    if held is None or held.work is None:
        return None
    counts = held.record.status is not JobStatus.PENDING or held.message in {None, lease.message_id}
    return held if counts else None


async def _begin(account: Account, lease: Lease, place: Place, held: HeldJob) -> str | None:
    """Begins a try where it is the job's turn; gives its name. Else the job waits for those ahead of it."""
    wait = CONFIRM_SECONDS
    if not held.record.unconfirmed and not (wait := seconds_to_wait(await jobs_ahead(account, held.record))):
        try_id = token_hex(6)
        number = held.next_try(lease.message_id)
        claim = Claim(lease.message_id, try_id, place.worker, number, account.clock.now())
        if await account.jobs.claim(held, claim):
            return try_id
    await _wait(account, lease, wait)
    return None


async def postpone(account: Account, lease: Lease, seconds: float = 0) -> None:
    """Puts a job back as it came: that it was taken counts as no try."""
    await account.jobs.release(lease.job_id)
    await _wait(account, lease, seconds)


async def _wait(account: Account, lease: Lease, seconds: float = 0) -> None:
    await account.queue.put(lease.job_id, after=seconds)
    await lease.done()


async def _done(account: Account, lease: Lease, record: JobRecord) -> Lease | None:
    """Hands the turn on before it deletes the message: a worker that finds the message later does the same."""
    following = await take_next(account, record)
    await lease.done()
    return following


async def _finish(account: Account, held: HeldJob, ended: JobRecord, try_id: str) -> bool:
    """Writes how the job ended; whether this try still counted."""
    if ended.status is JobStatus.ABORTED and held.try_id and ended.data_source_name:
        # An earlier try may sleep between its last look and its switch, which must not come after this end.
        await account.datasources.fence(ended.data_source_name)
    try:
        return await account.jobs.finish(ended, try_id)
    except StorageFaultError as fault:
        if fault.fault is not Fault.REJECTED:
            raise
        log.exception("storage refuses how a job ended", extra={"account": account.name, "row_key": ended.row_key})
        short = replace(held.record, status=JobStatus.ABORTED, completed=ended.completed, error_message=UNWRITABLE)
        return await account.jobs.finish(short, try_id)


def _tell_end(ended: JobRecord, fields: dict[str, str]) -> None:
    why = f": {ended.error_message[:LONGEST_REASON]}" if ended.error_message else ""
    what = ended.job_type, ended.data_source_name, ended.status.value, why
    log.info("%s of %s: %s%s", *what, extra=fields)


async def _ended(account: Account, lease: Lease, place: Place, held: HeldJob, try_id: str) -> JobRecord | None:
    """The record of the job as it ended; None where it is tried again, or another worker's.

    Raises:
        OSError: files can't be kept here.
    """
    record, tries, number = held.record, place.terms.tries, held.next_try(lease.message_id)
    with TemporaryDirectory(dir=place.folder, ignore_cleanup_errors=True) as folder:
        job = Job(
            account=account,
            record=record,
            terms=place.terms,
            folder=Path(folder),
            readers=place.readers,
            try_id=try_id,
        )
        place.seen.began(account.name, lease, job)
        if number > tries:
            return job.aborted(f"The job was given up: {tries} workers that tried it ended without a word.")
        log.info("%s of %s: begun", record.job_type, record.data_source_name, extra=_fields(account, lease))
        try:
            job.work = json.loads(held.work or "")
            async with _progress_told(job):
                return await WORK[record.job_type](job)
        except EndedError:
            place.seen.ended(lease, LOST)
            await lease.done()
        except Exception as error:  # whatever it is, it must not end the worker
            if isinstance(error, OSError) and error.errno in LOCAL_ERRORS:
                raise
            reason = _why(error, _fields(account, lease))
            if is_final(error):
                return job.aborted(sentence(reason))
            log.warning("try %s of %s failed: %s", number, tries, reason, extra=_fields(account, lease))
            if number >= tries:
                return job.aborted(f"The job was given up after {tries} tries. The last one failed: {sentence(reason)}")
            await lease.give_back(min(LONGEST_WAIT, 2.0 ** (number - 1)))
    return None


def is_final(error: Exception) -> bool:
    """Whether another try would end the same."""
    return isinstance(error, FINAL) or (isinstance(error, LocationError) and not error.passing)


@asynccontextmanager
async def _progress_told(job: Job) -> AsyncIterator[None]:
    """Writes the counts into the job's row about once a second, as long as the context lasts."""
    telling = asyncio.create_task(_tell(job))
    try:
        yield
    finally:
        telling.cancel(UNNEEDED)
        await asyncio.wait({telling})


async def _tell(job: Job) -> None:
    told = 0
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        processed = job.counts.processed
        if processed != told:
            with suppress(StorageFaultError, ConflictError, MalformedRowError):  # the next second has news anyway
                await job.tell_progress()
                told = processed


async def _discard_upload(account: Account, text: str) -> None:
    """Deletes the data of a load that is over. What is left is swept."""
    with suppress(StorageFaultError, ValueError, TypeError, AttributeError):  # the text may be no object
        path = BlobPath.parse(json.loads(text).get("upload") or "")
        if path is not None:
            await account.files.delete(path)


def _why(error: Exception, fields: dict[str, str]) -> str:
    """Why a try failed, in words that hold no secret: those of our own errors, of others the type."""
    if isinstance(error, StorageFaultError):
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


def _fields(account: Account, lease: Lease) -> dict[str, str]:
    return {"account": account.name, "row_key": lease.job_id}
