"""What operations need of the keys of a key ring, whatever holds them: a store or the ring itself."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol

from adapters.model.key_imports import ImportCounts, KeyImport
from adapters.model.key_records import FoundKey, KeyRecord

Progress = Callable[[str, int], AbstractContextManager[Callable[[int], object]]]
"""Shows the progress of long work: takes what is done and how many keys there are, yields what takes each step."""


class KeyHolder(Protocol):
    """The keys of a key ring. Methods raise OperationError for what can't be done.

    Methods of a key store also raise StorageError, NameTakenError and AnnouncementError; `KeyPlace.open` translates
    what leaves its block.
    """

    def iterate(self) -> AsyncIterator[FoundKey]:
        """All keys; of a store, a page of them in memory at a time."""
        ...

    def iterate_account(self, account: str, after: str = "") -> AsyncGenerator[FoundKey, None]:
        """The keys of an account in the order of digests, those behind the digest `after`, revoked ones too."""
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

    async def put(self, keys: KeyImport, counts: ImportCounts, progress: Progress) -> None:
        """Adds and changes keys, and counts them in `counts` as it goes."""
        ...

    async def prune(self, deleted: Counter[str]) -> None:
        """Deletes keys that were revoked long ago, and counts them by account in `deleted` as it goes."""
        ...


class KeyPlace(Protocol):
    """Where the keys of a ring are; not opened yet."""

    @property
    def accounts(self) -> Collection[str] | None:
        """The accounts that a key may open; None where the first ring is about to be made."""
        ...

    @property
    def ring_text(self) -> str:
        """The JSON of the key ring; empty where the first ring is about to be made."""
        ...

    @property
    def is_store(self) -> bool:
        """Whether it is a key store: it holds digests only, and revoked keys too."""
        ...

    def find_refusal(self) -> str | None:
        """A sentence that says why this process can't change keys; None where it can."""
        ...

    def open(self, *, changes: bool) -> AbstractAsyncContextManager[KeyHolder]:
        """Opens the keys.

        Args:
            changes: whether keys are to be changed, which needs another role.

        Raises:
            KeyStoreRefusedError: inside the block, where storage refuses the credential.
            OperationError: inside the block, for what else goes wrong with a key store.
        """
        ...
