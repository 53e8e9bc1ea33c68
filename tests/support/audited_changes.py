"""The changes of operators that were noted in an account's storage."""

from adapters.account import AccountStorage
from adapters.model.ticks import FIRST
from tests.support.opened_account import run
from tests.support.storage import Storage


def changes(storage: Storage) -> list[tuple[str, str, str]]:
    """Operator, operation and object of each change, the oldest first."""
    found = list[tuple[str, str, str]]()

    async def read(account: AccountStorage) -> None:
        found.extend((each.who, each.what, each.on) for each in await account.audit.list_since(FIRST))

    run(storage, read, seconds=60)
    return found
