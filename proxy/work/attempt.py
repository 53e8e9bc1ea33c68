"""One try of one job, from its message to its finished row."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.account import Account
from adapters.errors import ConflictError, StorageFaultError
from adapters.files import TooLargeError
from adapters.locations import LocationError
from adapters.properties import MalformedRowError
from adapters.queue import Lease
from adapters.records import BlobPath, JobRecord, JobStatus, JobType
from adapters.watch import UNNEEDED
from proxy.exchange.schema import UnusableError
from proxy.work.access import access
from proxy.work.delete import delete
from proxy.work.download import download
from proxy.work.job import AbortedError, ChangedError, EndedError, Job, Terms
from proxy.work.load import load
from proxy.work.order import is_first
from proxy.work.publish import publish
from proxy.work.rollback import rollback
from proxy.work.seen import LOST, UNSEEN, JobsSeen
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
FINAL = (AbortedError, NoVersionError, UnusableError, TooLargeError)

# What has words of our own.
OURS = (*FINAL, LocationError, ChangedError, ConflictError, MalformedRowError)

PROGRESS_SECONDS = 1.0

# How long a job waits for an older one of the same data source before it looks again.
TURN_SECONDS = 1.0

# The wait after a failed try: a second after the first, twice as long after each more.
LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where jobs are done.

    What the settings allow, the worker's folder, whose turn it is at the processor, and who looks on.
    """

    terms: Terms
    folder: Path
    busy: asyncio.Lock
    seen: JobsSeen = UNSEEN


async def attempt(account: Account, lease: Lease, place: Place) -> None:
    """Does a leased job, once more if need be, and gives the message away: done, or to be tried again.

    Raises:
        StorageFaultError: storage does not take the result. The lease ends by itself, and the job is tried again.
        ConflictError: the same, for others kept changing the job's row.
    """
    try:
        found = await account.jobs.work(lease.job_id)
    except MalformedRowError:
        log.exception("a job's row can't be read, so that nobody can do it", extra=_fields(account, lease))
        await lease.done()
        return
    record, text = found or (None, None)
    if record is None or record.status is not JobStatus.PENDING or text is None:
        await lease.done()  # done already, or gone, or not ours
        return
    if record.unconfirmed:  # it will be confirmed at any moment, or ended
        await postpone(account, lease, TURN_SECONDS)
        return
    if not await is_first(account, record):
        await postpone(account, lease, TURN_SECONDS)
        return
    ended = await _ended(account, lease, place, record, text)
    if ended is None:
        return
    await account.jobs.finish(ended)
    place.seen.ended(lease, ended.status.value)
    log.info("%s of %s: %s", ended.job_type, ended.data_source_name, ended.status.value, extra=_fields(account, lease))
    await _discard_upload(account, text)
    await lease.done()


async def postpone(account: Account, lease: Lease, seconds: float = 0) -> None:
    """Puts a job back as it came: that it was taken counts as no try."""
    await account.queue.put(lease.job_id, after=seconds)
    await lease.done()


async def _ended(account: Account, lease: Lease, place: Place, record: JobRecord, text: str) -> JobRecord | None:
    """The record of the job as it ended; None where it is tried again, or another worker's."""
    tries = place.terms.tries
    with TemporaryDirectory(dir=place.folder, ignore_cleanup_errors=True) as folder:
        job = Job(account=account, record=record, terms=place.terms, folder=Path(folder), busy=place.busy)
        place.seen.began(account.name, lease, job)
        if lease.tries > tries:
            return job.aborted(f"The job was given up: {tries} workers that tried it ended without a word.")
        log.info("%s of %s: begun", record.job_type, record.data_source_name, extra=_fields(account, lease))
        try:
            job.work = json.loads(text)
            async with _progress_told(job):
                return await WORK[record.job_type](job)
        except EndedError:
            place.seen.ended(lease, LOST)
            await lease.done()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the worker
            reason = _why(error)
            if is_final(error):
                return job.aborted(sentence(reason))
            log.warning("try %s of %s failed: %s", lease.tries, tries, reason, extra=_fields(account, lease))
            if lease.tries >= tries:
                return job.aborted(f"The job was given up after {tries} tries. The last one failed: {sentence(reason)}")
            await lease.give_back(min(LONGEST_WAIT, 2.0 ** (lease.tries - 1)))
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
        processed, failed = job.counts.processed, job.counts.failed
        if processed != told:
            with suppress(StorageFaultError, ConflictError, MalformedRowError):  # the next second has news anyway
                await job.account.jobs.progress(job.id, processed, processed, failed)
                told = processed


async def _discard_upload(account: Account, text: str) -> None:
    """Deletes the data of a load that is over. What is left is swept."""
    with suppress(StorageFaultError, ValueError, TypeError, AttributeError):  # the text may be no object
        path = BlobPath.parse(json.loads(text).get("upload") or "")
        if path is not None:
            await account.files.delete(path)


def _why(error: Exception) -> str:
    """Why a try failed, in words that hold no secret: those of our own errors, of others the type."""
    if isinstance(error, StorageFaultError):
        return f"storage: {error}"
    if isinstance(error, OURS):
        return str(error)
    log.error("a job failed", exc_info=error)
    return f"internal error ({type(error).__name__})"


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _fields(account: Account, lease: Lease) -> dict[str, str]:
    return {"account": account.name, "row_key": lease.job_id}
