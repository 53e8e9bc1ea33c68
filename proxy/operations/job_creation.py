"""Creates jobs: the account's quotas, then a row and a queue message that agree, whatever storage does."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from adapters.account import AccountStorage
from adapters.blobs.blocks import BLOCK_SECONDS
from adapters.errors import ConflictError, StorageError, StorageErrorCode
from adapters.model.data_sources import DataSource
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import Ticks, from_datetime
from adapters.sdk_calls import CHANGE_ATTEMPTS, back_off
from adapters.tables.properties import MalformedRowError
from proxy.settings import Settings
from proxy.wire.errors import ApiError, ErrorCode

DAY = timedelta(hours=24)

NOT_CREATED = "The job was not handed to a worker, and its caller was told so. Create it again."

# Errors after which storage has certainly written nothing. After any other the outcome is unknown.
NOTHING_WRITTEN = frozenset(
    (StorageErrorCode.REJECTED, StorageErrorCode.ACCESS_DENIED, StorageErrorCode.NO_TABLE, StorageErrorCode.OVERLOADED)
)

# Seconds for which an unconfirmed job is looked for and ended, with waits that double from the first to the last one.
UNDO_SECONDS = 60.0
UNDO_WAITS = (0.25, 8.0)

# Seconds of that for which the caller waits.
UNDO_PATIENCE = 1.0

Payload = Mapping[str, Any]
"""What the worker of a job does, as JSON."""

Plan = Callable[[], Awaitable[tuple[JobRecord, Payload]]]
"""Checks whether the account may create the job now, and builds its record and payload; raises ApiError if not."""


StartTask = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
"""Starts a task."""


def now() -> Ticks:
    """This moment."""
    return from_datetime(datetime.now(UTC))


async def recent_jobs(account: AccountStorage) -> list[JobRecord]:
    """The account's jobs of the last 24 hours without imported ones, which the quotas count.

    They come from storage, not from the cache: a job created a moment ago counts.
    """
    since = from_datetime(datetime.now(UTC) - DAY)
    jobs = await account.creation_breaker.call(lambda: account.jobs.list_created_since(since))
    return [job for job in jobs if job.legacy_id is None]


def enforce_quotas(jobs: list[JobRecord], settings: Settings, uploads: int = 0) -> None:
    """Raises ApiError where the account may not create another job. `uploads` counts its jobs without a row yet."""
    if len(jobs) >= settings.max_jobs_per_day:
        raise ApiError(ErrorCode.TOO_MANY_JOBS_TODAY, values={"limit": settings.max_jobs_per_day})
    if sum(job.status is JobStatus.PENDING for job in jobs) + uploads >= settings.max_active_jobs:
        raise ApiError(ErrorCode.TOO_MANY_ACTIVE_JOBS, values={"limit": settings.max_active_jobs})


async def data_source(account: AccountStorage, name: str) -> DataSource | None:
    """The data source of this name, in any letter case."""
    return await account.data_source_breaker.call(lambda: account.data_sources.get(name))


async def ensure_not_deleting(
    account: AccountStorage, source: DataSource | None, name: str, jobs: list[JobRecord]
) -> None:
    """Raises ApiError while a delete job of the whole data source has not completed."""
    if source is not None and source.deleting is not None:
        raise ApiError(ErrorCode.BEING_DELETED)
    for job in jobs:
        is_waiting = job.job_type is JobType.DELETE and job.status is JobStatus.PENDING
        if is_waiting and (job.data_source_name or "").lower() == name.lower():
            found = await account.creation_breaker.call(partial(account.jobs.get_with_payload, job.row_key))
            if found is not None and not _deletes_staged_only(found[1]):
                raise ApiError(ErrorCode.BEING_DELETED)


def _deletes_staged_only(payload: str | None) -> bool:
    # Other programs write rows too: one without such a payload counts as a delete job of the whole data source.
    with suppress(ValueError, AttributeError, RecursionError):
        return bool(json.loads(payload or "").get("staging"))
    return False


async def create_job(
    account: AccountStorage, plan: Plan, start: StartTask = asyncio.create_task, upload: BlobPath | None = None
) -> JobRecord:
    """Creates the planned job, or none: one that fails half-way is ended, after the response if need be.

    A new job has these states. Each step is one write, and the caller gets its 201 after the last one only:

    - planned: no row, no message. The row is written if no other job of the account was created since the plan began;
      otherwise the job is planned again. So quotas hold over all processes.
    - unconfirmed: a Pending row with a mark. The message is sent, then the mark is removed, if the row is unchanged. A
      process that fails in between ends the job; where that fails too, the cleanup ends it after a minute. A worker
      that receives the message puts it back.
    - confirmed: a Pending row without a mark, and a message. A worker does the job.
    - ended: Aborted, with a reason. A worker that receives the message discards it.

    An unknown outcome is looked up in the row, whose id is the job's alone. The upload is deleted where no row can
    refer to it. Otherwise the cleanup deletes it.

    Args:
        account: the account.
        plan: plans the job.
        start: starts what ends a job that failed half-way, as a task that may outlive this call.
        upload: the blob of the job's data.

    Returns:
        The job.

    Raises:
        ApiError: the plan refuses.
        StorageError: storage could not answer, or not in time.
    """
    creation = _Creation(account, upload)
    try:
        return await creation.run(plan)
    except BaseException as error:
        undoing = start(creation.undo())
        if not isinstance(error, asyncio.CancelledError):  # else the time is up, and it goes on after the response
            await asyncio.wait({undoing}, timeout=UNDO_PATIENCE)
        raise


class _Creation:
    def __init__(self, account: AccountStorage, upload: BlobPath | None) -> None:
        self._account = account
        self._jobs = account.jobs
        self._call = account.creation_breaker.call
        self._upload = upload
        self._uncertain: JobRecord | None = None
        """The job that may have a row."""

    async def run(self, plan: Plan) -> JobRecord:
        async with self._account.creation_lock:
            record, payload = await self._write(plan)
        # The cached reads of this process do not have the new job.
        self._account.job_cache.invalidate(record)
        await self._call(lambda: self._account.queue.enqueue(record.row_key))
        try:
            is_confirmed = await self._confirm(record, payload)
        except StorageError:  # the first may have been written and its response lost
            is_confirmed = await self._confirm(record, payload)
        if not is_confirmed:
            raise StorageError(StorageErrorCode.OVERLOADED, "the job was ended before it was confirmed")
        return record

    async def _write(self, plan: Plan) -> tuple[JobRecord, str]:
        for attempt in range(CHANGE_ATTEMPTS):
            after = await self._call(self._jobs.get_last_creation)
            planned, members = await plan()
            self._uncertain = record = replace(planned, unconfirmed=True)
            # Without ASCII escapes, which take six times the room in the row.
            payload = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
            try:
                await self._call(partial(self._jobs.create, record, payload, after))
            except ConflictError:
                self._uncertain = None
                await back_off(attempt + 1)
                continue
            except StorageError as error:
                if error.code in NOTHING_WRITTEN:
                    self._uncertain = None
                    raise
                if await self._call(partial(self._jobs.get_with_payload, record.row_key)) is None:
                    raise
            return record, payload
        raise StorageError(StorageErrorCode.OVERLOADED, "others kept creating jobs of the account")

    async def _confirm(self, record: JobRecord, payload: str) -> bool:
        try:
            return await self._call(lambda: self._jobs.confirm(record, payload))
        except ConflictError as error:
            raise StorageError(StorageErrorCode.OVERLOADED, str(error)) from None

    async def undo(self) -> None:
        """Ends the job if it has a row, and deletes the upload if no row needs it; retries for UNDO_SECONDS."""
        wait, longest = UNDO_WAITS
        with suppress(TimeoutError):
            async with asyncio.timeout(UNDO_SECONDS):
                while not await self._try_undo():
                    await asyncio.sleep(wait)
                    wait = min(longest, 2 * wait)

    async def _try_undo(self) -> bool:
        record = self._uncertain
        try:
            if record is not None:
                if await self._jobs.get_with_payload(record.row_key) is None:
                    return False  # a write under way in storage may still take effect
                ended = replace(record, status=JobStatus.ABORTED, completed=now(), error_message=NOT_CREATED)
                await self._jobs.complete(ended)
                self._account.job_cache.invalidate(record)
        except (StorageError, ConflictError, MalformedRowError):
            return False
        if self._upload is not None:
            with suppress(StorageError, TimeoutError):  # the cleanup deletes what is left
                async with asyncio.timeout(BLOCK_SECONDS):
                    await self._account.blobs.delete(self._upload)
        return True
