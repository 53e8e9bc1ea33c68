"""What commands need of the keys of a key ring, whatever holds them: a store or the ring itself."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Protocol

from adapters.model.key_imports import ImportOutcome, KeyImport
from adapters.model.key_records import FoundKey, KeyRecord


class KeyHolder(Protocol):
    """The keys of a key ring. Methods raise CommandError for what can't be done."""

    def iterate(self) -> AsyncIterator[FoundKey]:
        """All keys; of a store, a page of them in memory at a time."""
        ...

    async def get(self, digest: str) -> FoundKey | None:
        """The key of this digest."""
        ...

    async def find(self, prefix: str) -> list[FoundKey]:
        """The keys of digests that begin with this text."""
        ...

    async def find_named(self, name: str) -> list[FoundKey]:
        """The keys with this name, in any letter case; those in force, if there are any."""
        ...

    async def add(self, record: KeyRecord, in_clear: str | None) -> str:
        """Adds a key.

        Args:
            record: the key.
            in_clear: the key itself, where that is what is to be stored.

        Returns:
            What is left to do; empty for nothing.
        """
        ...

    async def revoke(self, found: FoundKey) -> bool:
        """Revokes a key; False where it was revoked already."""
        ...

    async def reinstate(self, found: FoundKey) -> bool:
        """Takes a revocation back; False where there is none."""
        ...

    async def put(self, keys: KeyImport) -> Counter[ImportOutcome]:
        """Adds and changes keys."""
        ...

    async def prune(self) -> int:
        """Deletes keys that were revoked long ago; returns how many."""
        ...


Work = Callable[[KeyHolder], Awaitable[int]]
"""What a command does with the keys; returns the exit status."""


class KeyPlace(Protocol):
    """Where the keys of a ring are; not opened yet."""

    @property
    def accounts(self) -> Collection[str] | None:
        """The accounts that a key may open; None where the first ring is about to be made."""
        ...

    @property
    def ring_text(self) -> str:
        """The JSON of the key ring."""
        ...

    @property
    def takes_keys_in_clear(self) -> bool:
        """Whether it can hold keys themselves in place of their digests."""
        ...

    def run(self, work: Work, *, changes: bool, wait: bool) -> int:
        """Runs work on the keys and returns its exit status.

        Args:
            work: what to do; called again where storage refuses it, with `wait`.
            changes: whether it changes keys.
            wait: whether it is repeated while storage refuses it.
        """
        ...
