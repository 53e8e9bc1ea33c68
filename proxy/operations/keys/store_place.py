"""The key store of a ring."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from adapters.credentials.config import StorageEntry
from adapters.errors import AnnouncementError, NameTakenError, StorageError
from adapters.tables.key_table import KeyTable
from proxy.operations.errors import OperationError
from proxy.operations.keys.errors import KeyStoreRefusedError
from proxy.operations.keys.holder import KeyHolder
from proxy.operations.keys.ring_text import RingText
from proxy.operations.keys.store_errors import CONTRIBUTOR, READER, describe_error, is_refusal
from proxy.operations.keys.store_keys import StoreKeys
from proxy.settings import Settings


class StorePlace:
    """A key store that the ring names."""

    is_store = True

    def __init__(self, settings: Settings, ring: RingText, entry: StorageEntry) -> None:
        self._settings = settings
        self._ring = ring
        self._entry = entry

    @property
    def accounts(self) -> Collection[str]:
        """The accounts of the ring."""
        return self._ring.ring.accounts

    @property
    def ring_text(self) -> str:
        """The JSON of the ring."""
        return self._ring.text

    def find_refusal(self) -> str | None:
        """None: storage says who may change the store."""
        return None

    @asynccontextmanager
    async def open(self, *, changes: bool) -> AsyncIterator[KeyHolder]:
        """Opens the store's table; errors of storage in the block become sentences.

        Raises:
            KeyStoreRefusedError: storage refuses the credential.
            OperationError: storage can't answer, another key has the name, or a change is not announced.
        """
        try:
            table = KeyTable(self._entry, self._settings.keys_table, self._settings.storage_timeout)
        except StorageError as error:
            raise OperationError(f"key store: {error}; correct the key ring's key_store") from None
        try:
            yield StoreKeys(table)
        except StorageError as error:
            text = f"key store: {await describe_error(table, error, CONTRIBUTOR if changes else READER)}"
            raise (KeyStoreRefusedError if is_refusal(error) else OperationError)(text) from None
        except NameTakenError as error:
            raise OperationError(f"{error}; revoke that key, or choose another name") from None
        except AnnouncementError as error:
            text = f"it could not be announced: {error}; the same command announces it again"
            raise OperationError(f"key store: the change stands and is in force within ten minutes; {text}") from None
        finally:
            await table.close()
