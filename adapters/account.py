"""One account's storage: its clients, opened together from its credential and closed together."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables.aio import TableClient
from azure.storage.blob.aio import BlobServiceClient

from adapters.authentication import TableSignature
from adapters.credentials import SharedKey, StorageEntry, open_credential
from adapters.errors import StorageFaultError, fault_of_exception
from adapters.exports import ExportLinks
from adapters.jobs import JobStore
from adapters.tables import TableReads


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """What is the same for every account: the jobs table, the lifetime of links, the patience with a connection."""

    jobs_table: str
    link_lifetime: timedelta
    timeout_seconds: float


class Account:
    """The storage of one account of the key ring."""

    def __init__(self, name: str, credential: SharedKey, options: StorageOptions) -> None:
        self.name = name
        self._credential = credential
        self._seconds = options.timeout_seconds
        self.links = ExportLinks(credential, options.link_lifetime)
        self.jobs = JobStore(
            name,
            TableReads(
                credential.table_url, options.jobs_table, TableSignature(credential, options.jobs_table), self._seconds
            ),
            TableClient(
                credential.table_url,
                options.jobs_table,
                credential=AzureNamedKeyCredential(credential.account_name, credential.account_key),
                retry_total=2,
                retry_backoff_factor=0.2,
                connection_timeout=self._seconds,
                read_timeout=self._seconds,
            ),
        )

    def blobs(self) -> BlobServiceClient:
        """A client of the account's blobs, for those who write exports; the caller closes it."""
        return BlobServiceClient(
            self._credential.blob_url,
            credential={
                "account_name": self._credential.account_name,
                "account_key": self._credential.account_key,
            },
            retry_total=2,
            connection_timeout=self._seconds,
            read_timeout=self._seconds,
        )

    async def reach_blobs(self) -> None:
        """Asks after a blob that does not exist: whether the blob service answers and knows the credential.

        Raises:
            StorageFaultError: it does not.
        """
        async with self.blobs() as blobs:
            try:
                await blobs.get_blob_client("proxy-check", "reach").exists()
            except Exception as error:  # the SDK's errors have no common class of their own
                raise fault_of_exception(error) from error

    async def close(self) -> None:
        """Closes every client."""
        await self.jobs.close()


class Accounts:
    """Every account of a key ring, opened once. One that can't be opened says so when it is asked for."""

    def __init__(self, entries: Mapping[str, StorageEntry], options: StorageOptions) -> None:
        self._opened: dict[str, Account] = {}
        self._faults: dict[str, StorageFaultError] = {}
        for name, entry in entries.items():
            try:
                self._opened[name] = Account(name, open_credential(entry), options)
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

    async def __aenter__(self) -> Self:
        """The clients open themselves with their first request."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes every account, also where one of them fails to."""
        async with AsyncExitStack() as stack:
            for account in self._opened.values():
                stack.push_async_callback(account.close)
