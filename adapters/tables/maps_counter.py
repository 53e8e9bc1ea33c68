"""The items that an account asked of Azure Maps on one UTC day: a row for all processes (operations contract, 1).

| property | type | |
|---|---|---|
| `PartitionKey` | | `~counters` |
| `RowKey` | | `maps:{account}:{YYYYMMDD}` |
| `Items` | Int64 | items asked, or taken by a process that is about to ask them |
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import EdmType, EntityProperty, UpdateMode
from azure.data.tables.aio import TableClient

from adapters.errors import StorageError, StorageErrorCode
from adapters.maps.errors import MapsError, MapsFailure
from adapters.model.ticks import to_datetime
from adapters.sdk_calls import CHANGE_ATTEMPTS, back_off
from adapters.tables.partition_store import PartitionStore
from adapters.tables.properties import Row, read_count
from adapters.tables.reader import TableReader

PARTITION = "~counters"
Operation = tuple[str, dict[str, Any]] | tuple[str, dict[str, Any], dict[str, Any]]
LARGEST_STEP = 100
_STEPS_OF_A_DAY = 100


class MapsCounter(PartitionStore):
    """Counts an account's items in steps, so that not each call writes a row. Days are those of storage's clock.

    Methods raise StorageError where storage can't answer, and where other processes were first each time.
    """

    def __init__(self, account: str, reads: TableReader, writes: TableClient, timeout: float, most: int) -> None:
        """`most` is the largest number of items of one day, for all processes together."""
        super().__init__(account, reads, writes, timeout)
        self.most = most
        self._step = max(1, min(LARGEST_STEP, most // _STEPS_OF_A_DAY))
        self._day, self._left = "", 0
        """The day that items were last taken of, and how many of those are not asked yet."""
        self._lock = asyncio.Lock()

    async def take(self, items: int) -> None:
        """Counts items before they are asked.

        Raises:
            MapsError: DAY_BOUND, they are too many, and none is counted.
        """
        # A caller whose deadline comes while the row is written must not take the rest of a step with it.
        await asyncio.shield(self._take(items))

    async def give_back(self) -> None:
        """Gives back what was taken and not asked."""
        async with self._lock:
            rest, self._left = self._left, 0
            if rest and self._day == _day_of(self._now()):
                await self._change(lambda used: max(0, used - rest))

    async def count(self) -> int:
        """The items counted today by all processes."""
        row = await self._reads.row(PARTITION, self._row_key(_day_of(self._now())))
        return 0 if row is None else read_count(row, "Items", partial(self._warn, row))

    async def _take(self, items: int) -> None:
        async with self._lock:
            now = self._now()
            if (day := _day_of(now)) != self._day:
                self._day, self._left = day, 0
            missing = items - self._left
            if missing > 0:
                step = -(-missing // self._step) * self._step
                taken, left = await self._take_step(missing, step)
                if taken < missing:
                    raise _day_is_over(now, self.most, left + self._left)
                self._left += taken
            self._left -= items

    async def _take_step(self, least: int, wanted: int) -> tuple[int, int]:
        """Adds up to `wanted` items to the row. Returns those taken, 0 where fewer than `least` are left, and those."""
        left = 0

        def add(used: int) -> int:
            nonlocal left
            left = max(0, self.most - used)
            return used if left < least else used + min(wanted, left)

        taken = await self._change(add)
        return taken, left

    async def _change(self, change: Callable[[int], int]) -> int:
        """Changes the day's count by ETag. Returns by how much."""
        key = self._row_key(self._day)
        for attempt in range(CHANGE_ATTEMPTS):
            row = await self._reads.row(PARTITION, key)
            before = 0 if row is None else read_count(row, "Items", partial(self._warn, row))
            after = change(before)
            if after == before:
                return 0
            entity = {"PartitionKey": PARTITION, "RowKey": key, "Items": EntityProperty(after, EdmType.INT64)}
            if await self._try(self._writes.submit_transaction([_operation(entity, row)])):
                return after - before
            await back_off(attempt + 1)
        raise StorageError(StorageErrorCode.OVERLOADED, "other processes kept changing the day's count of items")

    def _row_key(self, day: str) -> str:
        return f"maps:{self._account}:{day}"

    def _now(self) -> datetime:
        return to_datetime(self._reads.clock.now())


def _operation(entity: dict[str, Any], row: Row | None) -> Operation:
    """Creates the row, or changes it as it was read. In a transaction: `create_entity` has no error code."""
    if row is None:
        return "create", entity
    condition = {"etag": row["odata.etag"], "match_condition": MatchConditions.IfNotModified}
    return "update", entity, {"mode": UpdateMode.MERGE, **condition}


def _day_of(moment: datetime) -> str:
    return f"{moment:%Y%m%d}"


def _day_is_over(now: datetime, most: int, left: int) -> MapsError:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return MapsError(
        MapsFailure.DAY_BOUND,
        f"{left} of the {most} items of this UTC day are left, too few for the call",
        retry_after=(midnight - now).total_seconds(),
        items_left=left,
    )
