"""Changes of a stored job row: confirm, claim, report progress, release, finish."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from adapters.errors import ConflictError
from adapters.model.jobs import JobRecord, JobStatus
from adapters.model.status_aliases import parse_status
from adapters.model.ticks import Ticks, format_ticks
from adapters.sdk_calls import CHANGE_ATTEMPTS, back_off
from adapters.tables.ended_outputs import EndedOutputs, read_ended_outputs
from adapters.tables.job_rows import UNCONFIRMED, count_properties, read_job, write_job
from adapters.tables.leased_jobs import FORGIVEN, RELEASED, Claim, HeldJob, WaitingJob, read_held_job, read_waiting_job
from adapters.tables.partition_store import PartitionStore
from adapters.tables.properties import MalformedRowError, Row
from adapters.tables.reader import KeyRange

# Job rows have hex ids and alias rows begin with this word: every job row up to the year 6429 sorts before it.
END_OF_JOBS = "alias:"


class JobChanges(PartitionStore):
    """Changes of job rows in one account's partition, each of them conditional on the row as it was read.

    Methods raise StorageError where storage can't answer, ConflictError where other writers kept changing the row, and
    MalformedRowError where a row can't be read.
    """

    async def confirm(self, record: JobRecord, work: str) -> bool:
        """Removes the mark of an unconfirmed job; False where the job has ended or is gone. May be repeated."""
        whole = write_job(self._account, replace(record, unconfirmed=False)) | {"Work": work}
        return await self._change(
            record.row_key, whole, lambda row: row.get(UNCONFIRMED) is True or None, UpdateMode.REPLACE
        )

    async def get_held(self, job_id: str) -> HeldJob | None:
        """The job of this id with its claim; None where there is no row."""
        row = await self._reads.row(self._account, job_id)
        return None if row is None else read_held_job(row, self._read(row), partial(self._warn, row))

    async def list_waiting(self, first: str, end: str = END_OF_JOBS) -> list[WaitingJob]:
        """The unfinished jobs of workers, of ids from `first` up to but without `end`, in the order of ids.

        A job without a work text belongs to another program, which also finishes it.
        """
        keys, found = KeyRange(self._account, first, end), []
        async for page in self._reads.rows(keys, WaitingJob.WHERE, WaitingJob.SELECT):
            found += [read_waiting_job(row, partial(self._warn, row)) for row in page]
        return found

    async def claim(self, held: HeldJob, claim: Claim) -> bool:
        """Begins an attempt of a job; False where its row has changed since it was read.

        From then on all other messages and earlier attempts of the job are void.
        """
        return await self._update(held.record.row_key, claim.properties(), held.etag)

    async def release(self, job_id: str) -> None:
        """Makes any message of an unfinished job valid again."""
        await self._merge(job_id, RELEASED)

    async def void_attempts(self, job_id: str, name: str) -> bool:
        """Makes every attempt of an unfinished job void that has begun, in favour of one of this new name.

        Returns:
            False where the job has ended or is gone.
        """
        return await self._merge(job_id, {"Try": name})

    async def restart(self, held: HeldJob) -> bool:
        """Makes an ended job unfinished again, as it was created; False where its row has changed since it was read.

        Any message may claim it then, and no earlier attempt counts any more.
        """
        record = replace(held.record, status=JobStatus.PENDING, completed=None, error_message=None, unconfirmed=False)
        record = replace(record, total=0, processed=0, failed=0, output_blob=None, failed_blob=None)
        row = write_job(self._account, record) | {"Work": held.work}
        return await self._update(record.row_key, row, held.etag, UpdateMode.REPLACE)

    async def list_ended_outputs(self, before: Ticks) -> list[EndedOutputs]:
        """The jobs that ended before this moment and have outputs, or had some that may not be deleted yet."""
        found = []
        where = EndedOutputs.WHERE.format(format_ticks(before))
        async for page in self._reads.rows(KeyRange(self._account, "0", END_OF_JOBS), where, EndedOutputs.SELECT):
            found += [read_ended_outputs(row, partial(self._warn, row)) for row in page]
        return found

    async def drop_outputs(self, ended: EndedOutputs) -> bool:
        """Clears the outputs in a job's row, where `Dropped` names them until `forget_outputs`.

        Returns:
            False where the row has changed since it was read.
        """
        return await self._update(ended.row_key, ended.dropped(), ended.etag)

    async def forget_outputs(self, job_id: str) -> None:
        """Notes that the outputs that were dropped are deleted."""
        entity = {"PartitionKey": self._account, "RowKey": job_id, "Dropped": ""}
        await self._try(self._writes.update_entity(entity, UpdateMode.MERGE))

    async def forgive_attempts(self, job_id: str, try_id: str) -> None:
        """Counts no attempt of an unfinished job any more, if this attempt is the valid one."""
        await self._merge(job_id, FORGIVEN, try_id)

    async def update_progress(
        self, job_id: str, total: int, processed: int, failed: int, try_id: str | None = None
    ) -> None:
        """Writes the counts of an unfinished job. With a `try_id`, only while that attempt is the valid one."""
        await self._merge(job_id, count_properties(total, processed, failed), try_id)

    async def complete(self, record: JobRecord, try_id: str | None = None) -> bool:
        """Writes a record over the row of an unfinished job; properties without a value there stay, also the work text.

        Returns:
            Whether the record was written. It is not where the job is finished or gone, or where another attempt than
            `try_id` is the valid one.
        """
        return await self._merge(record.row_key, write_job(self._account, record), try_id)

    async def _merge(self, job_id: str, properties: Mapping[str, Any], try_id: str | None = None) -> bool:
        return await self._change(job_id, properties, lambda row: try_id is None or row.get("Try") == try_id)

    async def _change(
        self,
        job_id: str,
        properties: Mapping[str, Any],
        is_due: Callable[[Row], bool | None],
        mode: UpdateMode = UpdateMode.MERGE,
    ) -> bool:
        """Changes an unfinished job's row.

        Args:
            job_id: the row's key.
            properties: what is written.
            is_due: whether the change is to be made to this row; None where the row has it already.
            mode: merges with the row or replaces it.

        Returns:
            Whether the row has the change.
        """
        for attempt in range(CHANGE_ATTEMPTS):
            row = await self._reads.row(self._account, job_id)
            if row is None or parse_status(str(row.get("Status"))) not in {JobStatus.PENDING, None}:
                return False
            due = is_due(row)
            if not due:
                return due is None
            if await self._update(job_id, properties, row["odata.etag"], mode):
                return True
            await back_off(attempt + 1)
        raise ConflictError("other writers kept changing the job's row")

    async def _update(
        self, job_id: str, properties: Mapping[str, Any], etag: str, mode: UpdateMode = UpdateMode.MERGE
    ) -> bool:
        entity = {**properties, "PartitionKey": self._account, "RowKey": job_id}
        unchanged = MatchConditions.IfNotModified
        return await self._try(self._writes.update_entity(entity, mode, etag=etag, match_condition=unchanged))

    def _read(self, row: Row) -> JobRecord:
        try:
            return read_job(row, partial(self._warn, row))
        except MalformedRowError as error:
            if self._warn(row, f"row can't be shown: {error}"):
                self._observer.malformed_row()
            raise MalformedRowError(f"row {row.get('RowKey')} can't be shown: {error}") from None
