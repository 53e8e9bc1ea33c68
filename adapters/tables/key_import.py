"""Writes many keys: all are looked at before the first row is written, and a hundred new ones are one change."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from adapters.errors import ConflictError, NameTakenError
from adapters.model.key_imports import ImportOutcome, KeyImport
from adapters.model.key_records import ADDED_MANY, KeyRecord
from adapters.sdk_calls import CHANGE_ATTEMPTS, back_off
from adapters.tables.found_keys import found_key
from adapters.tables.key_announcements import announce
from adapters.tables.key_batches import batches, in_parallel, raise_first
from adapters.tables.key_changes import KeyChanges
from adapters.tables.key_names import KeyNames, is_same_name
from adapters.tables.key_rows import key_partition
from adapters.tables.key_table import KeyTable
from adapters.tables.properties import Row

_Planned = tuple[KeyRecord, Row | None]
"""A key to import, and the row that was there."""


class KeyImporter:
    """Imports keys into the key store. May be repeated: a key that is so already is counted, and announced again."""

    def __init__(self, table: KeyTable, keys: KeyImport) -> None:
        self._table = table
        self._changes = KeyChanges(table)
        self._names = KeyNames(table)
        self._keys = keys
        self._plan: list[_Planned] = []

    async def look(self, progress: Callable[[int], object]) -> Sequence[NameTakenError]:
        """Reads what is there. Returns the names that another key has; then nothing should be written."""
        taken: list[NameTakenError] = []
        for batch in batches(self._keys.records):
            results = await in_parallel(self._look, batch)
            raise_first(result for result in results if not isinstance(result, NameTakenError))
            taken += [result for result in results if isinstance(result, NameTakenError)]
            self._plan += [result for result in results if not isinstance(result, BaseException)]
            progress(len(batch))
        return taken

    async def write(self, progress: Callable[[int], object]) -> Counter[ImportOutcome]:
        """Writes what `look` found to be new or changed, and announces it. A revoked key stays revoked.

        Raises:
            NameTakenError: another key got the name meanwhile. What was written before stands.
        """
        total: Counter[ImportOutcome] = Counter()
        for batch in batches(self._plan):
            results = await in_parallel(self._write, batch)
            outcomes = [(record.digest, result) for (record, _), result in zip(batch, results, strict=True)]
            counted = Counter(result for _, result in outcomes if isinstance(result, ImportOutcome))
            changed = [digest for digest, result in outcomes if result is ImportOutcome.CHANGED]
            # Also for those that an interrupted import has added, and has not announced.
            is_new = counted[ImportOutcome.ADDED] or counted[ImportOutcome.SAME]
            await announce(self._table, [*changed, ADDED_MANY] if is_new else changed)
            raise_first(results)
            total += counted
            progress(len(batch))
        return total

    async def _look(self, record: KeyRecord) -> _Planned:
        row = await self._table.reads.row(key_partition(record.digest), record.digest)
        is_revoked = row is not None and found_key(row).is_revoked
        if record.name and not is_revoked and (row is None or not is_same_name(row.get("Name"), record.name)):
            owner = await self._names.owner(record.name)
            if owner is not None and owner != record.digest:
                raise NameTakenError(record.name, owner)
        return record, row

    async def _write(self, planned: _Planned) -> ImportOutcome:
        record, row = planned
        for attempt in range(CHANGE_ATTEMPTS):
            if row is None:
                if await self._changes.insert(replace(record, created=self._table.reads.clock.now())):
                    return ImportOutcome.ADDED
            else:
                found = found_key(row)
                if found.is_revoked:
                    return ImportOutcome.REVOKED
                after = self._keys.merge(record, found.record)
                if after == found.record:
                    return ImportOutcome.SAME
                if await self._changes.rewrite(after, row):
                    return ImportOutcome.CHANGED
            await back_off(attempt + 1)
            row = await self._table.reads.row(key_partition(record.digest), record.digest)
        raise ConflictError("other writers kept changing the key's row")
