"""One attempt of a job, from the receipt of its message to the final state of its row."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from adapters.account import AccountStorage
from adapters.blobs.blocks import BlobTooLargeError
from adapters.errors import ConflictError, StorageError
from adapters.job_queue import Lease
from adapters.model.jobs import JobRecord, JobStatus, JobType
from adapters.model.versions import VersionNotFoundError
from adapters.remote.fetch import FetchError
from adapters.tables.leased_jobs import Claim, HeldJob
from adapters.tables.properties import MalformedRowError
from proxy.worker.geocoding.checkpoints import Checkpoints
from proxy.worker.job import (
    ConcurrentChangeError,
    JobAbortedError,
    LeaseLostError,
    PostponedError,
    RunningJob,
    WorkerContext,
)
from proxy.worker.jobs.delete import delete
from proxy.worker.jobs.download import download
from proxy.worker.jobs.geocode import geocode
from proxy.worker.jobs.load import load
from proxy.worker.jobs.version_changes import publish, roll_back, set_access
from proxy.worker.observer import FAILED, GIVEN_BACK, LOST, POSTPONED
from proxy.worker.ordering import count_jobs_ahead, enqueue_next, seconds_to_wait
from proxy.worker.reader_pool import ReaderKilledError, ReadingError
from proxy.worker.reader_tasks import LOCAL_ERRORS

log = logging.getLogger(__name__)

HANDLERS: Mapping[JobType, Callable[[RunningJob], Awaitable[JobRecord]]] = {
    JobType.GEOCODE: geocode,
    JobType.COMPLETE: load,
    JobType.COMPLETE_STAGING: load,
    JobType.INCREMENTAL: load,
    JobType.INCREMENTAL_STAGING: load,
    JobType.DOWNLOAD: download,
    JobType.PUBLISH: publish,
    JobType.ROLLBACK: roll_back,
    JobType.ACCESS: set_access,
    JobType.DELETE: delete,
}

# Errors that another attempt would repeat. Job owners read their texts.
FINAL = (JobAbortedError, VersionNotFoundError, ReadingError, BlobTooLargeError)

# Errors whose texts hold no secret, because this program wrote them.
READABLE = (*FINAL, FetchError, ConcurrentChangeError, ConflictError, MalformedRowError, ReaderKilledError)

# Seconds that an unconfirmed job is hidden: the request that creates it is still running.
CONFIRM_SECONDS = 1.0

# Seconds until the next attempt: 1, 5, 25, 125, ... With five tries a job survives an outage of about two minutes.
RETRY_FACTOR = 5.0
MAX_RETRY_SECONDS = 300.0

# Seconds that a job is hidden after a worker without a usable disk gave it back. Other workers may have one.
UNFIT_SECONDS = 5.0

# Characters of a reason that the log repeats.
MAX_REASON = 500


class UnfitError(Exception):
    """This worker can't do any job, because its work directory is gone or its disk is full. The text is for the log."""


