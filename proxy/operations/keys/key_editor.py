"""Changes keys in an operator's name. Each change leaves a row in the table `audit` of the key's account."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable

from adapters.accounts import AccountRegistry
from adapters.errors import AnnouncementError, StorageError
from adapters.model.key_imports import ImportCounts, ImportOutcome, KeyImport
from adapters.model.key_records import FoundKey, KeyRecord
from adapters.tables.audit_rows import AuditEntry
from proxy.operations.audit import note_change
from proxy.operations.keys.holder import KeyHolder, Progress
from proxy.operations.keys.lines import describe_grant, shown

log = logging.getLogger(__name__)

REVOKED, IN_FORCE = "revoked", "in force"


class KeyEditor:
    """The changes of keys. Methods raise what those of the holder raise.

    A change that stands but is not announced leaves its row too.
    """

    def __init__(self, keys: KeyHolder, accounts: AccountRegistry, who: str) -> None:
        """`accounts` are those of the ring, `who` is the operator's name."""
        self._keys, self._accounts, self._who = keys, accounts, who

    async def add(self, record: KeyRecord, in_clear: str | None, on_stored: Callable[[str], object]) -> None:
        """Adds a key.

        Args:
            record: the key.
            in_clear: the key itself, where that is what is to be stored.
            on_stored: is called as soon as the key is stored, with what is left to do. A generated key must be shown
                then: what follows may fail, or take its time.
        """
        fault: AnnouncementError | None = None
        hint = ""
        try:
            hint = await self._keys.add(record, in_clear)
        except AnnouncementError as error:
            fault = error
        on_stored(hint)
        grant = ", ".join(filter(None, describe_grant(record)))
        await self._note(record.account, "keys add", _on(record), after=grant)
        if fault is not None:
            raise fault

    async def revoke(self, found: FoundKey) -> bool:
        """Revokes a key; False where it was revoked already."""
        return await self._turn("keys revoke", found, self._keys.revoke, IN_FORCE, REVOKED)

    async def reinstate(self, found: FoundKey) -> bool:
        """Takes a revocation back; False where there is none."""
        return await self._turn("keys reinstate", found, self._keys.reinstate, REVOKED, IN_FORCE)

    async def put(self, keys: KeyImport, progress: Progress) -> Counter[ImportOutcome]:
        """Adds and changes keys. Each account that this changes has one row, with its counts."""
        counts: ImportCounts = Counter()
        try:
            await self._keys.put(keys, counts, progress)
        finally:
            for account in sorted({account for account, _ in counts}):
                own = {outcome: counts[account, outcome] for outcome in ImportOutcome}
                if own[ImportOutcome.ADDED] or own[ImportOutcome.CHANGED]:
                    after = ", ".join(f"{outcome.value} {count}" for outcome, count in own.items())
                    await self._note(account, "keys import", f"{sum(own.values())} keys", after=after)
        total: Counter[ImportOutcome] = Counter()
        for (_, outcome), count in counts.items():
            total[outcome] += count
        return total

    async def prune(self) -> int:
        """Deletes keys that were revoked long ago; returns how many. Each account that had some has one row."""
        deleted: Counter[str] = Counter()
        try:
            await self._keys.prune(deleted)
        finally:
            for account, count in sorted(deleted.items()):
                await self._note(account, "keys prune", f"{count} keys", before=REVOKED, after="deleted")
        return deleted.total()

    async def _turn(
        self, what: str, found: FoundKey, turn: Callable[[FoundKey], Awaitable[bool]], before: str, after: str
    ) -> bool:
        on = shown(found.digest) if found.record is None else _on(found.record)
        account = None if found.record is None else found.record.account
        try:
            is_new = await turn(found)
        except AnnouncementError:
            await self._note(account, what, on, before, after)
            raise
        if is_new:
            await self._note(account, what, on, before, after)
        return is_new

    async def _note(self, account: str | None, what: str, on: str, before: str = "", after: str = "") -> None:
        if account not in self._accounts.names:
            log.warning("the change is made, but no table audit has it: the key ring in use has no account of this key")
            return
        try:
            storage = self._accounts[account]
        except StorageError as error:
            fields = {"account": account, "hint": error.code.value.hint}
            log.warning("the change is made, but the table audit can't be written: %s", error, extra=fields)
            return
        await note_change(storage, AuditEntry(self._who, what, on, before, after))


def _on(record: KeyRecord) -> str:
    return f"{shown(record.digest)} {record.name or ''}".rstrip()
