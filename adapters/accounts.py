"""Every account of a key ring."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Self

from adapters.account import AccountStorage, StorageOptions
from adapters.credentials.config import StorageEntry
from adapters.credentials.factory import open_credential
from adapters.errors import StorageError, StorageErrorCode


async def close_all(accounts: Sequence[AccountStorage]) -> None:
    """Closes accounts, each also where another fails to."""
    async with AsyncExitStack() as stack:
        for account in accounts:
            stack.push_async_callback(account.close)


class AccountRegistry:
    """The accounts of a key ring, each opened once. One that can't be opened says so when it is asked for."""

    def __init__(
        self, entries: Mapping[str, StorageEntry], options: StorageOptions, before: "AccountRegistry | None" = None
    ) -> None:
        """Opens the accounts; those that were open `before` under the same entry are taken over as they are."""
        self._entries = dict(entries)
        self._options = options
        self._opened: dict[str, AccountStorage] = {}
        self._faults: dict[str, StorageError] = {}
        for name, entry in entries.items():
            try:
                known = before.opened_as(name, entry) if before is not None else None
                self._opened[name] = known or AccountStorage(name, open_credential(entry), options)
            except StorageError as fault:
                self._faults[name] = fault
            except ValueError:  # what the SDKs say of a name or an endpoint that is none; their text may repeat it
                self._faults[name] = StorageError(
                    StorageErrorCode.CREDENTIAL, "the account's name or endpoint is malformed"
                )

    def __getitem__(self, name: str) -> AccountStorage:
        """The account of this name.

        Raises:
            StorageFaultError: its credential can't be used.
        """
        if name in self._faults:
            fault = self._faults[name]
            raise StorageError(fault.fault, fault.detail)
        return self._opened[name]

    @property
    def names(self) -> list[str]:
        """The names of all accounts, usable or not, sorted."""
        return sorted([*self._opened, *self._faults])

    @property
    def faults(self) -> Mapping[str, StorageError]:
        """The accounts that can't be opened, and why."""
        return self._faults

    def opened_as(self, name: str, entry: StorageEntry) -> AccountStorage | None:
        """The account of this name, if it was opened from an equal entry."""
        return self._opened.get(name) if self._entries.get(name) == entry else None

    def with_entries(self, entries: Mapping[str, StorageEntry]) -> "AccountRegistry":
        """The accounts of a changed ring; what it leaves behind stays usable until it is closed."""
        return AccountRegistry(entries, self._options, before=self)

    def removed_since(self, after: "AccountRegistry") -> list[AccountStorage]:
        """The accounts that a change did not take over."""
        kept = set(after._opened.values())  # noqa: SLF001 - another of this class
        return [account for account in self._opened.values() if account not in kept]

    async def close(self) -> None:
        """Closes every account."""
        await close_all(list(self._opened.values()))

    async def __aenter__(self) -> Self:
        """The clients open themselves with their first request."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes every account."""
        await self.close()
