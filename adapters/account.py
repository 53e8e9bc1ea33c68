"""One account's storage: its clients, opened together from its credential and closed together."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from azure.core.credentials import AzureNamedKeyCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.data.tables.aio import TableClient
from azure.storage.blob import UserDelegationKey
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueClient

from adapters.blobs.sas_keys import AccountKeyProvider, DelegationKeyProvider, SigningKey
from adapters.blobs.sas_links import SasLinkSigner
from adapters.blobs.store import BLOCK, BLOCK_SECONDS, EXPORTS, UPLOADS, VERSIONS, BlobStore
from adapters.circuit_breaker import CircuitBreaker
from adapters.credentials.config import Credential, SharedKeyCredential, TokenCredential
from adapters.credentials.connection_string import EMULATOR_ACCOUNT
from adapters.credentials.table_auth import table_authentication
from adapters.errors import error_from_exception
from adapters.instrumentation import InstrumentedTransport, Service, StorageObserver, look_away
from adapters.job_cache import NOTHING_REMEMBERED, CacheTtl, JobCache
from adapters.job_queue import JobQueue, queue_name
from adapters.sdk_calls import STORAGE_RETRIES
from adapters.storage_clock import StorageClock
from adapters.tables.data_source_store import TABLE, DataSourceStore
from adapters.tables.job_store import JobStore
from adapters.tables.reader import TableReader
from adapters.tables.worker_rows import WorkerRows


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """What is the same for every account: the jobs table, the lifetimes of links and records, the patience.

    `lease_seconds` is how long a worker has a job without a sign of life; `watched` gives the watch on an account.
    """

    jobs_table: str
    link_lifetime: timedelta
    timeout_seconds: float
    lifetimes: CacheTtl = NOTHING_REMEMBERED
    lease_seconds: float = 30
    watched: Callable[[str], StorageObserver] = look_away
    pages_may_read: bool = False
    """Whether pages of other origins may read an emulator's blobs. The rule of real storage is its owner's to set."""


class _Closable(Protocol):
    async def close(self) -> None: ...


_Opened = TypeVar("_Opened", bound=_Closable)


class AccountStorage:
    """The storage of one account of the key ring."""

    def __init__(self, name: str, credential: Credential, options: StorageOptions) -> None:
        self.name = name
        self._credential = credential
        self._options = options
        self._opened: list[_Closable] = []
        self._watch = watch = options.watched(name)
        self.clock = StorageClock()
        self._delegated = DelegationKeyProvider(
            self._fetch_key, options.link_lifetime, timeout_seconds=options.timeout_seconds
        )
        self.links = SasLinkSigner(
            credential.account_name,
            credential.blob_url,
            self._delegated
            if isinstance(credential, TokenCredential)
            else AccountKeyProvider(SigningKey(credential.account_key)),
            options.link_lifetime,
            watch=watch,
        )
        reads, writes = self._table(options.jobs_table)
        self.jobs = JobStore(name, reads, writes, options.timeout_seconds, watch)
        self.workers = WorkerRows(name, reads, writes, options.timeout_seconds)
        self.circuit_breaker = CircuitBreaker(options.timeout_seconds, watch=watch)
        # Separate circuit breakers: faults of the write side must not hold up clients that only read jobs.
        self.datasource_guard = CircuitBreaker(options.timeout_seconds, watch=watch)
        self.creation_guard = CircuitBreaker(options.timeout_seconds, watch=watch)
        self.creating = asyncio.Lock()
        """A lock around each creation in this process: parallel creations would only conflict with each other."""
        self.job_cache = JobCache(self.jobs, options.lifetimes, self.circuit_breaker, options.timeout_seconds)

    # What only the write side needs opens when it is first asked for: most processes only read jobs.

    @cached_property
    def data_sources(self) -> DataSourceStore:
        """The account's data sources."""
        return self._open(DataSourceStore(self.name, *self._table(TABLE), self._options.timeout_seconds))

    @cached_property
    def queue(self) -> JobQueue:
        """The jobs that wait for a worker."""
        client = QueueClient(
            self._credential.queue_url,
            queue_name(self._options.jobs_table, self.name),
            credential=_blob_credential(self._credential),
            **self._patience("queue") | STORAGE_RETRIES,
        )
        seconds = self._options.timeout_seconds
        return self._open(JobQueue(self.name, client, self._options.lease_seconds, seconds))

    @cached_property
    def blobs(self) -> BlobStore:
        """The account's blobs as files."""
        blobs = BlobServiceClient(
            self._credential.blob_url,
            credential=_blob_credential(self._credential),
            max_single_get_size=BLOCK,
            max_chunk_get_size=BLOCK,
            **self._patience("blob", BLOCK_SECONDS) | STORAGE_RETRIES,
        )
        return self._open(BlobStore(blobs, self._options.jobs_table))

    async def create_missing(self) -> None:
        """Creates the tables, the queue and the containers that are missing, all that can be. Sets up an emulator.

        Raises:
            StorageFaultError: one of them could not be created; an identity that may only read, or storage is away.
        """
        containers = (self.blobs.create_container(name) for name in (UPLOADS, VERSIONS, EXPORTS))
        parts = [self.jobs.create_table(), self.data_sources.create_table(), self.queue.create(), *containers]
        if isinstance(self._credential, SharedKeyCredential) and self._credential.account_name == EMULATOR_ACCOUNT:
            parts.append(self.blobs.let_pages_read(allowed=self._options.pages_may_read))
        for result in await asyncio.gather(*parts, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    @property
    def blob_url(self) -> str:
        """The account's own blob endpoint."""
        return self._credential.blob_url

    @property
    def blob_host(self) -> str:
        """The host of the account's own blob endpoint, in lower case, without a port."""
        return urlsplit(self._credential.blob_url).hostname or ""

    def blob_service(self) -> BlobServiceClient:
        """A client of the account's blobs, for those who write exports; the caller closes it."""
        return BlobServiceClient(
            self._credential.blob_url, credential=_blob_credential(self._credential), **self._patience("blob")
        )

    async def reach_blobs(self) -> None:
        """Asks after a blob that does not exist: whether the blob service answers and knows the credential.

        An identity may be given the containers alone that it needs, so it is asked in the one of exports.

        Raises:
            StorageFaultError: it does not.
        """
        async with self.blob_service() as blobs:
            try:
                await blobs.get_blob_client(EXPORTS, "reach").exists()
            except Exception as error:  # the SDK's errors have no common class of their own
                raise error_from_exception(error) from error

    async def close(self) -> None:
        """Closes every client, and the credential, which may have one of its own."""
        self.job_cache.close()
        async with AsyncExitStack() as stack:  # each also where another fails to
            if isinstance(self._credential, TokenCredential):
                stack.push_async_callback(self._credential.token.close)
            parts: list[_Closable] = [self._delegated, self.jobs, *self._opened]
            for opened in parts:
                stack.push_async_callback(opened.close)

    def _table(self, table: str) -> tuple[TableReader, TableClient]:
        credential = self._credential
        authentication = table_authentication(credential, table)
        reads = TableReader(credential.table_url, table, authentication, self._options.timeout_seconds, self._watch)
        reads.clock = self.clock
        return reads, TableClient(
            credential.table_url, table, credential=_table_credential(credential), **self._patience("table")
        )

    def _patience(self, service: Service, read_seconds: float | None = None) -> dict[str, Any]:
        """How long a client of the SDKs waits and how often it tries; without a time of its own, as all others."""
        seconds = self._options.timeout_seconds
        return {
            "retry_total": 2,
            "retry_backoff_factor": 0.2,
            "permit_redirects": False,  # storage sends none; whoever does is not storage
            "transport": InstrumentedTransport(self._watch, service, seconds, read_seconds or seconds),
        }

    def _open(self, opened: _Opened) -> _Opened:
        self._opened.append(opened)
        return opened

    async def _fetch_key(self, start: datetime, expires: datetime) -> UserDelegationKey:
        async with self.blob_service() as blobs:
            return await blobs.get_user_delegation_key(start, expires)


def _table_credential(credential: Credential) -> AzureNamedKeyCredential | AsyncTokenCredential:
    if isinstance(credential, TokenCredential):
        return credential.token
    return AzureNamedKeyCredential(credential.account_name, credential.account_key)


def _blob_credential(credential: Credential) -> AsyncTokenCredential | dict[str, str]:
    if isinstance(credential, TokenCredential):
        return credential.token
    return {"account_name": credential.account_name, "account_key": credential.account_key}
