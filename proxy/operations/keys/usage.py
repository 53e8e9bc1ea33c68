"""What keys asked for, from the table `usage` of their accounts."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from adapters.accounts import AccountRegistry
from adapters.errors import StorageError
from adapters.model.key_records import FoundKey
from adapters.model.usage import DIGEST_DIGITS, Usage

USAGE_SECONDS = 10.0
"""How long a page waits for the usage of an account's keys. The table has a row for each key and day."""


@dataclass(frozen=True, slots=True)
class UsageReport:
    """The usage of keys.

    Args:
        usages: what was asked, by account and the first 16 hex digits of the key's digest.
        unread: why the usage of an account can't be read.
    """

    usages: dict[tuple[str, str], Usage]
    unread: dict[str, StorageError]

    def of(self, found: FoundKey) -> Usage | None:
        """The usage of a key; None where it was never used, or where that is not known."""
        if found.record is None:
            return None
        return self.usages.get((found.record.account, found.digest[:DIGEST_DIGITS]))

    def is_known(self, found: FoundKey) -> bool:
        """Whether the usage of the key's account was read."""
        return found.record is not None and found.record.account not in self.unread


async def read_usage(accounts: AccountRegistry, names: Iterable[str]) -> UsageReport:
    """Reads the usage of the keys of accounts, side by side."""
    usages: dict[tuple[str, str], Usage] = {}
    unread: dict[str, StorageError] = {}

    async def read(name: str) -> None:
        try:
            async for usage in accounts[name].usage.iterate():
                if (known := usages.setdefault((name, usage.digest), usage)) is not usage:
                    known.add(usage)
        except StorageError as error:
            unread[name] = error

    await asyncio.gather(*map(read, names))
    return UsageReport(usages, unread)
