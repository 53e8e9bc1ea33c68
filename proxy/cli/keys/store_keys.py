"""The keys of a key store."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import TypeVar

from tqdm import tqdm

from adapters.credentials.config import StorageEntry
from adapters.errors import AnnouncementError, NameTakenError, StorageError, StorageErrorCode
from adapters.model.key_imports import ImportOutcome, KeyImport
from adapters.model.key_records import FoundKey, KeyRecord
from adapters.tables.found_keys import find_keys, find_named_keys, found_key
from adapters.tables.key_changes import KeyChanges
from adapters.tables.key_import import KeyImporter
from adapters.tables.key_rows import key_partition
from adapters.tables.key_table import KeyTable
from adapters.tables.properties import MalformedRowError
from proxy.cli.errors import CommandError
from proxy.cli.keys.holder import Work
from proxy.cli.keys.lines import shown
from proxy.cli.keys.ring_text import RingText
from proxy.cli.keys.store_errors import CONTRIBUTOR, READER, describe_error, is_refusal
from proxy.keyring.keyring import hash_key
from proxy.observability.logs import configure_logs
from proxy.settings import Settings

# A new role takes up to half an hour (keys contract, section 4).
WAIT_SECONDS = 1800.0
RETRY_SECONDS = 5.0

# Names that are shown of those that an import can't have.
SHOWN_NAMES = 10

_Result = TypeVar("_Result")


class StorePlace:
    """The key store of a ring."""

    takes_keys_in_clear = False

    def __init__(self, settings: Settings, ring: RingText, entry: StorageEntry) -> None:
        self._settings = settings
        self._ring = ring
        self._entry = entry

    @property
    def accounts(self) -> Collection[str]:
        """The accounts of the ring."""
        return self._ring.ring.accounts

    @property
    def ring_text(self) -> str:
        """The JSON of the ring."""
        return self._ring.text

    def run(self, work: Work, *, changes: bool, wait: bool) -> int:
        """Runs work on the keys and returns its exit status.

        Raises:
            CommandError: storage can't answer or refuses it, another key has the name, or a change is not announced.
        """
        configure_logs("warning", "text")
        return asyncio.run(self._run(work, CONTRIBUTOR if changes else READER, WAIT_SECONDS if wait else 0.0))

    async def _run(self, work: Work, role: str, seconds: float) -> int:
        try:
            table = KeyTable(self._entry, self._settings.keys_table, self._settings.storage_timeout)
        except StorageError as error:
            raise CommandError(f"key store: {error}; correct the key ring's key_store") from None
        try:
            return await _repeat_refused(table, work, role, seconds)
        except StorageError as error:
            raise CommandError(f"key store: {await describe_error(table, error, role)}") from None
        except NameTakenError as error:
            raise CommandError(f"{error}; revoke that key, or choose another name") from None
        except AnnouncementError as error:
            text = f"it could not be announced: {error}; the same command announces it again"
            raise CommandError(f"key store: the change stands and is in force within ten minutes; {text}") from None
        finally:
            await table.close()


async def _repeat_refused(table: KeyTable, work: Work, role: str, seconds: float) -> int:
    """Runs work, and again while storage refuses it, for so many seconds."""
    end, is_first = time.monotonic() + seconds, True
    while True:
        try:
            return await work(StoreKeys(table))
        except StorageError as error:
            if not is_refusal(error):
                raise
            text = f"key store: {await describe_error(table, error, role)}"
        if time.monotonic() >= end:
            raise CommandError(text if seconds else f"{text}; --wait repeats this command until then")
        if is_first:
            print(f"{text}; waiting up to {seconds / 60:.0f} minutes", file=sys.stderr, flush=True)
        is_first = False
        await asyncio.sleep(RETRY_SECONDS)


class StoreKeys:
    """The keys in the table of a key store."""

    def __init__(self, table: KeyTable) -> None:
        self._table = table
        self._changes = KeyChanges(table)

    async def iterate(self) -> AsyncIterator[FoundKey]:
        """All keys in the order of digests, a page in memory at a time."""
        async for key in self._table.list_keys():
            if isinstance(key, KeyRecord):
                yield FoundKey(key.digest, key, is_revoked=key.revoked is not None)
            else:
                yield FoundKey(key.row_key, None, key.problem)

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
            CommandError: the key is there already, revoked or not; its row stays as it is and is announced again.
        """
        if record.name and await self._is_key(record.name):
            raise CommandError("--name: is a key of the key store, and would be shown")
        if await self._with_table(lambda: self._changes.add(record)):
            return ""
        found = await self.get(record.digest)
        is_revoked = found is not None and found.is_revoked
        hint = f", revoked; `keys reinstate {shown(record.digest)}` takes that back" if is_revoked else ""
        raise CommandError(f"the key store has this key already{hint}")

    async def revoke(self, found: FoundKey) -> bool:
        """Revokes a key; False where it was revoked already."""
        return await self._changes.revoke(found.digest)

    async def reinstate(self, found: FoundKey) -> bool:
        """Takes a revocation back; False where there is none."""
        try:
            return await self._changes.reinstate(found.digest)
        except MalformedRowError as error:
            raise CommandError(f"{shown(found.digest)} can't be read: {error}") from None

    async def put(self, keys: KeyImport) -> Counter[ImportOutcome]:
        """Adds and changes keys, all of them looked at before the first is written; makes the table if missing.

        Raises:
            CommandError: other keys have names of the import; nothing was written.
        """
        importer = KeyImporter(self._table, keys)
        taken = await self._with_table(lambda: _with_progress("looking up", keys, importer.look))
        if taken:
            more = f"\nand {len(taken) - SHOWN_NAMES} more" if len(taken) > SHOWN_NAMES else ""
            raise CommandError("\n".join([*map(str, taken[:SHOWN_NAMES])]) + f"{more}\nnothing was written")
        return await _with_progress("writing", keys, importer.write)

    async def prune(self) -> int:
        """Deletes the rows of keys that were revoked more than 90 days ago."""
        return await self._changes.prune()

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


async def _with_progress(
    text: str, keys: KeyImport, work: Callable[[Callable[[int], object]], Awaitable[_Result]]
) -> _Result:
    # `None` shows progress on a terminal only; standard error, so that a pipe gets the result alone.
    with tqdm(total=len(keys.records), unit=" keys", desc=text, disable=None, leave=False) as progress:
        return await work(progress.update)
