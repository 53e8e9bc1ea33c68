"""The table `usage` of one account: hours by process, and days that hours are summed into.

An hour must count once in its day, though any number of workers sum at once and each may die at any point. So the row
of a day says which hours it has, and is changed by ETag. The rows of an hour are deleted only after that. A worker
reads the rows of the hour first and then the day: where it read too few, because another one was deleting them, the day
has the hour already.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import EdmType, EntityProperty, UpdateMode

from adapters.errors import ConflictError, StorageError, StorageErrorCode
from adapters.model.ticks import Ticks
from adapters.model.usage import DIGEST_DIGITS, Usage, day_of, hour_of
from adapters.sdk_calls import CHANGE_ATTEMPTS, back_off, storage_call
from adapters.tables.key_batches import batches
from adapters.tables.partition_store import PartitionStore
from adapters.tables.properties import Row
from adapters.tables.reader import KeyRange, PartitionRange
from adapters.tables.usage_rows import read_hours, read_usage, write_usage

TABLE = "usage"

_HOUR = re.compile(r"\d{8}(?:[01]\d|2[0-3])", re.ASCII)
_DAY_DIGITS = 8

_Operation = tuple[str, dict[str, Any]] | tuple[str, dict[str, Any], dict[str, Any]]


class UsageStore(PartitionStore):
    """The usage rows of one account. Every method raises StorageError where storage can't answer."""

    async def write(self, hour: str, process: str, usages: Sequence[Usage]) -> None:
        """Writes what a process has counted in an hour so far, over what it wrote of these keys before.

        Creates the table where it is missing.

        Args:
            hour: the hour, as `hour_of` names it.
            process: the process, in characters that a row key may hold.
            usages: at most 100 keys.
        """
        partition = self._hour_partition(hour)
        rows = [write_usage(partition, f"{usage.digest}:{process}", usage) for usage in usages]
        operations = [("upsert", row, {"mode": UpdateMode.REPLACE}) for row in rows]
        try:
            await self._submit(operations)
        except StorageError as error:
            if error.code is not StorageErrorCode.NO_TABLE:
                raise
            await self.create_table()
            await self._submit(operations)

    async def iterate(self) -> AsyncIterator[Usage]:
        """Every day and then every hour of every key; an hour that is in its day does not come again.

        Nothing where there is no table.
        """
        summed: dict[str, int] = {}
        async for row in self._rows(KeyRange(self._day_partition)):
            summed[row["RowKey"]] = read_hours(row)
            if (usage := read_usage(row, row["RowKey"][_DAY_DIGITS + 1 :])) is not None:
                yield usage
        async for row in self._rows(PartitionRange(self._hour_partition("0"), self._hour_partition(":"))):
            hour, usage = self._hour_of_row(row), self._read_hour(row)
            if hour is not None and usage is not None:
                day, bit = _split(hour)
                if not summed.get(f"{day}:{usage.digest}", 0) & bit:
                    yield usage

    async def iterate_hour(self, hour: str) -> AsyncGenerator[Usage]:
        """Every key's requests in an hour, one for each process that counted. Nothing where there is no table."""
        async for row in self._rows(KeyRange(self._hour_partition(hour))):
            if (usage := self._read_hour(row)) is not None:
                yield usage

    async def hours_before(self, moment: Ticks) -> AsyncIterator[tuple[str, list[Row]]]:
        """The rows of each hour before that of a moment, the oldest hour first. Nothing where there is no table."""
        hour, rows = "", list[Row]()
        keys = PartitionRange(self._hour_partition("0"), self._hour_partition(hour_of(moment)))
        async for row in self._rows(keys):
            if (found := self._hour_of_row(row)) is None:
                continue
            if found != hour and rows:
                yield hour, rows
                rows = []
            hour = found
            rows.append(row)
        if rows:
            yield hour, rows

    async def add_to_day(self, hour: str, rows: Iterable[Row]) -> None:
        """Adds the rows of an hour, all that it has, to the sums of its day. An hour that a sum has is not added again.

        Raises:
            ConflictError: other writers were first each time.
        """
        sums: dict[str, Usage] = {}
        for row in rows:
            if (usage := self._read_hour(row)) is None:
                continue
            if (known := sums.get(usage.digest)) is None:
                sums[usage.digest] = usage
            else:
                known.add(usage)
        for digests in batches(sorted(sums)):
            await self._add(hour, {digest: sums[digest] for digest in digests})

    async def remove(self, rows: Sequence[Row]) -> None:
        """Deletes rows of one partition, also those that another worker is deleting."""
        for batch in batches(rows):
            keys = [{"PartitionKey": row["PartitionKey"], "RowKey": row["RowKey"]} for row in batch]
            if not await self._try(self._writes.submit_transaction([("delete", key) for key in keys])):
                for key in keys:  # one of them is gone already, which refuses the whole transaction
                    await self._try(self._writes.delete_entity(key["PartitionKey"], key["RowKey"]))

    async def remove_days_before(self, moment: Ticks) -> None:
        """Deletes the days before that of a moment."""
        async for page in self._pages(KeyRange(self._day_partition, "0", day_of(moment))):
            await self.remove(page)

    async def _add(self, hour: str, sums: Mapping[str, Usage]) -> None:
        """Adds an hour of at most 100 keys to their day, in one transaction."""
        day, bit = _split(hour)
        keys = KeyRange(self._day_partition, f"{day}:{min(sums)}", f"{day}:{max(sums)};")
        for attempt in range(CHANGE_ATTEMPTS):
            before = {row["RowKey"]: row async for row in self._rows(keys)}
            operations = []
            for digest, usage in sums.items():
                row = before.get(f"{day}:{digest}")
                if row is None or not read_hours(row) & bit:
                    operations.append(self._day_operation(f"{day}:{digest}", bit, usage, row))
            if not operations or await self._try(self._writes.submit_transaction(operations)):
                return
            await back_off(attempt + 1)
        raise ConflictError("other writers kept changing the sums of a day")

    def _day_operation(self, row_key: str, bit: int, usage: Usage, row: Row | None) -> _Operation:
        known = None if row is None else read_usage(row, usage.digest)
        if known is None:
            known = usage
        else:
            known.add(usage)
        hours = EntityProperty(bit if row is None else read_hours(row) | bit, EdmType.INT32)
        entity = write_usage(self._day_partition, row_key, known) | {"Hours": hours}
        if row is None:
            return "create", entity
        condition = {"etag": row["odata.etag"], "match_condition": MatchConditions.IfNotModified}
        return "update", entity, {"mode": UpdateMode.REPLACE, **condition}

    async def _submit(self, operations: Sequence[_Operation]) -> None:
        async with storage_call(self._timeout):
            await self._writes.submit_transaction(operations)

    async def _rows(self, keys: KeyRange | PartitionRange) -> AsyncIterator[Row]:
        async for page in self._pages(keys):
            for row in page:
                yield row

    async def _pages(self, keys: KeyRange | PartitionRange) -> AsyncIterator[list[dict[str, Any]]]:
        try:
            async for page in self._reads.rows(keys):
                yield page
        except StorageError as error:
            if error.code is not StorageErrorCode.NO_TABLE:
                raise

    def _read_hour(self, row: Row) -> Usage | None:
        """The usage of an hour; None for the rows of other accounts in the range, and of other programs."""
        return None if self._hour_of_row(row) is None else read_usage(row, str(row["RowKey"])[:DIGEST_DIGITS])

    def _hour_of_row(self, row: Row) -> str | None:
        """The hour of a row; None where the row is of an account with a longer name."""
        hour = str(row["PartitionKey"]).removeprefix(self._hour_partition(""))
        return hour if _HOUR.fullmatch(hour) else None

    def _hour_partition(self, hour: str) -> str:
        return f"{self._account}:{hour}"

    @property
    def _day_partition(self) -> str:
        return f"{self._account}:day"


def _split(hour: str) -> tuple[str, int]:
    """The day of an hour, and the bit of the hour in that day."""
    return hour[:_DAY_DIGITS], 1 << int(hour[_DAY_DIGITS:])
