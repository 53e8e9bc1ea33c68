"""Writes many keys: all are looked at before the first row is written, and a hundred new ones are one change."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from adapters.errors import ConflictError, NameTakenError
from adapters.model.key_imports import ImportCounts, ImportOutcome, KeyImport
from adapters.model.key_records import ADDED_MANY, KeyRecord
from adapters.model.ticks import PER_SECOND
from adapters.sdk_calls import CHANGE_ATTEMPTS, back_off
from adapters.tables.found_keys import found_key
from adapters.tables.key_announcements import announce
from adapters.tables.key_batches import batches, in_parallel, raise_first
from adapters.tables.key_changes import KeyChanges
from adapters.tables.key_names import KeyNames, is_same_name
from adapters.tables.key_rows import key_partition
from adapters.tables.key_table import KeyTable
from adapters.tables.properties import Row, read_date, read_timestamp

# Every process reads a key again after this time, announced or not.
FORGOTTEN_SECONDS = 600

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

    async def write(self, counts: ImportCounts, progress: Callable[[int], object]) -> None:
        """Writes what `look` found to be new or changed, and announces it. A revoked key stays revoked.

        Args:
            counts: is added to as keys are written, so that it holds also where the import ends early.
            progress: takes the number of keys of each step.

        Raises:
            NameTakenError: another key got the name meanwhile. What was written before stands.
        """
        for batch in batches(self._plan):
            results = await in_parallel(self._write, batch)
            announced: dict[str, None] = {}
            for (record, _), result in zip(batch, results, strict=True):
                if not isinstance(result, BaseException):
                    outcome, entry = result
                    counts[record.account, outcome] += 1
                    announced |= {entry: None} if entry else {}
            await announce(self._table, list(announced))
            raise_first(results)
            progress(len(batch))

    async def _look(self, record: KeyRecord) -> _Planned:
        row = await self._table.reads.row(key_partition(record.digest), record.digest)
        is_revoked = row is not None and found_key(row).is_revoked
        if record.name and not is_revoked and (row is None or not is_same_name(row.get("Name"), record.name)):
            owner = await self._names.owner(record.name)
            if owner is not None and owner != record.digest:
                raise NameTakenError(record.name, owner)
        return record, row

    async def _write(self, planned: _Planned) -> tuple[ImportOutcome, str]:
        """Writes a key where that is due; returns the outcome, and what to announce."""
        record, row = planned
        for attempt in range(CHANGE_ATTEMPTS):
            if row is None:
                if await self._changes.insert(replace(record, created=self._table.reads.clock.now())):
                    return ImportOutcome.ADDED, ADDED_MANY
            else:
                found = found_key(row)
                if found.is_revoked:
                    return ImportOutcome.REVOKED, ""
                after = self._keys.merge(record, found.record)
                if after == found.record:
                    return ImportOutcome.SAME, record.digest if self._was_changed(row) else ADDED_MANY
                if await self._changes.rewrite(after, row):
                    return ImportOutcome.CHANGED, record.digest
            await back_off(attempt + 1)
            row = await self._table.reads.row(key_partition(record.digest), record.digest)
        raise ConflictError("other writers kept changing the key's row")

    def _was_changed(self, row: Row) -> bool:
        """Whether an older key was changed lately: an interrupted import may not have announced it."""
        lately = self._table.reads.clock.now() - FORGOTTEN_SECONDS * PER_SECOND
        created, written = read_date(row, "CreatedAt", lambda _: None), read_timestamp(row)
        return written is not None and written > lately and (created is None or created < lately)
