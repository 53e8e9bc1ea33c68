"""The rows that count the items of past days (operations contract, section 1): `maps_counter` writes them."""

import re
from datetime import date

from adapters.sdk_calls import storage_call
from adapters.tables.maps_counter import PARTITION
from adapters.tables.partition_store import PartitionStore
from adapters.tables.reader import KeyRange

_DAY = re.compile(r"[0-9]{8}")


class CounterRows(PartitionStore):
    """An account's counters of all days. Every method raises StorageError where storage can't answer."""

    async def remove_before(self, day: date) -> None:
        """Deletes the counters of days before this one."""
        prefix = f"maps:{self._account}:"
        old = KeyRange(PARTITION, prefix, f"{prefix}{day:%Y%m%d}")
        keys = [str(row["RowKey"]) async for page in self._reads.rows(old) for row in page]
        for key in keys:
            if _DAY.fullmatch(key.removeprefix(prefix)):  # another account's name may begin like this one
                async with storage_call(self._timeout):
                    await self._writes.delete_entity(PARTITION, key)
