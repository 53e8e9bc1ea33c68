"""The command `sources access-id`: sets the access id of a data source before its first load here."""

import re
from argparse import Namespace
from dataclasses import replace
from datetime import UTC, datetime

from adapters.accounts import AccountRegistry
from adapters.model.data_sources import DataSource
from adapters.model.ticks import from_datetime
from adapters.tables.audit_rows import AuditEntry
from adapters.tables.data_source_store import DataSourceStore
from adapters.tables.properties import MalformedRowError
from proxy.cli.accounts import require_account, run_with_accounts
from proxy.cli.errors import CommandError
from proxy.operations.audit import note_change, operator_name
from proxy.settings import load_settings
from proxy.wire.errors import DATA_SOURCE_NAME
from proxy.wire.request import is_data_source_name

SHOWN = 60

# Bing's are 32 hex digits; it is one segment of a URL.
_ACCESS_ID = re.compile("[A-Za-z0-9_-]{1,64}")


def set_access_id(options: Namespace) -> int:
    """Keeps an access id for a data source before its first load, and prints whether that changed anything.

    Raises:
        CommandError: the name or the id is not valid, or the data source is loaded under another id.
    """
    name, access_id = options.name, options.access_id
    if not is_data_source_name(name):
        raise CommandError(f"{name[:SHOWN]!r} can't be the name of a data source; a name is {DATA_SOURCE_NAME}")
    if not _ACCESS_ID.fullmatch(access_id):
        raise CommandError(f"{access_id[:SHOWN]!r} is no access id: 1 to 64 letters, digits, - and _; Bing's have 32")

    async def run(accounts: AccountRegistry) -> int:
        account = accounts[require_account(accounts, options.account)]
        before, text = await _store_access_id(account.data_sources, name, access_id)
        if before != access_id:
            entry = AuditEntry(operator_name(settings), "sources access-id", name, before, access_id)
            await note_change(account, entry)
        print(text)
        return 0

    settings = load_settings()
    return run_with_accounts(settings, run)


async def _store_access_id(store: DataSourceStore, name: str, access_id: str) -> tuple[str, str]:
    """Returns the access id before, empty where there was none, and what to print."""
    before = list[DataSource | None]()

    def change(found: DataSource | None) -> DataSource:
        before.append(found)
        if found is None:
            return DataSource(name=name, access_id=access_id, created=from_datetime(datetime.now(UTC)))
        return found if _is_loaded(found) else replace(found, access_id=access_id)

    await store.create_table()
    try:
        after = await store.change(name, change)
    except MalformedRowError as error:
        raise CommandError(f"{name}: its row can't be used: {error}") from None
    if after is None or after.access_id.lower() != access_id.lower():
        current = "unknown" if after is None else after.access_id
        raise CommandError(f"nothing was changed: {name} is loaded here already, under the access id {current}")
    if before[-1] == after:
        return access_id, f"nothing was changed: {name} has the access id {access_id} already"
    previous = before[0].access_id if before[0] else ""
    return previous, f"{name} has the access id {access_id} from its first load on"


def _is_loaded(source: DataSource) -> bool:
    return bool(source.published or source.staged or source.earlier or source.applied)
