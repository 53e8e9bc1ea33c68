"""Changes of key rows: add, import, revoke, reinstate, prune (keys contract, sections 2 and 4).

A key row is written first, then the change row. What is found already so is announced too: so a repeated command mends
an announcement that was lost.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from adapters.errors import ConflictError, NameTakenError, StorageError
from adapters.model.key_records import ADDED_MANY, KeyRecord
from adapters.model.ticks import PER_SECOND, Ticks, format_ticks
from adapters.sdk_calls import CHANGE_ATTEMPTS, CONFLICT_CODES, back_off, error_code, storage_call, try_call
from adapters.tables.found_keys import found_key
from adapters.tables.key_announcements import announce
from adapters.tables.key_batches import batches, in_parallel, raise_first
from adapters.tables.key_names import KeyNames, is_same_name
from adapters.tables.key_rows import key_partition, write_date, write_key
from adapters.tables.key_table import KEY_ROWS, KeyTable
from adapters.tables.properties import MalformedRowError, Row

RETENTION = timedelta(days=90)
"""How long the row of a revoked key stays."""

# What `write_key` writes where it has a value; a row's other properties are those of other tools and newer versions.
_OWN = frozenset(("Account", "Role", "Name", "DataSources", "ExpiresAt", "CreatedAt", "RevokedAt", "Shadow"))


class KeyChanges:
    """Changes of the rows of the key store.

    Methods raise StorageError where storage can't answer, ConflictError where other writers kept changing the row,
    NameTakenError where another key has the name, and AnnouncementError where the change stands but is not announced.
    """

    def __init__(self, table: KeyTable) -> None:
        self._table = table
        self._names = KeyNames(table)

    async def add(self, record: KeyRecord) -> bool:
        """Adds a key; False where there is one of this digest, revoked or not: its row stays as it is."""
        is_new = await self._row(record.digest) is None and await self.insert(record)
        await announce(self._table, [record.digest])
        return is_new

    async def revoke(self, digest: str) -> bool:
        """Revokes a key and frees its name; False where it was revoked already. The row may be one that can't be read.

        Raises:
            ConflictError: also where there is no such row.
        """

        async def revoke(row: Row) -> bool | None:
            if found_key(row).is_revoked:
                return None
            return await self._merge_revocation(row)

        is_new, row = await self._change(digest, revoke)
        await announce(self._table, [digest])
        if isinstance(name := row.get("Name"), str) and name:
            await self._names.free(name, digest)
        return is_new

    async def reinstate(self, digest: str) -> bool:
        """Takes a revocation back; False where there is none.

        Raises:
            ConflictError: also where there is no such row.
            MalformedRowError: the row can't be read.
        """

        async def reinstate(row: Row) -> bool | None:
            found = found_key(row)
            if not found.is_revoked:
                return None
            if found.record is None:
                raise MalformedRowError(found.problem)
            record = replace(found.record, revoked=None)
            if not await self._write(record, row):
                return False
            await self._confirm_name(record, lambda: self.revoke(digest))
            return True

        is_new, _ = await self._change(digest, reinstate)
        await announce(self._table, [digest])
        return is_new

    async def insert(self, record: KeyRecord) -> bool:
        """Writes the row of a new key, without an announcement; False where there is a row of this digest."""
        if record.name:
            await self._names.take(record.name, record.digest)
        # A transaction of one, since the error of `create_entity` has no code.
        if not await self._try(self._table.writes.submit_transaction([("create", write_key(record))])):
            row = await self._row(record.digest)
            if row is None or found_key(row).record != record:  # else the answer to our own write was lost
                if record.name and (row is None or not is_same_name(row.get("Name"), record.name)):
                    await self._names.free(record.name, record.digest)
                return False
        await self._confirm_name(record, lambda: self._delete(record.digest))
        return True

    async def rewrite(self, record: KeyRecord, row: Row) -> bool:
        """Writes a key in force anew, without an announcement; False where its row has changed since it was read."""
        if not await self._write(record, row):
            return False
        await self._confirm_name(record)
        before = row.get("Name")
        if isinstance(before, str) and before and not is_same_name(before, record.name or ""):
            await self._names.free(before, record.digest)
        return True

    async def prune(self, deleted: Counter[str]) -> None:
        """Deletes the rows of keys that were revoked long ago, and counts them by account in `deleted`."""
        end = Ticks(self._table.reads.clock.now() - int(RETENTION.total_seconds()) * PER_SECOND)
        async for page in self._table.reads.rows(KEY_ROWS, f"RevokedAt lt datetime'{format_ticks(end)}'"):
            for batch in batches(page):
                results = await in_parallel(self._prune_row, batch)
                gone = [str(row.get("Account")) for row, result in zip(batch, results, strict=True) if result is True]
                deleted.update(gone)
                # To a client a key without a row is what a revoked one is; caches only need to forget these.
                await announce(self._table, [ADDED_MANY] if gone else [])
                raise_first(results)

    async def _prune_row(self, row: Row) -> bool:
        digest, name = str(row["RowKey"]), row.get("Name")
        if isinstance(name, str) and name:
            await self._names.free(name, digest)
        return await self._delete(digest, row)

    async def _change(self, digest: str, change: Callable[[Row], Awaitable[bool | None]]) -> tuple[bool, Row]:
        """Changes a row: `change` gives False where another writer was first, None where the row is already so."""
        for attempt in range(CHANGE_ATTEMPTS):
            row = await self._row(digest)
            if row is None:
                raise ConflictError("the key's row is gone")
            if (changed := await change(row)) is not False:
                return changed is True, row
            await back_off(attempt + 1)
        raise ConflictError("other writers kept changing the key's row")

    async def _merge_revocation(self, row: Row) -> bool:
        now = write_date(self._table.reads.clock.now())
        entity = {"PartitionKey": row["PartitionKey"], "RowKey": row["RowKey"], "RevokedAt": now}
        return await self._try(self._table.writes.update_entity(entity, UpdateMode.MERGE, **_unchanged(row)))

    async def _write(self, record: KeyRecord, row: Row) -> bool:
        """Writes a record and its name over a row. Properties that this version does not know stay."""
        if record.name:
            await self._names.take(record.name, record.digest)
        try:
            async with storage_call(self._table.timeout):
                # By the SDK, which writes each property's type as it was read.
                entity = await self._table.writes.get_entity(str(row["PartitionKey"]), record.digest)
        except StorageError as error:
            if error_code(error.__cause__) in CONFLICT_CODES:
                return False
            raise
        others = {name: value for name, value in entity.items() if name not in _OWN}
        write = self._table.writes.update_entity(others | write_key(record), UpdateMode.REPLACE, **_unchanged(row))
        return await self._try(write)

    async def _confirm_name(self, record: KeyRecord, undo: Callable[[], Awaitable[object]] | None = None) -> None:
        """Refuses a write where another key has taken over the name meanwhile, because this process was too slow."""
        if not record.name:
            return
        try:
            await self._names.take(record.name, record.digest)
        except NameTakenError:
            if undo is not None:
                await undo()
            await announce(self._table, [record.digest])
            raise

    async def _row(self, digest: str) -> Row | None:
        return await self._table.reads.row(key_partition(digest), digest)

    async def _delete(self, digest: str, row: Row | None = None) -> bool:
        """Deletes a row; where one is given, only if it has not changed since it was read."""
        condition = {} if row is None else _unchanged(row)
        return await self._try(self._table.writes.delete_entity(key_partition(digest), digest, **condition))

    async def _try(self, write: Awaitable[object]) -> bool:
        return await try_call(write, self._table.timeout, CONFLICT_CODES)


def _unchanged(row: Row) -> dict[str, Any]:
    return {"etag": row["odata.etag"], "match_condition": MatchConditions.IfNotModified}