@dataclass(eq=False)
class Attempt:
    """One attempt of a leased job.

    `job` is set once it has begun, `is_ending` before its end is written, and `outcome` is for the observer.
    """

    account: AccountStorage
    lease: Lease
    context: WorkerContext
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    outcome: str = FAILED
    job: RunningJob | None = None
    is_ending: bool = False
    _started: float = 0.0

    @property
    def log_fields(self) -> dict[str, str]:
        """The members of the log lines about this attempt."""
        return {"account": self.account.name, "row_key": self.lease.job_id}

    async def run(self) -> None:
        """Does the job, and then deletes its message; or hides the message until the next attempt.

        Raises:
            StorageError: storage did not answer. The lease runs out, and another attempt follows.
            ConflictError: other writers kept changing the job's row; the same follows.
            UnfitError: this worker can't do any job; this one is given back.
        """
        held = await self._get_held()
        if held is not None:
            if held.record.status is JobStatus.PENDING and not await self._run_held(held):
                return
            # The worker that ended the job may have died before it did this.
            await enqueue_next(self.account, held.record)
            if held.record.job_type is JobType.GEOCODE:
                await Checkpoints(self.account, self.lease.job_id).delete()
        await self.lease.complete()

    async def confirm(self) -> None:
        """Checks that an attempt that has begun still counts, unless it is writing its own end.

        Raises:
            LeaseLostError: an operator has ended the job, or another attempt counts.
            StorageError: storage did not answer.
            MalformedRowError: the job's row can't be read.
        """
        try:
            if self.job is not None and not self.is_ending:
                await self.job.confirm()
        except LeaseLostError:
            if not self.is_ending:  # which may have begun meanwhile
                raise

    async def give_back(self, seconds: float = 0) -> None:
        """Gives the job back to the queue, hidden for some seconds. Its earlier attempts do not count any more."""
        self.outcome = GIVEN_BACK
        await self.account.jobs.release(self.lease.job_id)
        await self.lease.release(seconds)

    def notify_finished(self) -> None:
        """Tells the observer how an attempt that had begun ended."""
        if self.job is not None:
            job_type, seconds = self.job.record.job_type.value, time.perf_counter() - self._started
            entities = max(0, self.job.processed - self.job.resumed)
            self.context.observer.finished(self.account.name, job_type, self.outcome, entities, seconds)

    async def _get_held(self) -> HeldJob | None:
        """The job; None if it is gone or belongs to another program, or if another message of it counts."""
        try:
            held = await self.account.jobs.get_held(self.lease.job_id)
        except MalformedRowError:
            log.exception("no worker can do a job, because its row can't be read", extra=self.log_fields)
            return None
        if held is None or held.work is None:
            return None
        counts = held.record.status is not JobStatus.PENDING or held.message in {None, self.lease.message_id}
        return held if counts else None

    async def _run_held(self, held: HeldJob) -> bool:
        """Does a pending job; False if it has to wait, another attempt follows, or another worker has it."""
        wait = CONFIRM_SECONDS
        if not held.record.unconfirmed:
            wait = seconds_to_wait(await count_jobs_ahead(self.account, held.record))
        try_id, number = token_hex(6), held.next_attempt(self.lease.message_id)
        claim = Claim(self.lease.message_id, try_id, self.context.worker, number, self.account.clock.now())
        if wait or not await self.account.jobs.claim(held, claim):
            await self.lease.release(wait)
            return False
        try:
            ended = await self._perform(held, try_id, number)
        except OSError as error:
            await self.give_back(UNFIT_SECONDS)
            folder = self.context.folder
            raise UnfitError(f"the work directory ({folder}) can't be used: {error.strerror}") from error
        if ended is not None:
            await self._store(held, ended, try_id)
        return ended is not None

    async def _perform(self, held: HeldJob, try_id: str, number: int) -> JobRecord | None:
        """Returns the record of the ended job; None if another attempt follows, or another worker has the job.

        Raises:
            OSError: the work directory can't be used.
        """
        record, tries = held.record, self.context.limits.tries
        with TemporaryDirectory(dir=self.context.folder, ignore_cleanup_errors=True) as folder:
            job = self.job = RunningJob(self.account, record, self.context, Path(folder), try_id, stop=self.stop)
            self._started = time.perf_counter()
            self.context.observer.started(self.account.name)
            if number > tries:
                return job.aborted(f"The job was given up: {tries} workers that tried it ended without a word.")
            log.info("%s: begun", describe_job(record), extra=self.log_fields)
            try:
                job.work = json.loads(held.work or "")
                return await HANDLERS[record.job_type](job)
            except LeaseLostError:
                self.outcome = LOST
                await self.lease.complete()
                return None
            except PostponedError as error:
                self.outcome = POSTPONED
                await self._postpone(error.seconds)
                return None
            except Exception as error:  # noqa: BLE001  a worker survives every error of a job
                return await self._fail(job, error, 1 if job.has_progressed else number)

    async def _fail(self, job: RunningJob, error: Exception, number: int) -> JobRecord | None:
        """Ends a job whose attempt failed; or hides it until the next attempt, and returns None.

        Raises:
            OSError: the work directory can't be used.
        """
        if isinstance(error, OSError) and error.errno in LOCAL_ERRORS:
            raise error
        tries, reason = self.context.limits.tries, self._describe(error)
        if isinstance(error, FINAL) or (isinstance(error, FetchError) and not error.is_transient):
            return job.aborted(as_sentence(reason))
        log.warning("try %s of %s failed: %s", number, tries, reason, extra=self.log_fields)
        if number >= tries:
            last = as_sentence(reason)
            return job.aborted(f"The job was given up after {tries} tries. The last one failed: {last}")
        await self.lease.release(retry_seconds(number))
        return None

    async def _postpone(self, seconds: float) -> None:
        """Puts the job behind all that wait, by another message. Until this one is deleted, either may be received."""
        await self.account.jobs.release(self.lease.job_id)
        await self.account.queue.enqueue(self.lease.job_id, after=seconds)
        await self.lease.complete()

    async def _store(self, held: HeldJob, ended: JobRecord, try_id: str) -> None:
        """Writes the ended job to its row."""
        self.is_ending = True
        if ended.status is JobStatus.ABORTED and held.try_id and ended.data_source_name:
            # A worker that sleeps in an earlier attempt must not switch versions after this end.
            await self.account.data_sources.bump_etag(ended.data_source_name)
        if not await self.account.jobs.complete(ended, try_id):
            self.outcome = LOST
            return
        self.outcome = ended.status.value
        why = f": {ended.error_message[:MAX_REASON]}" if ended.error_message else ""
        log.info("%s: %s%s", describe_job(ended), ended.status.value, why, extra=self.log_fields)

    def _describe(self, error: Exception) -> str:
        """The reason of a failed attempt, without secrets: an error of another library appears by its type."""
        if isinstance(error, StorageError):
            return f"storage: {error}"
        if isinstance(error, ReadingError) and error.details:
            log.error("the data of a job can't be read", extra=self.log_fields | {"more": error.details})
        if isinstance(error, READABLE):
            return str(error)
        log.error("a job failed", exc_info=error, extra=self.log_fields)
        return f"internal error ({type(error).__name__})"


def retry_seconds(number: int) -> float:
    """The seconds between an attempt, counted from 1, and the next one."""
    return min(MAX_RETRY_SECONDS, RETRY_FACTOR ** (number - 1))


def describe_job(record: JobRecord) -> str:
    """The job in log lines: its type and its data source."""
    return f"{record.job_type} of {record.data_source_name}" if record.data_source_name else str(record.job_type)


def as_sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
