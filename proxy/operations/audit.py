"""Notes what an operator changed, in the table `audit` of the account (operations contract, section 1)."""

import getpass
import logging
import socket

from adapters.account import AccountStorage
from adapters.errors import StorageError
from adapters.tables.audit_rows import AuditEntry
from proxy.settings import Settings
from proxy.text import single_line

log = logging.getLogger(__name__)


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

    Where the table can't be written, a warning says so and the change stands.
    """
    text = single_line(f"{entry.what}: {entry.on}, by {entry.who}")
    log.info("%s", text, extra={"account": account.name})
    try:
        await account.audit.write(entry)
    except StorageError as error:
        fields = {"account": account.name, "hint": error.code.value.hint}
        log.warning("the change is made, but the table audit can't be written: %s", error, extra=fields)
