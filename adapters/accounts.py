"""Every account of a key ring."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Self

from adapters.account import Account, StorageOptions
from adapters.credentials import StorageEntry
from adapters.errors import StorageFaultError
from adapters.opening import open_credential


class Accounts:
    """The accounts of a key ring, each opened once. One that can't be opened says so when it is asked for."""

    def __init__(
        self, entries: Mapping[str, StorageEntry], options: StorageOptions, before: "Accounts | None" = None
    ) -> None:
        """Opens the accounts; those that were open `before` under the same entry are taken over as they are."""
        self._entries = dict(entries)
        self._options = options
        self._opened: dict[str, Account] = {}
        self._faults: dict[str, StorageFaultError] = {}
        for name, entry in entries.items():
            try:
                known = before.opened_as(name, entry) if before is not None else None
                self._opened[name] = known or Account(name, open_credential(entry), options)
            except StorageFaultError as fault:
                self._faults[name] = fault

    def __getitem__(self, name: str) -> Account:
        """The account of this name.

        Raises:
            StorageFaultError: its credential can't be used.
        """
        if name in self._faults:
            fault = self._faults[name]
            raise StorageFaultError(fault.fault, fault.detail)
        return self._opened[name]

    @property
    def names(self) -> list[str]:
        """The names of all accounts, usable or not, sorted."""
        return sorted([*self._opened, *self._faults])

    @property
    def faults(self) -> Mapping[str, StorageFaultError]:
        """The accounts that can't be opened, and why."""
        return self._faults

    def opened_as(self, name: str, entry: StorageEntry) -> Account | None:
        """The account of this name, if it was opened from an equal entry."""
        return self._opened.get(name) if self._entries.get(name) == entry else None

    def changed(self, entries: Mapping[str, StorageEntry]) -> "Accounts":
        """The accounts of a changed ring; `self` stays usable until `close` ends what the change left behind."""
        return Accounts(entries, self._options, before=self)

    async def close(self, but: "Accounts | None" = None) -> None:
        """Closes every account, also where one of them fails to; not those that `but` has taken over."""
        kept = set(but._opened.values()) if but is not None else set()  # noqa: SLF001 - another of this class
        async with AsyncExitStack() as stack:
            for account in self._opened.values():
                if account not in kept:
                    stack.push_async_callback(account.close)

    async def __aenter__(self) -> Self:
        """The clients open themselves with their first request."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes every account."""
        await self.close()
