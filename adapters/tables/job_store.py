"""The job rows of one account."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from azure.core.exceptions import ResourceExistsError
from azure.data.tables.aio import TableClient

from adapters.errors import ConflictError, StorageError, error_from_exception
from adapters.instrumentation import UNSEEN, StorageObserver
from adapters.model.job_ids import IdSequence, first_id_at, is_row_id
from adapters.model.jobs import JobRecord
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.sdk_calls import CONFLICTS, TRIES, error_code, storage_call, wait_before
from adapters.tables.job_changes import END_OF_JOBS, JobChanges
from adapters.tables.job_transactions import (
    LAST_CREATION,
    TRANSACTION_RECORDS,
    Operation,
    creation,
    next_creation,
    operations,
)
from adapters.tables.properties import MalformedRowError, Row, text_of
from adapters.tables.reader import Ask, KeyRange, TableReader
from adapters.tables.row_keys import Alias, download_alias, is_key, legacy_alias

# Rows of a list that are read before others have their turn on the event loop: a few milliseconds.
ROWS_AT_ONCE = 100

# A row's id carries its writer's clock, CreatedDate may carry another's; the range reaches back a little further.
CLOCK_SKEW = Ticks(3600 * PER_SECOND)


class JobStore(JobChanges):
    """Job rows and their aliases in one account's partition.

    Every method raises StorageFaultError where storage can't answer.
    """

    def __init__(
        self, account: str, reads: TableReader, writes: TableClient, seconds: float, watch: StorageObserver = UNSEEN
    ) -> None:
        """`seconds` is the longest that one write may take."""
        super().__init__(account, reads, writes, seconds, watch)
        self.ids = IdSequence()
        self._listed: dict[object, tuple[Row, JobRecord]] = {}

    async def job(self, job_id: str) -> JobRecord | None:
        """The job of this id, its own or the one it had at Bing, in any letter case.

        Raises:
            MalformedRowError: there is such a row, but it can't be read.
        """
        key = job_id.lower()
        row = await self._reads.row(self._account, key) if is_row_id(key) else None
        if row is not None:
            return self._read(row)
        alias = legacy_alias(job_id)
        return await self._follow(alias) if is_key(alias) else None

    async def newest_download(self, data_source_name: str) -> JobRecord | None:
        """The newest download job of a data source, its name in any letter case.

        Raises:
            MalformedRowError: there is such a row, but it can't be read.
        """
        alias = download_alias(data_source_name)
        return await self._follow(alias) if is_key(alias) else None

    async def created_since(self, moment: Ticks, ask: Ask | None = None) -> list[JobRecord]:
        """The jobs created at this instant or later, in the order of ids; rows that can't be read are left out.

        `ask` reads each page, as `TableReads.rows` takes it.
        """
        first, listed = first_id_at(Ticks(moment - CLOCK_SKEW)), self._listed
        self._listed = {}
        records = []
        async for page in self._reads.rows(KeyRange(self._account, first, END_OF_JOBS), ask=ask):
            for number, row in enumerate(page):
                if number % ROWS_AT_ONCE == 0:
                    await asyncio.sleep(0)
                key = row.get("RowKey")
                known, record = listed.get(key, (None, None))
                if record is None or known != row:  # what a row says is worked out once, not once for each list
                    record = self._read_or_pass(row)
                if record is not None:
                    self._listed[key] = row, record
                    if record.created >= moment:
                        records.append(record)
        self.ids.see((record.row_key for record in records), self._reads.clock.now())
        return records

    def all(self) -> AsyncIterator[JobRecord]:
        """Every job of the account, in the order of their ids; rows that can't be read are left out."""
        return self._range("0")

    async def put(self, records: Sequence[JobRecord]) -> None:
        """Writes job rows with their aliases, over rows of the same id.

        A row and its aliases are one transaction, so that no reader sees one without the other.

        Raises:
            ConflictError: other writers kept changing the same download alias.
        """
        for start in range(0, len(records), TRANSACTION_RECORDS):
            await self._put_once(records[start : start + TRANSACTION_RECORDS])

    async def last_creation(self) -> str:
        """The ETag of the row that each creation changes; empty before the first."""
        row = await self._reads.row(self._account, LAST_CREATION)
        return "" if row is None else str(row["odata.etag"])

    async def create(self, record: JobRecord, work: str, after: str | None = None) -> None:
        """Writes a new job row with what its worker must know, and makes a download its data source's newest.

        It is one transaction.

        Args:
            record: the job.
            work: a text of at most 32,768 characters, opaque here.
            after: what `last_creation` gave: no other job may have been created since then.

        Raises:
            ConflictError: there is a row of this id, another job was created since, or other writers kept changing the
                same download alias. Nothing was written.
        """
        for attempt in range(TRIES):
            aliases = await self._download_aliases([record])
            batch = creation(self._account, record, work, aliases)
            if after is not None:
                batch.append(next_creation(self._account, record.row_key, after))
            if await self._transact(batch):
                return
            row = await self._reads.row(self._account, record.row_key)
            if row is not None and row.get("Work") == work:
                return  # it was written by a try whose answer was lost
            if row is not None:
                raise ConflictError("there is a job of this id")
            if after is not None:
                raise ConflictError("another job was created meanwhile")
            await wait_before(attempt + 1)
        raise ConflictError("other writers kept changing a download alias")

    async def get_with_payload(self, job_id: str) -> tuple[JobRecord, str | None] | None:
        """The job of this id as it is now, and the work text that it was created with; None where there is no row.

        Raises:
            MalformedRowError: there is such a row, but it can't be read.
        """
        row = await self._reads.row(self._account, job_id)
        return None if row is None else (self._read(row), text_of(row, "Work", lambda text: self._remark(row, text)))

    async def create_table(self) -> None:
        """Creates the jobs table where it is missing."""
        try:
            await self._writes.create_table()
        except ResourceExistsError:
            pass
        except Exception as error:  # the SDK's errors have no common class of their own
            raise error_from_exception(error) from error

    async def clear(self) -> None:
        """Deletes every row of the account, aliases too. For sample data only."""
        async for page in self._reads.rows(KeyRange(self._account, "", "\x7f")):
            for row in page:
                await self._writes.delete_entity(self._account, row["RowKey"])

    async def ping(self) -> None:
        """Asks for a row that does not exist: whether the table answers."""
        await self._reads.row(self._account, "reach")

    async def close(self) -> None:
        """Closes the connections."""
        await self._reads.close()
        await self._writes.close()

    async def _put_once(self, records: Sequence[JobRecord]) -> None:
        for _ in range(TRIES):
            aliases = await self._download_aliases(records)
            if await self._transact(operations(self._account, records, aliases)):
                return
        raise ConflictError("other writers kept changing a download alias")

    async def _download_aliases(self, records: Sequence[JobRecord]) -> dict[str, Alias]:
        keys = {download_alias(record.data_source_name) for record in records if record.is_named_download()}
        rows = {key: await self._reads.row(self._account, key) for key in keys}
        return {key: Alias(row.get("JobId"), row["odata.etag"]) for key, row in rows.items() if row is not None}

    async def _transact(self, batch: list[Operation]) -> bool:
        try:
            async with storage_call(self._seconds):
                await self._writes.submit_transaction(batch)
        except StorageError as fault:
            if error_code(fault.__cause__) in CONFLICTS:
                return False
            raise
        return True

    async def _range(self, first: str) -> AsyncIterator[JobRecord]:
        async for page in self._reads.rows(KeyRange(self._account, first, END_OF_JOBS)):
            for row in page:
                record = self._read_or_pass(row)
                if record is not None:
                    yield record

    async def _follow(self, alias: str) -> JobRecord | None:
        pointer = await self._reads.row(self._account, alias)
        if pointer is None:
            return None
        job_id = pointer.get("JobId")
        row = await self._reads.row(self._account, job_id) if isinstance(job_id, str) and is_row_id(job_id) else None
        if row is None:
            self._remark(pointer, "alias points at no row")
            return None
        return self._read(row)

    def _read_or_pass(self, row: Row) -> JobRecord | None:
        try:
            return self._read(row)
        except MalformedRowError:
            return None  # told in the log; one bad row never hides the others
