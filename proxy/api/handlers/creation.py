"""Creates a job so that its row, its queue message and the answer agree, whatever storage does meanwhile."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from adapters.account import AccountStorage
from adapters.blobs.store import BLOCK_SECONDS
from adapters.errors import ConflictError, StorageError, StorageErrorCode
from adapters.model.jobs import BlobPath, JobRecord, JobStatus
from adapters.model.ticks import Ticks, from_datetime
from adapters.sdk_calls import TRIES, wait_before
from adapters.tables.properties import MalformedRowError
from proxy.api.context import CallContext

NOT_CREATED = "The job was not handed to a worker, and its caller was told so. Create it again."

# Faults after which storage has certainly written nothing. After any other the outcome is unknown.
NOTHING_WRITTEN = frozenset(
    (StorageErrorCode.REJECTED, StorageErrorCode.ACCESS_DENIED, StorageErrorCode.NO_TABLE, StorageErrorCode.OVERLOADED)
)

# Seconds for which a job is looked for that must be ended, with waits that double from the first to the last one.
UNDO_SECONDS = 60.0
UNDO_WAITS = (0.25, 8.0)

# Seconds that a caller waits for that.
PATIENCE = 1.0

Plan = Callable[[], Awaitable[tuple[JobRecord, Mapping[str, Any]]]]
"""Judges whether the account may create the job now, and gives its record and its work; raises WireError if not."""


def now() -> Ticks:
    """This moment."""
    return from_datetime(datetime.now(UTC))


async def create_job(caller: CallContext, plan: Plan, upload: BlobPath | None = None) -> JobRecord:
    """Creates the job that `plan` gives, or none: what fails half-way is ended, after the answer if need be.

    The states of a job that is created; each step is one write, and the caller is told 201 after the last one only:

    - planned: no row, no message. The row is written if no other job of the account was created since the plan began,
      else it is planned again: so limits hold over all processes.
    - unconfirmed: a Pending row with a mark. The message is sent, then the mark is taken away, if the row is still as
      it was. Whoever fails in between ends the job; where that fails too, or the process dies, the sweep ends it after
      a minute. A worker that takes the message puts it back.
    - confirmed: a Pending row without a mark, and a message. A worker does the job.
    - ended: Aborted, with a reason. Whoever takes the message throws it away.

    An unknown outcome is looked up in the row, whose id is the job's alone. The upload is deleted where no row can
    refer to it: none was written, or the job is ended. Else it is left to the sweep.

    Raises:
        WireError: the plan refuses.
        StorageFaultError: storage could not answer, or not in time.
    """
    creation = _Creation(caller.account, upload)
    try:
        return await creation.run(plan)
    except BaseException as error:
        undoing = caller.shielded_tasks.begin(creation.undo())
        if not isinstance(error, asyncio.CancelledError):  # else the time is up, and it goes on after the answer
            await asyncio.wait({undoing}, timeout=PATIENCE)
        raise


class _Creation:
    def __init__(self, account: AccountStorage, upload: BlobPath | None) -> None:
        self._account = account
        self._upload = upload
        self.unknown: JobRecord | None = None
        """The job that may have a row."""

    async def run(self, plan: Plan) -> JobRecord:
        account, guard = self._account, self._account.creation_guard
        async with account.creating:
            record, work = await self._write(plan)
        # What this process remembers of the account does not know of the new job.
        account.job_cache.invalidate(record)
        await guard.call(lambda: account.queue.enqueue(record.row_key))
        try:
            confirmed = await self._confirm(record, work)
        except StorageError:  # the first may have been written and its answer lost
            confirmed = await self._confirm(record, work)
        if not confirmed:
            raise StorageError(StorageErrorCode.OVERLOADED, "the job was ended before it was confirmed")
        return record

    async def _write(self, plan: Plan) -> tuple[JobRecord, str]:
        jobs, guard = self._account.jobs, self._account.creation_guard
        for attempt in range(TRIES):
            after = await guard.call(jobs.last_creation)
            planned, members = await plan()
            record = replace(planned, unconfirmed=True)
            # What is not ASCII stands as it is, for an escape takes six times its room in the row.
            work = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
            self.unknown = record
            try:
                await guard.call(lambda record=record, work=work, after=after: jobs.create(record, work, after))  # type: ignore[misc]  # defaults bind them
            except ConflictError:
                self.unknown = None
                await wait_before(attempt + 1)
                continue
            except StorageError as fault:
                if fault.fault in NOTHING_WRITTEN:
                    self.unknown = None
                    raise
                if await guard.call(lambda record=record: jobs.get_with_payload(record.row_key)) is None:  # type: ignore[misc]  # the same
                    raise
            return record, work
        raise StorageError(StorageErrorCode.OVERLOADED, "others kept creating jobs of the account")

    async def _confirm(self, record: JobRecord, work: str) -> bool:
        jobs = self._account.jobs
        try:
            return await self._account.creation_guard.call(lambda: jobs.confirm(record, work))
        except ConflictError as error:
            raise StorageError(StorageErrorCode.OVERLOADED, str(error)) from None

    async def undo(self) -> None:
        """Ends the job if it has a row, and deletes the upload if no row needs it; retries for a minute."""
        wait, longest = UNDO_WAITS
        with suppress(TimeoutError):
            async with asyncio.timeout(UNDO_SECONDS):
                while not await self._undone():
                    await asyncio.sleep(wait)
                    wait = min(longest, 2 * wait)

    async def _undone(self) -> bool:
        record, jobs = self.unknown, self._account.jobs
        try:
            if record is not None:
                if await jobs.get_with_payload(record.row_key) is None:
                    return False  # a write that storage has not done yet may still come
                ended = replace(record, status=JobStatus.ABORTED, completed=now(), error_message=NOT_CREATED)
                await jobs.complete(ended)
                self._account.job_cache.invalidate(record)
        except (StorageError, ConflictError, MalformedRowError):
            return False
        await self.discard()
        return True

    async def discard(self) -> None:
        """Deletes the upload. If that fails too, the sweep deletes the unreferenced blob."""
        if self._upload is not None:
            with suppress(StorageError, TimeoutError):
                async with asyncio.timeout(BLOCK_SECONDS):
                    await self._account.blobs.delete(self._upload)
