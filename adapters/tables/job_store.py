"""The job rows of one account."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from functools import cached_property, partial

from adapters.errors import ConflictError
from adapters.model.job_ids import IdSequence, first_id_at, is_row_id
from adapters.model.jobs import JobRecord, JobStatus
from adapters.model.ticks import Ticks, format_ticks
from adapters.sdk_calls import CHANGE_ATTEMPTS, back_off
from adapters.tables.current_jobs import CurrentJob, read_current_job
from adapters.tables.job_changes import END_OF_JOBS
from adapters.tables.job_history import CLOCK_SKEW, JobHistory
from adapters.tables.job_transactions import (
    LAST_CREATION,
    MAX_RECORDS,
    advance_last_creation,
    create_operations,
    upsert_operations,
)
from adapters.tables.properties import MalformedRowError, Row, read_text
from adapters.tables.reader import KeyRange, RunPage
from adapters.tables.row_keys import Alias, download_alias, is_valid_key, legacy_alias

# Rows of a list that are parsed before other tasks run on the event loop: a few milliseconds.
ROWS_AT_ONCE = 100


class JobStore(JobHistory):
    """Job rows and their aliases in one account's partition.

    Methods raise StorageError where storage can't answer, ConflictError where other writers kept changing a row, and
    MalformedRowError where a row can't be read.
    """

    @cached_property
    def ids(self) -> IdSequence:
        """The ids of new jobs."""
        return IdSequence()

    @cached_property
    def _listed(self) -> dict[object, tuple[Row, JobRecord]]:
        return {}

    async def get(self, job_id: str) -> JobRecord | None:
        """The job of this id or legacy id, in any letter case."""
        key = job_id.lower()
        row = await self._reads.row(self._account, key) if is_row_id(key) else None
        return await self._follow(legacy_alias(job_id)) if row is None else self._read(row)

    async def get_newest_download(self, data_source_name: str) -> JobRecord | None:
        """The newest download job of a data source, its name in any letter case."""
        return await self._follow(download_alias(data_source_name))

    async def list_created_since(self, moment: Ticks, run_page: RunPage | None = None) -> list[JobRecord]:
        """The jobs created at this instant or later, in the order of ids; rows that can't be read are left out.

        `run_page` runs the read of each page, as in `TableReader.rows`.
        """
        first, listed = first_id_at(Ticks(moment - CLOCK_SKEW)), self._listed
        self._listed = {}
        records = []
        async for page in self._reads.rows(KeyRange(self._account, first, END_OF_JOBS), run_page=run_page):
            for number, row in enumerate(page):
                if number % ROWS_AT_ONCE == 0:
                    await asyncio.sleep(0)
                key = row.get("RowKey")
                known, record = listed.get(key, (None, None))
                if record is None or known != row:  # an unchanged row is not parsed again for each list
                    record = self._read_or_skip(row)
                if record is not None:
                    self._listed[key] = row, record
                    if record.created >= moment:
                        records.append(record)
        self.ids.observe((record.row_key for record in records), self._reads.clock.now())
        return records

    async def iterate(self) -> AsyncIterator[JobRecord]:
        """Every job of the account, in the order of ids; rows that can't be read are left out."""
        async for page in self._reads.rows(KeyRange(self._account, "0", END_OF_JOBS)):
            for row in page:
                record = self._read_or_skip(row)
                if record is not None:
                    yield record

    async def iterate_current(self, first: Ticks, moment: Ticks) -> AsyncGenerator[CurrentJob]:
        """The unfinished jobs, and those that were aborted at `moment` or later, the oldest first.

        Args:
            first: jobs that were created earlier are left out.
            moment: an aborted job that does not say when it ended counts from its creation.
        """
        where = CurrentJob.WHERE.format(moment=format_ticks(moment))
        async for page in self._reads.rows(
            KeyRange(self._account, first_id_at(first), END_OF_JOBS), where, CurrentJob.SELECT
        ):
            for row in page:
                job = read_current_job(row, partial(self._warn, row))
                is_late = job is not None and (job.ended or job.created) >= moment
                if job is not None and (is_late or job.status is JobStatus.PENDING):
                    yield job

    async def upsert(self, records: Sequence[JobRecord]) -> None:
        """Writes job rows with their aliases, over rows of the same id.

        A row and its aliases are one transaction, so that no reader sees one without the other.
        """
        for start in range(0, len(records), MAX_RECORDS):
            await self._upsert(records[start : start + MAX_RECORDS])

    async def get_last_creation(self) -> str:
        """The ETag of the row that each creation changes; empty before the first."""
        row = await self._reads.row(self._account, LAST_CREATION)
        return "" if row is None else str(row["odata.etag"])

    async def create(self, record: JobRecord, work: str, after: str | None = None) -> None:
        """Writes a new job row with its work text, and makes a download its data source's newest, in one transaction.

        Args:
            record: the job.
            work: what its worker must know, at most 32,768 characters; opaque here.
            after: what `get_last_creation` returned: no other job may have been created since then.

        Raises:
            ConflictError: there is a row of this id, another job was created since, or other writers kept changing the
                same download alias. Nothing was written.
        """
        for attempt in range(CHANGE_ATTEMPTS):
            aliases = await self._download_aliases([record])
            batch = create_operations(self._account, record, work, aliases)
            if after is not None:
                batch.append(advance_last_creation(self._account, record.row_key, after))
            if await self._try(self._writes.submit_transaction(batch)):
                return
            row = await self._reads.row(self._account, record.row_key)
            if row is not None and row.get("Work") == work:
                return  # an attempt whose response was lost has written it
            if row is not None:
                raise ConflictError("there is a job of this id")
            if after is not None:
                raise ConflictError("another job was created meanwhile")
            await back_off(attempt + 1)
        raise ConflictError("other writers kept changing a download alias")

    async def get_with_payload(self, job_id: str) -> tuple[JobRecord, str | None] | None:
        """The job of this id, and the work text that it was created with; None where there is no row."""
        row = await self._reads.row(self._account, job_id)
        return None if row is None else (self._read(row), read_text(row, "Work", lambda text: self._warn(row, text)))

    async def delete_all(self) -> None:
        """Deletes every row of the account, aliases too. For sample data only."""
        async for page in self._reads.rows(KeyRange(self._account, "", "\x7f")):
            for row in page:
                await self._writes.delete_entity(self._account, row["RowKey"])

    async def _upsert(self, records: Sequence[JobRecord]) -> None:
        for _ in range(CHANGE_ATTEMPTS):
            aliases = await self._download_aliases(records)
            batch = upsert_operations(self._account, records, aliases)
            if await self._try(self._writes.submit_transaction(batch)):
                return
        raise ConflictError("other writers kept changing a download alias")

    async def _download_aliases(self, records: Sequence[JobRecord]) -> dict[str, Alias]:
        keys = {download_alias(record.data_source_name) for record in records if record.is_named_download()}
        rows = {key: await self._reads.row(self._account, key) for key in keys}
        return {key: Alias(row.get("JobId"), row["odata.etag"]) for key, row in rows.items() if row is not None}

    async def _follow(self, alias: str) -> JobRecord | None:
        pointer = await self._reads.row(self._account, alias) if is_valid_key(alias) else None
        if pointer is None:
            return None
        job_id = pointer.get("JobId")
        row = await self._reads.row(self._account, job_id) if isinstance(job_id, str) and is_row_id(job_id) else None
        if row is None:
            self._warn(pointer, "alias points at no row")
            return None
        return self._read(row)

    def _read_or_skip(self, row: Row) -> JobRecord | None:
        try:
            return self._read(row)
        except MalformedRowError:
            return None  # logged already; one bad row never hides the others
