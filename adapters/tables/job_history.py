"""Reads of job rows for operators: by page, in both directions, and whole rows with what is wrong with them."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from adapters.model.job_ids import MAX_CLOCK_LEAD, first_id_at, first_id_from, is_row_id
from adapters.model.jobs import JobRecord
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.tables.backward_scan import END_OF_IDS, scan_backwards
from adapters.tables.job_changes import END_OF_JOBS, JobChanges
from adapters.tables.leased_jobs import HeldJob, read_held_job
from adapters.tables.properties import MalformedRowError, Row
from adapters.tables.reader import KeyRange
from adapters.tables.row_keys import behind, is_valid_key, legacy_alias

# A row's id holds its writer's clock, CreatedDate may hold another's; ranges reach a little further.
CLOCK_SKEW = Ticks(3600 * PER_SECOND)

BATCH = 250
"""Rows that one read returns at most."""

# Ticks by which the clock of a machine that counts as right may be ahead.
CLOCK_TOLERANCE = 60 * PER_SECOND

# The first window. Ids have a millisecond in their first 48 of 128 bits.
_TEN_MINUTES = 600 * 1000 << 80

# Every property that a record has, and so not the work text, which is up to 64 KB.
_SELECT = (
    "RowKey,JobType,Status,CreatedDate,CompletedDate,DataSourceName,AccessId,Description,ErrorMessage,"
    "TotalEntityCount,ProcessedEntityCount,FailedEntityCount,OutputBlob,FailedBlob,LegacyId,Unconfirmed"
)


@dataclass(frozen=True, slots=True)
class BrokenJob:
    """A job's row that can't be read, and why."""

    row_key: str
    problem: str


ListedJob = JobRecord | BrokenJob


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job's row as it is, and the job that it holds; `problem` says why it holds none."""

    row: Row
    held: HeldJob | None
    problem: str = ""


class JobHistory(JobChanges):
    """Reads of job rows in one account's partition. Methods raise StorageError where storage can't answer."""

    async def get_stored(self, job_id: str) -> StoredJob | None:
        """The row of this id; None where there is none."""
        row = await self._reads.row(self._account, job_id) if is_row_id(job_id) else None
        if row is None:
            return None
        try:
            return StoredJob(row, read_held_job(row, self._read(row), partial(self._warn, row)))
        except MalformedRowError as error:
            return StoredJob(row, None, _problem_of(row, error))

    async def find_id(self, job_id: str) -> str | None:
        """The id of the row that has this id or legacy id, in any letter case, also where the row can't be read."""
        keys, alias = [job_id.lower()], legacy_alias(job_id)
        pointer = await self._reads.row(self._account, alias) if is_valid_key(alias) else None
        if pointer is not None:
            keys.append(str(pointer.get("JobId")))
        for key in keys:
            if is_row_id(key) and await self._reads.row(self._account, key) is not None:
                return key
        return None

    async def list_between(self, first: str, end: str, most: int) -> tuple[list[ListedJob], bool]:
        """The first jobs of a range of keys, in their order.

        Args:
            first: the first key.
            end: the key behind the last one.
            most: the number of jobs at most.

        Returns:
            The jobs, and whether these are all.
        """
        rows: list[Row] = []
        keys = KeyRange(self._account, first, min(end, END_OF_JOBS))
        async for page in self._reads.rows(keys, select=_SELECT, top=most + 1):
            rows += page
            if len(rows) > most:
                return [self._read_or_describe(row) for row in rows[:most]], False
        return [self._read_or_describe(row) for row in rows], True

    async def iterate_newest(self, first: str, end: str | None) -> AsyncGenerator[Sequence[ListedJob], None]:
        """The jobs of a range, the newest first, a batch of up to BATCH at a time.

        Args:
            first: the first id.
            end: the key behind the last one; None: to the last.
        """

        async def read(start: int, stop: int) -> tuple[Sequence[ListedJob], bool]:
            return await self.list_between(_as_id(start), min(_as_id(stop), end or END_OF_JOBS), BATCH)

        low, high, now = int(first, 16), first_id_from(end or END_OF_JOBS), self._reads.clock.now()
        # Few ids are ahead of the clock, if any. Beyond a day lie those that no machine's clock made.
        ahead = [int(first_id_at(Ticks(now + lead)), 16) for lead in (MAX_CLOCK_LEAD, CLOCK_TOLERANCE)]
        bounds = [high, *(each for each in ahead if low < each < high), low]
        for stop, start in pairwise(bounds):
            width = _TEN_MINUTES if start == low else stop - start
            async for batch in scan_backwards(
                read, lambda job: first_id_from(job.row_key), (start, stop), width, BATCH
            ):
                yield batch

    async def iterate_oldest(self, first: str, end: str | None) -> AsyncGenerator[Sequence[ListedJob], None]:
        """The same from any key on, the oldest first."""
        is_whole = False
        while not is_whole:
            found, is_whole = await self.list_between(first, end or END_OF_JOBS, BATCH)
            if found:
                yield found
                first = behind(found[-1].row_key)

    def _read_or_describe(self, row: Row) -> ListedJob:
        try:
            return self._read(row)
        except MalformedRowError as error:
            return BrokenJob(str(row.get("RowKey")), _problem_of(row, error))


def _problem_of(row: Row, error: MalformedRowError) -> str:
    return str(error).removeprefix(f"row {row.get('RowKey')} can't be shown: ")


def _as_id(number: int) -> str:
    """A number as 32 hex digits; what is behind the last id sorts behind all of them."""
    return f"{number:032x}" if number < END_OF_IDS else END_OF_JOBS
