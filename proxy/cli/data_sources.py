"""The command `sources access-id`: sets the access id of a data source before its first load here."""

import re
from dataclasses import replace
from datetime import UTC, datetime

from adapters.accounts import AccountRegistry
from adapters.model.ticks import from_datetime
from adapters.tables.data_source_store import DataSource
from adapters.tables.properties import MalformedRowError
from proxy.cli.errors import CommandError
from proxy.wire.request import is_data_source_name

SHOWN = 60

# Bing's are 32 hex digits; it is one segment of a URL.
_ACCESS_ID = re.compile("[A-Za-z0-9_-]{1,64}")


async def give_access_id(accounts: AccountRegistry, account: str | None, name: str, access_id: str) -> int:
    """Keeps an access id for a data source that is still to be loaded, and says whether that changed anything.

    Raises:
        CommandError: a name or an id can't be one, or the data source is loaded under another id.
    """
    if account is None and len(accounts.names) > 1:
        raise CommandError(f"--account must say which account: {', '.join(accounts.names)}")
    if not is_data_source_name(name):
        raise CommandError(f"{name[:SHOWN]!r} can't be the name of a data source")
    if not _ACCESS_ID.fullmatch(access_id):
        raise CommandError(f"{access_id[:SHOWN]!r} is no access id: 1 to 64 letters, digits, - and _; Bing's have 32")
    store = accounts[account or accounts.names[0]].data_sources
    before = list[DataSource | None]()

    def give(found: DataSource | None) -> DataSource:
        before.append(found)
        if found is None:
            return DataSource(name=name, access_id=access_id, created=from_datetime(datetime.now(UTC)))
        return found if _is_loaded(found) else replace(found, access_id=access_id)

    await store.create_table()
    try:
        after = await store.change(name, give)
    except MalformedRowError as error:
        raise CommandError(f"{name}: its row can't be used: {error}") from None
    if after is None or after.access_id.lower() != access_id.lower():
        told = "unknown" if after is None else after.access_id
        raise CommandError(f"nothing was changed: {name} is loaded here already, under the access id {told}")
    if before[-1] == after:
        print(f"nothing was changed: {name} has the access id {access_id} already")
    else:
        print(f"{name} has the access id {access_id} from its first load on")
    return 0


def _is_loaded(source: DataSource) -> bool:
    return bool(source.published or source.staged or source.earlier or source.applied)
