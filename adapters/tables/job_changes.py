"""Changes of a stored job row: confirm, claim, report progress, release, finish."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from adapters.errors import ConflictError, StorageError
from adapters.instrumentation import UNSEEN, StorageObserver
from adapters.model.jobs import JobRecord, JobStatus
from adapters.model.status_aliases import status_of
from adapters.sdk_calls import CONFLICTS, TRIES, error_code, storage_call, wait_before
from adapters.tables.job_rows import UNCONFIRMED, counts, read_row, write_row
from adapters.tables.leased_jobs import RELEASED, Claim, HeldJob, WaitingJob, held_job, waiting_job
from adapters.tables.properties import MalformedRowError, Row
from adapters.tables.reader import KeyRange, TableReader
from adapters.tables.row_warnings import RowWarnings

# Job rows have hex ids and alias rows begin with this word: every job row up to the year 6429 sorts before it.
END_OF_JOBS = "alias:"


class JobChanges:
    """Changes of job rows in one account's partition, each of them conditional on the row as it was read.

    Every method raises StorageFaultError where storage can't answer.
    """

    def __init__(
        self, account: str, reads: TableReader, writes: TableClient, seconds: float, watch: StorageObserver = UNSEEN
    ) -> None:
        """`seconds` is the longest that one write may take."""
        self._account = account
        self._reads = reads
        self._writes = writes
        self._seconds = seconds
        self._remark = RowWarnings(account)
        self._watch = watch

    async def confirm(self, record: JobRecord, work: str) -> bool:
        """Takes the mark of an unconfirmed job away; False where the job has ended meanwhile, or is gone.

        It may be done again.

        Raises:
            ConflictError: other writers kept changing the row.
        """
        whole = write_row(self._account, replace(record, unconfirmed=False)) | {"Work": work}
        return await self._change(
            record.row_key, whole, lambda row: row.get(UNCONFIRMED) is True or None, UpdateMode.REPLACE
        )

    async def get_held(self, job_id: str) -> HeldJob | None:
        """The job of this id as a worker looks at it; None where there is no row.

        Raises:
            MalformedRowError: there is such a row, but it can't be read.
        """
        row = await self._reads.row(self._account, job_id)
        return None if row is None else held_job(row, self._read(row), lambda text: self._remark(row, text))

    async def list_waiting(self, first: str, end: str = END_OF_JOBS) -> list[WaitingJob]:
        """The jobs that workers have still to do, of ids from `first` up to but without `end`, in the order of ids.

        A job without a work text was written by somebody else, who will also finish it.
        """
        keys, found = KeyRange(self._account, first, end), []
        async for page in self._reads.rows(keys, WaitingJob.WHERE, WaitingJob.SELECT):
            found += [waiting_job(row, partial(self._remark, row)) for row in page]
        return found

    async def claim(self, held: HeldJob, claim: Claim) -> bool:
        """Begins a try of a job; False where its row has changed since it was read.

        From then on no other message of the job counts, and no earlier try.
        """
        return await self._update(held.record.row_key, claim.properties(), held.etag)

    async def release(self, job_id: str) -> None:
        """Lets any message of an unfinished job count.

        Raises:
            ConflictError: other writers kept changing the row.
        """
        await self._merge(job_id, RELEASED)

    async def update_progress(
        self, job_id: str, total: int, processed: int, failed: int, try_id: str | None = None
    ) -> None:
        """Writes the counts of a job under way; a finished job, or one that is gone, stays as it is.

        With a `try_id`, nothing is written where another try counts by now.

        Raises:
            ConflictError: other writers kept changing the row.
        """
        await self._merge(job_id, counts(total, processed, failed), try_id)

    async def complete(self, record: JobRecord, try_id: str | None = None) -> bool:
        """Writes all of a record over its row, which keeps its work text and whatever the record has no value for.

        Who finishes a job first is believed: a finished job, or one that is gone, stays as it is; with a `try_id`, also
        one of which another try counts by now. Gives whether the record was written.

        Raises:
            ConflictError: other writers kept changing the row.
        """
        return await self._merge(record.row_key, write_row(self._account, record), try_id)

    async def _merge(self, job_id: str, properties: Mapping[str, Any], try_id: str | None = None) -> bool:
        """Writes over an unfinished job's row; False where it is finished or gone, or another try counts."""
        return await self._change(job_id, properties, lambda row: try_id is None or row.get("Try") == try_id)

    async def _change(
        self,
        job_id: str,
        properties: Mapping[str, Any],
        is_due: Callable[[Row], bool | None],
        mode: UpdateMode = UpdateMode.MERGE,
    ) -> bool:
        """Changes an unfinished job's row where that is due; whether it is changed, as None for done already is."""
        for attempt in range(TRIES):
            row = await self._reads.row(self._account, job_id)
            if row is None or status_of(str(row.get("Status"))) not in {JobStatus.PENDING, None}:
                return False
            due = is_due(row)
            if not due:
                return due is None
            if await self._update(job_id, properties, row["odata.etag"], mode):
                return True
            await wait_before(attempt + 1)
        raise ConflictError("other writers kept changing the job's row")

    async def _update(
        self, job_id: str, properties: Mapping[str, Any], etag: str, mode: UpdateMode = UpdateMode.MERGE
    ) -> bool:
        """Whether the row was still as it was read."""
        entity = {**properties, "PartitionKey": self._account, "RowKey": job_id}
        unchanged = MatchConditions.IfNotModified
        try:
            async with storage_call(self._seconds):
                await self._writes.update_entity(entity, mode, etag=etag, match_condition=unchanged)
        except StorageError as fault:
            if error_code(fault.__cause__) in CONFLICTS:
                return False
            raise
        return True

    def _read(self, row: Row) -> JobRecord:
        try:
            return read_row(row, lambda text: self._remark(row, text))
        except MalformedRowError as error:
            if self._remark(row, f"row can't be shown: {error}"):
                self._watch.malformed()
            raise MalformedRowError(f"row {row.get('RowKey')} can't be shown: {error}") from None
