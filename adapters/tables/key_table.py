"""The table of the key store, opened with its own credential and connections (keys contract, sections 2 and 3)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import cached_property

from azure.data.tables.aio import TableClient

from adapters.credentials.config import StorageEntry
from adapters.credentials.factory import TokenCredential, open_credential
from adapters.credentials.table_auth import SCOPE, TableAuth
from adapters.credentials.token_claims import read_object_id
from adapters.instrumentation import NULL_OBSERVER, StorageObserver
from adapters.model.key_records import ChangeLog, KeyRecord
from adapters.name_resolver import NameResolver
from adapters.sdk_calls import translated_errors, try_call
from adapters.sdk_clients import client_options, table_credential
from adapters.tables.key_rows import (
    CHANGES_PARTITION,
    CHANGES_ROW,
    key_partition,
    read_changes,
    read_key,
    read_revocation,
)
from adapters.tables.properties import MalformedRowError
from adapters.tables.reader import PartitionRange, TableReader, literal

# Seconds within which the change row is read.
LOOK_SECONDS = 1.0

# Rows of a page that are parsed before other tasks run on the event loop: a few milliseconds.
ROWS_AT_ONCE = 100

# The partitions of key rows begin with a hex digit, unlike those of the change row and of names.
KEY_ROWS = PartitionRange("0", "g")

# The properties that `KeyRecord` needs.
_PROPERTIES = "PartitionKey,RowKey,Account,Role,Name,DataSources,ExpiresAt,CreatedAt,RevokedAt,Shadow"


@dataclass(frozen=True, slots=True)
class UnreadableKey:
    """A key row that can't be read: its row key, why, and whether it is revoked. The text has no value of the row."""

    row_key: str
    problem: str
    is_revoked: bool


class KeyTable:
    """Reads of the key store's table, and the client for writes. Methods raise StorageError where storage can't answer.

    `reads`, `looks` and `writes` have connections of their own: no read of a key delays a look for changes. Nor does
    another account's storage: host names are resolved in threads of the store's own.
    """

    def __init__(
        self, entry: StorageEntry, table: str, timeout: float, observer: StorageObserver = NULL_OBSERVER
    ) -> None:
        """Opens the table without a request to storage.

        Args:
            entry: the `key_store` of the key ring.
            table: the table's name.
            timeout: the longest that one read or write takes, in seconds.
            observer: is called for each request.

        Raises:
            StorageError: the entry can't be used; the text says why and holds no part of it.
        """
        self.timeout = timeout
        self._credential = open_credential(entry)
        self.name = table
        self.url = f"{self._credential.table_url}/{table}"
        self._observer = observer
        self._writes: TableClient | None = None
        self._resolver = NameResolver("key store names")
        self.reads, self.looks = (self._open_reader(seconds) for seconds in (timeout, LOOK_SECONDS))

    @property
    def account_name(self) -> str:
        """The name of the storage account."""
        return self._credential.account_name

    async def object_id(self) -> str | None:
        """The object id of the identity that is used; None for an account key.

        Raises:
            StorageError: the identity gets no token.
        """
        if not isinstance(self._credential, TokenCredential):
            return None
        with translated_errors():
            return read_object_id((await self._credential.token.get_token(SCOPE)).token)

    @cached_property
    def writes(self) -> TableClient:
        """The client for writes, opened at its first use: a server only reads."""
        self._writes = TableClient(
            self._credential.table_url,
            self.name,
            credential=table_credential(self._credential),
            **client_options(self._observer, "table", self.timeout),
        )
        return self._writes

    async def read_key(self, digest: str) -> KeyRecord | None:
        """The key of this digest, 64 lower-case hex digits; None where there is no row.

        Raises:
            MalformedRowError: its row can't be read, and does not revoke it.
        """
        row = await self.reads.row(key_partition(digest), digest)
        if row is None:
            return None
        try:
            return read_key(row)
        except MalformedRowError:
            if (revoked := read_revocation(row)) is None:
                raise
            return KeyRecord(digest, "", revoked=revoked)  # whatever the rest says: its caller must not learn of it

    async def read_changes(self) -> ChangeLog | None:
        """The change row, within a second; None where there is no such row in the table.

        Raises:
            MalformedRowError: it can't be read.
        """
        row = await self.looks.row(CHANGES_PARTITION, CHANGES_ROW)
        return None if row is None else read_changes(row)

    async def list_keys(self, where: str = "", select: str = _PROPERTIES) -> AsyncIterator[KeyRecord | UnreadableKey]:
        """Every key row in the order of digests, a page of 1,000 in memory at a time.

        Args:
            where: another OData condition, which storage evaluates.
            select: the properties to send, separated by commas, RowKey and Account among them; others that are
                not sent count as missing.
        """
        async for key in self._list(KEY_ROWS, where, select):
            yield key

    async def list_account_keys(self, account: str, after: str = "") -> AsyncIterator[KeyRecord | UnreadableKey]:
        """The key rows of an account in the order of digests, those behind the digest `after`."""
        where = f"Account eq {literal(account)}"
        if not after:
            keys = KEY_ROWS
        else:
            keys, where = replace(KEY_ROWS, first=key_partition(after)), f"RowKey gt {literal(after)} and {where}"
        async for key in self._list(keys, where, _PROPERTIES):
            yield key

    async def _list(self, keys: PartitionRange, where: str, select: str) -> AsyncIterator[KeyRecord | UnreadableKey]:
        async for page in self.reads.rows(keys, where, select):
            for number, row in enumerate(page):
                if number % ROWS_AT_ONCE == 0:
                    await asyncio.sleep(0)
                try:
                    yield read_key(row)
                except MalformedRowError as error:  # one bad row never hides the others
                    yield UnreadableKey(str(row.get("RowKey")), str(error), read_revocation(row) is not None)

    async def create(self) -> None:
        """Creates the table where it is missing."""
        await try_call(self.writes.create_table(), self.timeout, {"TableAlreadyExists"})

    async def close(self) -> None:
        """Closes the connections, and the credential, which may have a client itself."""
        async with AsyncExitStack() as stack:
            if isinstance(self._credential, TokenCredential):
                stack.push_async_callback(self._credential.token.close)
            for part in (self._resolver, self.reads, self.looks, self._writes):
                if part is not None:
                    stack.push_async_callback(part.close)

    def _open_reader(self, timeout: float) -> TableReader:
        auth = TableAuth(self._credential, self.name)
        reader = TableReader(self._credential.table_url, self.name, auth, timeout, self._observer)
        reader.resolver = self._resolver
        return reader
