"""Writes the change row of the key store, by which processes learn what changed (keys contract, section 2)."""

import time
from collections.abc import Sequence
from secrets import token_hex
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from adapters.errors import AnnouncementError, StorageError, StorageErrorCode
from adapters.model.key_records import PREFIX_DIGITS, ChangeLog
from adapters.sdk_calls import CONFLICT_CODES, back_off, try_call
from adapters.tables.key_rows import CHANGES_PARTITION, CHANGES_ROW, read_changes, write_changes
from adapters.tables.key_table import KeyTable
from adapters.tables.properties import MalformedRowError

ANNOUNCE_SECONDS = 30.0

# The longest wait between attempts is reached long before this one.
_LAST_BACK_OFF = 10

_TRANSIENT = {
    StorageErrorCode.UNREACHABLE,
    StorageErrorCode.TIMEOUT,
    StorageErrorCode.THROTTLED,
    StorageErrorCode.SERVER_ERROR,
}


async def announce(table: KeyTable, entries: Sequence[str], seconds: float = ANNOUNCE_SECONDS) -> None:
    """Adds changes to the change row, or makes that row; repeats a lost race and a passing failure.

    Args:
        table: the key store's table.
        entries: digests of keys, or `ADDED_MANY`; each is a change of its own.
        seconds: how long attempts are repeated.

    Raises:
        AnnouncementError: the changes could not be announced.
    """
    end, attempt = time.monotonic() + seconds, 0
    while True:
        try:
            if not entries or await _append(table, entries):
                return
            reason = "other writers were first each time"
        except StorageError as error:
            if error.code not in _TRANSIENT:
                raise AnnouncementError(str(error)) from error
            reason = str(error)
        except MalformedRowError as error:
            text = f"{error}; delete the row {CHANGES_PARTITION}, {CHANGES_ROW}, and the next change makes a new one"
            raise AnnouncementError(text) from None
        if time.monotonic() >= end:
            raise AnnouncementError(f"{reason}, for {seconds:g} s")
        attempt = min(attempt + 1, _LAST_BACK_OFF)
        await back_off(attempt)


async def _append(table: KeyTable, entries: Sequence[str]) -> bool:
    """Writes the row with the entries before all others; False where another writer was first."""
    row = await table.reads.row(CHANGES_PARTITION, CHANGES_ROW)
    before = ChangeLog(token_hex(16), 0) if row is None else read_changes(row)
    numbered = [(before.sequence + number, entry[:PREFIX_DIGITS]) for number, entry in enumerate(entries, 1)]
    after = ChangeLog(before.epoch, before.sequence + len(entries), (*reversed(numbered), *before.recent))
    entity = write_changes(after)
    # A transaction of one, since the error of `create_entity` has no code.
    options: dict[str, Any] = {"etag": before.etag, "match_condition": MatchConditions.IfNotModified}
    operation = ("create", entity) if row is None else ("update", entity, {"mode": UpdateMode.MERGE, **options})
    return await try_call(table.writes.submit_transaction([operation]), table.timeout, CONFLICT_CODES)
