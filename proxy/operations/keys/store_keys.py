"""The keys of a key store."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TypeVar

from adapters.errors import StorageError, StorageErrorCode
from adapters.model.key_imports import ImportCounts, KeyImport
from adapters.model.key_records import FoundKey, KeyRecord
from adapters.tables.found_keys import find_keys, find_named_keys, found_key
from adapters.tables.key_changes import KeyChanges
from adapters.tables.key_import import KeyImporter
from adapters.tables.key_rows import key_partition
from adapters.tables.key_table import KeyTable, UnreadableKey
from adapters.tables.properties import MalformedRowError
from proxy.keyring.keyring import hash_key
from proxy.operations.errors import OperationError
from proxy.operations.keys.errors import NewKeyError
from proxy.operations.keys.holder import Progress
from proxy.operations.keys.lines import shown

# Names that are shown of those that an import can't have.
SHOWN_NAMES = 10

_Result = TypeVar("_Result")


class StoreKeys:
    """The keys in the table of a key store."""

    def __init__(self, table: KeyTable) -> None:
        self._table = table
        self._changes = KeyChanges(table)

    async def iterate(self) -> AsyncIterator[FoundKey]:
        """All keys in the order of digests, a page in memory at a time."""
        async for key in self._table.list_keys():
            yield _found(key)

    async def iterate_account(self, account: str, after: str = "") -> AsyncGenerator[FoundKey, None]:
        """The keys of an account in the order of digests, a page in memory at a time."""
        async for key in self._table.list_account_keys(account, after):
            yield _found(key)

    async def get(self, digest: str) -> FoundKey | None:
        """The key of this digest."""
        row = await self._table.reads.row(key_partition(digest), digest)
        return None if row is None else found_key(row)

    async def find(self, prefix: str) -> list[FoundKey]:
        """The keys of digests that begin with this text."""
        return await find_keys(self._table, prefix)

    async def find_named(self, name: str) -> list[FoundKey]:
        """The keys with this name, in any letter case; those in force, if there are any."""
        return await find_named_keys(self._table, name)

    async def add(self, record: KeyRecord, in_clear: str | None) -> str:  # noqa: ARG002 - refused before
        """Adds a key; makes the table where it is missing.

        Raises:
            NewKeyError: the name is a key.
            OperationError: the key is there already, revoked or not; its row stays as it is and is announced again.
        """
        if record.name and await self._is_key(record.name):
            raise NewKeyError("name", "is a key of the key store, and would be shown")
        if await self._with_table(lambda: self._changes.add(record)):
            return ""
        found = await self.get(record.digest)
        is_revoked = found is not None and found.is_revoked
        hint = f", revoked; `keys reinstate {shown(record.digest)}` takes that back" if is_revoked else ""
        raise OperationError(f"the key store has this key already{hint}")

    async def revoke(self, found: FoundKey) -> bool:
        """Revokes a key; False where it was revoked already."""
        return await self._changes.revoke(found.digest)

    async def reinstate(self, found: FoundKey) -> bool:
        """Takes a revocation back; False where there is none."""
        try:
            return await self._changes.reinstate(found.digest)
        except MalformedRowError as error:
            raise OperationError(f"{shown(found.digest)} can't be read: {error}") from None

    async def put(self, keys: KeyImport, counts: ImportCounts, progress: Progress) -> None:
        """Adds and changes keys, all of them looked at before the first is written; makes the table if missing.

        Raises:
            OperationError: other keys have names of the import; nothing was written.
        """
        importer, total = KeyImporter(self._table, keys), len(keys.records)
        with progress("looking up", total) as step:
            taken = await self._with_table(lambda: importer.look(step))
        if taken:
            more = f"\nand {len(taken) - SHOWN_NAMES} more" if len(taken) > SHOWN_NAMES else ""
            raise OperationError("\n".join([*map(str, taken[:SHOWN_NAMES])]) + f"{more}\nnothing was written")
        with progress("writing", total) as step:
            await importer.write(counts, step)

    async def prune(self, deleted: Counter[str]) -> None:
        """Deletes the rows of keys that were revoked more than 90 days ago."""
        await self._changes.prune(deleted)

    async def _is_key(self, text: str) -> bool:
        found = await self._with_table(lambda: self.get(hash_key(text.encode()).hex()))
        return found is not None

    async def _with_table(self, work: Callable[[], Awaitable[_Result]]) -> _Result:
        try:
            return await work()
        except StorageError as error:
            if error.code is not StorageErrorCode.NO_TABLE:
                raise
        await self._table.create()
        return await work()


def _found(key: KeyRecord | UnreadableKey) -> FoundKey:
    if isinstance(key, KeyRecord):
        return FoundKey(key.digest, key, is_revoked=key.revoked is not None)
    return FoundKey(key.row_key, None, key.problem, key.is_revoked)
