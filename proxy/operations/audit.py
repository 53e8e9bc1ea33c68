"""Notes what an operator changed, in the table `audit` of the account (operations contract, section 1)."""

import asyncio
import getpass
import logging
import socket
from contextlib import aclosing
from dataclasses import dataclass

from adapters.account import AccountStorage
from adapters.errors import StorageError
from adapters.model.job_ids import MAX_CLOCK_LEAD, first_id_at, is_row_id
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.tables.audit_rows import AuditEntry
from proxy.settings import Settings
from proxy.text import single_line

log = logging.getLogger(__name__)

_writing = set[asyncio.Task[None]]()

MOST_READ = 5000
"""Changes that a page looks at. With a filter they may hold less than it shows; the next page goes on there."""

KEEP_AUDIT = 400 * 86_400 * PER_SECOND
"""Ticks after which changes are deleted."""


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """Which changes to list: those whose operator and operation have these texts, in any letter case."""

    who: str = ""
    what: str = ""

    def matches(self, entry: AuditEntry) -> bool:
        """Whether a change is one of them."""
        return self.who.lower() in entry.who.lower() and self.what.lower() in entry.what.lower()


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes, the newest first; and the id before which the older ones are, None where there are none."""

    entries: tuple[AuditEntry, ...]
    older: str | None


async def list_changes(account: AccountStorage, wanted: ChangeFilter, before: str | None, most: int) -> ChangePage:
    """Lists changes, the newest first.

    Args:
        account: the account.
        wanted: which changes.
        before: the id of `ChangePage.older` to go on with; None, or what is no id, for the newest.
        most: the number of changes at most.
    """
    now = account.clock.now()
    end = newest = first_id_at(Ticks(now + MAX_CLOCK_LEAD))  # another machine's clock may be ahead
    if before is not None and is_row_id(before):
        end = min(before, newest)
    first = first_id_at(Ticks(now - KEEP_AUDIT))
    found, read = list[AuditEntry](), 0
    async with aclosing(account.audit.iterate_newest(min(first, end), end)) as batches:
        async for batch in batches:
            for entry in batch:
                if len(found) == most or read == MOST_READ:
                    return ChangePage(tuple(found), end)
                read += 1
                end = entry.id if is_row_id(entry.id) else end
                if wanted.matches(entry):
                    found.append(entry)
    return ChangePage(tuple(found), None)


def operator_name(settings: Settings) -> str:
    """The name of this process's operator in audit rows: PROXY_OPERATOR, else the user of this machine and its name."""
    if settings.operator:
        return settings.operator
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


async def note_change(account: AccountStorage, entry: AuditEntry) -> None:
    """Logs a change that was made, and writes its row.

    Where the table can't be written, a warning says so and the change stands. The row is written also where the
    caller's time is up meanwhile.
    """
    text = single_line(f"{entry.what}: {entry.on}, by {entry.who}")
    log.info("%s", text, extra={"account": account.name})
    task = asyncio.create_task(_write(account, entry))
    _writing.add(task)  # the event loop keeps weak references only
    task.add_done_callback(_writing.discard)
    await asyncio.shield(task)


async def _write(account: AccountStorage, entry: AuditEntry) -> None:
    try:
        await account.audit.write(entry)
    except StorageError as error:
        fields = {"account": account.name, "hint": error.code.value.hint}
        log.warning("the change is made, but the table audit can't be written: %s", error, extra=fields)
