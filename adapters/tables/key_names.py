"""The name rows of the key store: a name belongs to one key at most (keys contract, section 2).

A name row is written before the row of its key, so a writer that stops in between leaves a name row without a key.
Another writer may take over such a name, and then reads the key once more. Every writer of a key takes its name once
more afterwards. So of two that meet, at least one sees the other: no name gets two keys, and no key loses its name.
"""

import asyncio
import re
import time
from collections.abc import Awaitable

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from adapters.errors import ConflictError, NameTakenError
from adapters.sdk_calls import CHANGE_ATTEMPTS, CONFLICT_CODES, back_off, try_call
from adapters.tables.key_rows import NAMES_PARTITION, key_partition
from adapters.tables.key_table import KeyTable
from adapters.tables.properties import Row
from adapters.tables.row_keys import escape_key

# Seconds that a name row without its key may be that of an add which has only begun.
ADD_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 0.2

_DIGEST = re.compile("[0-9a-f]{64}")


class KeyNames:
    """The names of keys. Methods raise StorageError where storage can't answer."""

    def __init__(self, table: KeyTable) -> None:
        self._table = table

    async def owner(self, name: str) -> str | None:
        """The digest of the key that has this name, in any letter case; None where none in force has it."""
        row = await self._row(name)
        digest = "" if row is None else str(row.get("Digest"))
        return digest if await self._has(digest, name) else None

    async def take(self, name: str, digest: str) -> None:
        """Gives a name to a key: before the key's row is written, and once more after that.

        The row is written in any case, so that a `free` that has read it before does not delete it.

        Raises:
            NameTakenError: another key in force has it.
            ConflictError: other writers were first each time.
        """
        for attempt in range(CHANGE_ATTEMPTS):
            if await self._try_take(name, digest):
                return
            await back_off(attempt + 1)
        raise ConflictError("other writers kept changing the name's row")

    async def free(self, name: str, digest: str) -> None:
        """Deletes a name's row if it is this key's, and the key is not in force under this name."""
        row = await self._row(name)
        if row is not None and row.get("Digest") == digest and not await self._has(digest, name):
            unchanged = {"etag": row["odata.etag"], "match_condition": MatchConditions.IfNotModified}
            await self._try(self._table.writes.delete_entity(NAMES_PARTITION, _row_key(name), **unchanged))

    async def _try_take(self, name: str, digest: str) -> bool:
        entity = {"PartitionKey": NAMES_PARTITION, "RowKey": _row_key(name), "Digest": digest}
        row = await self._row(name)
        if row is None:
            # A transaction of one, since the error of `create_entity` has no code.
            return await self._try(self._table.writes.submit_transaction([("create", entity)]))
        owner = str(row.get("Digest"))
        if owner != digest and await self._has(owner, name, ADD_SECONDS):
            raise NameTakenError(name, owner)
        if not await self._update(entity, row):
            return False
        if owner != digest:
            await self._give_back_if_owned(name, owner)
        return True

    async def _give_back_if_owned(self, name: str, owner: str) -> None:
        """Returns a name that was taken over from an add which was only slow."""
        if not await self._has(owner, name):
            return
        if (row := await self._row(name)) is not None:
            await self._update({"PartitionKey": NAMES_PARTITION, "RowKey": _row_key(name), "Digest": owner}, row)
        raise NameTakenError(name, owner)

    async def _has(self, digest: str, name: str, seconds: float = 0.0) -> bool:
        """Whether a key has this name and is in force; waits so many seconds for the row of a key without one."""
        if _DIGEST.fullmatch(digest) is None:
            return False
        end = time.monotonic() + seconds
        while (row := await self._table.reads.row(key_partition(digest), digest)) is None:
            if time.monotonic() >= end:
                return False
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        return row.get("RevokedAt") is None and is_same_name(row.get("Name"), name)

    async def _row(self, name: str) -> Row | None:
        return await self._table.reads.row(NAMES_PARTITION, _row_key(name))

    async def _update(self, entity: dict[str, str], row: Row) -> bool:
        unchanged = {"etag": row["odata.etag"], "match_condition": MatchConditions.IfNotModified}
        return await self._try(self._table.writes.update_entity(entity, UpdateMode.REPLACE, **unchanged))

    async def _try(self, write: Awaitable[object]) -> bool:
        return await try_call(write, self._table.timeout, CONFLICT_CODES)


def is_same_name(found: object, name: str) -> bool:
    """Whether a row's name is this one, in any letter case."""
    return isinstance(found, str) and found.lower() == name.lower()


def _row_key(name: str) -> str:
    return escape_key(name.lower())
