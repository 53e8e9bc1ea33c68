"""What operators changed: rows of the table `audit`, partition `{account}:{YYYYMM}` (operations contract, section 1).

| property | type | |
|---|---|---|
| `RowKey` | | a UUIDv7, so that rows are in the order of time |
| `Who` | string | who changed something |
| `What` | string | the operation |
| `On` | string | what was changed |
| `Before`, `After` | string | what it was and what it is, where that says something |
"""

import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from adapters.errors import StorageError, StorageErrorCode
from adapters.model.job_ids import created_at, first_id_at, first_id_from, is_job_id, new_job_id
from adapters.model.ticks import FIRST, Ticks, from_datetime, to_datetime
from adapters.sdk_calls import storage_call
from adapters.tables.backward_scan import scan_backwards
from adapters.tables.partition_store import PartitionStore
from adapters.tables.properties import Row, read_text
from adapters.tables.reader import KeyRange, PartitionRange

TABLE = "audit"

MAX_CHARACTERS = 2000
"""The longest text of a property."""

BATCH = 250
"""Changes that one read returns at most."""

_MONTH = re.compile(r"[0-9]{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change. `when` and `id` are read only, never written: the row's id holds the time."""

    who: str
    what: str
    on: str
    before: str = ""
    after: str = ""
    when: Ticks = FIRST
    id: str = field(default="", compare=False)


class AuditRows(PartitionStore):
    """The changes of one account. Every method raises StorageError where storage can't answer."""

    async def write(self, entry: AuditEntry) -> None:
        """Writes a change that was made just now, and creates the table where it is missing."""
        now = self._reads.clock.now()
        row = {
            "PartitionKey": f"{self._account}:{_month_of(now)}",
            "RowKey": new_job_id(now),
            "Who": entry.who[:MAX_CHARACTERS],
            "What": entry.what[:MAX_CHARACTERS],
            "On": entry.on[:MAX_CHARACTERS],
            "Before": entry.before[:MAX_CHARACTERS],
            "After": entry.after[:MAX_CHARACTERS],
        }
        try:
            await self._create(row)
        except StorageError as error:
            if error.code is not StorageErrorCode.NO_TABLE:
                raise
            await self.create_table()
            await self._create(row)

    async def list_since(self, moment: Ticks) -> list[AuditEntry]:
        """The changes since this moment, the oldest first."""
        found = await self._list(_month_of(moment), f"RowKey ge '{first_id_at(moment)}'")
        return sorted(map(_read, found), key=lambda entry: entry.when)

    async def iterate_newest(self, first: str, end: str) -> AsyncGenerator[Sequence[AuditEntry], None]:
        """The changes from one id up to but without another, the newest first, up to BATCH at a time."""
        stop = int(end, 16)
        for month in _months(created_at(first), created_at(end)):
            start = max(int(first, 16), int(first_id_at(month), 16))
            read = partial(self._read_window, _month_of(month))
            width = max(1, stop - start)
            async for batch in scan_backwards(read, lambda each: first_id_from(each.id), (start, stop), width, BATCH):
                yield batch
            stop = start

    async def _read_window(self, month: str, start: int, end: int) -> tuple[Sequence[AuditEntry], bool]:
        """The first changes of a window of ids, and whether these are all."""
        keys, found = KeyRange(f"{self._account}:{month}", f"{start:032x}", f"{end:032x}"), list[Row]()
        try:
            async for page in self._reads.rows(keys, top=BATCH + 1):
                found += page
                if len(found) > BATCH:
                    return [*map(_read, found[:BATCH])], False
        except StorageError as error:
            if error.code is not StorageErrorCode.NO_TABLE:
                raise
        return [*map(_read, found)], True

    async def remove_before(self, moment: Ticks) -> None:
        """Deletes the changes before this moment."""
        for row in await self._list("", f"RowKey lt '{first_id_at(moment)}'", f"{_month_of(moment)}~"):
            async with storage_call(self._timeout):
                await self._writes.delete_entity(row["PartitionKey"], row["RowKey"])

    async def _create(self, row: dict[str, str]) -> None:
        async with storage_call(self._timeout):  # a transaction of one, since the error of `create_entity` has no code
            await self._writes.submit_transaction([("create", row)])

    async def _list(self, first_month: str, where: str, end_month: str = "~") -> Sequence[Row]:
        """The account's rows of these months; a missing table has none."""
        prefix, found = f"{self._account}:", list[Row]()
        months = PartitionRange(f"{prefix}{first_month}", f"{prefix}{end_month}")
        try:
            async for page in self._reads.rows(months, where):
                # Another account's name may begin like this one.
                found += [row for row in page if _MONTH.fullmatch(row["PartitionKey"].removeprefix(prefix))]
        except StorageError as error:
            if error.code is not StorageErrorCode.NO_TABLE:
                raise
        return found


def _month_of(moment: Ticks) -> str:
    date = to_datetime(moment)
    return f"{date.year:04}{date.month:02}"


def _months(first: Ticks, last: Ticks) -> Iterator[Ticks]:
    """The starts of the months that have these moments and of those between, the newest first."""
    month = to_datetime(last).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while True:
        yield from_datetime(month)
        if from_datetime(month) <= first:
            return
        month = (month - timedelta(days=1)).replace(day=1)


def _read(row: Row) -> AuditEntry:
    def ignore(_: str) -> None:
        """Ignores warnings about such a row."""

    def text(name: str) -> str:
        return read_text(row, name, ignore) or ""

    key = str(row["RowKey"])
    when = created_at(key) if is_job_id(key) else FIRST
    return AuditEntry(text("Who"), text("What"), text("On"), text("Before"), text("After"), when, key)
