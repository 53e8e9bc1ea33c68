"""The accounts of a key ring."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

from adapters.account import AccountStorage, StorageOptions, close_all
from adapters.credentials.config import MapsEntry, StorageEntry
from adapters.credentials.factory import open_credential
from adapters.errors import StorageError, StorageErrorCode

_NO_MAPS: Mapping[str, MapsEntry] = MappingProxyType({})


class AccountRegistry:
    """The accounts of a key ring, each opened once. The error of one that can't be opened is raised at its use."""

    def __init__(
        self,
        entries: Mapping[str, StorageEntry],
        options: StorageOptions,
        before: "AccountRegistry | None" = None,
        maps: Mapping[str, MapsEntry] = _NO_MAPS,
    ) -> None:
        """Opens the accounts; keeps those that were open `before` under equal entries."""
        self._entries = {name: (entry, maps.get(name)) for name, entry in entries.items()}
        self._options = options
        self._opened: dict[str, AccountStorage] = {}
        self._errors: dict[str, StorageError] = {}
        for name, (entry, maps_entry) in self._entries.items():
            is_known = before is not None and before._entries.get(name) == (entry, maps_entry)  # noqa: SLF001 - another of this class
            known = before._opened.get(name) if before is not None and is_known else None  # noqa: SLF001 - the same
            try:
                self._opened[name] = known or AccountStorage(name, open_credential(entry), options, maps_entry)
            except StorageError as error:
                self._errors[name] = error
            except ValueError:  # the SDKs' text may repeat the malformed name or endpoint
                self._errors[name] = StorageError(
                    StorageErrorCode.CREDENTIAL, "the account's name or endpoint is malformed"
                )

    def __getitem__(self, name: str) -> AccountStorage:
        """The account of this name.

        Raises:
            StorageError: its credential can't be used.
        """
        if name in self._errors:
            error = self._errors[name]
            raise StorageError(error.code, error.detail)
        return self._opened[name]

    @property
    def names(self) -> list[str]:
        """The names of all accounts, usable or not, sorted."""
        return sorted([*self._opened, *self._errors])

    @property
    def errors(self) -> Mapping[str, StorageError]:
        """The accounts that can't be opened, and why."""
        return self._errors

    def with_entries(
        self, entries: Mapping[str, StorageEntry], maps: Mapping[str, MapsEntry] = _NO_MAPS
    ) -> "AccountRegistry":
        """The accounts of a changed ring. Accounts that left it stay usable until they are closed."""
        return AccountRegistry(entries, self._options, before=self, maps=maps)

    def removed_since(self, after: "AccountRegistry") -> list[AccountStorage]:
        """The accounts that a changed registry has not kept."""
        kept = set(after._opened.values())  # noqa: SLF001 - another of this class
        return [account for account in self._opened.values() if account not in kept]

    async def close(self) -> None:
        """Closes every account."""
        await close_all(list(self._opened.values()))

    async def __aenter__(self) -> Self:
        """Returns itself; each client connects with its first request."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes every account."""
        await self.close()
