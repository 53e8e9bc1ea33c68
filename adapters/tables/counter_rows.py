"""Clean-up of the day counters that `MapsCounter` writes, whether a bound is set now or not."""

import re

from adapters.model.ticks import Ticks, to_datetime
from adapters.sdk_calls import storage_call
from adapters.tables.maps_counter import PARTITION
from adapters.tables.partition_store import PartitionStore
from adapters.tables.reader import KeyRange

_DAY = re.compile(r"[0-9]{8}", re.ASCII)


class CounterRows(PartitionStore):
    """The day counters of one account. Every method raises StorageError where storage can't answer."""

    async def remove_before(self, moment: Ticks) -> None:
        """Deletes the account's counters of all UTC days before that of `moment`."""
        prefix = f"maps:{self._account}:"
        days = KeyRange(PARTITION, prefix, f"{prefix}{to_datetime(moment):%Y%m%d}")
        async for page in self._reads.rows(days):
            for row in page:
                key = str(row["RowKey"])
                if _DAY.fullmatch(key.removeprefix(prefix)):  # an account may be named like "a:1"
                    async with storage_call(self._timeout):
                        await self._writes.delete_entity(PARTITION, key)
