"""One account's storage: its clients, opened with one credential and closed together."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Protocol, TypeVar

from azure.data.tables.aio import TableClient
from azure.storage.blob import UserDelegationKey
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueClient

from adapters.blobs.blocks import BLOCK, BLOCK_SECONDS
from adapters.blobs.sas_keys import DelegationKeyProvider, account_key_source
from adapters.blobs.sas_links import SasLinkSigner
from adapters.blobs.store import EXPORTS, UPLOADS, VERSIONS, BlobStore
from adapters.circuit_breaker import CircuitBreaker
from adapters.credentials.config import MapsEntry, SharedKeyCredential
from adapters.credentials.connection_string import EMULATOR_ACCOUNT
from adapters.credentials.factory import Credential, TokenCredential
from adapters.credentials.table_auth import TableAuth
from adapters.instrumentation import Service, StorageObserver, null_observer
from adapters.job_cache import NO_CACHING, CacheTtl, JobCache
from adapters.job_queue import JobQueue, queue_name
from adapters.maps.client import MapsClient
from adapters.maps.errors import MapsError, MapsFailure
from adapters.maps.options import MapsOptions, open_maps
from adapters.sdk_calls import STORAGE_RETRIES
from adapters.sdk_clients import blob_credential, client_options, table_credential
from adapters.storage_clock import StorageClock
from adapters.tables.audit_rows import TABLE as AUDIT_TABLE
from adapters.tables.audit_rows import AuditRows
from adapters.tables.counter_rows import CounterRows
from adapters.tables.data_source_store import TABLE, DataSourceStore
from adapters.tables.job_store import JobStore
from adapters.tables.maps_counter import MapsCounter
from adapters.tables.reader import TableReader
from adapters.tables.usage_store import TABLE as USAGE_TABLE
from adapters.tables.usage_store import UsageStore
from adapters.tables.worker_rows import WorkerRows


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """What all accounts share. `lease_seconds` is how long a worker holds a job without a renewal."""

    jobs_table: str
    link_lifetime: timedelta
    timeout: float
    cache_ttl: CacheTtl = NO_CACHING
    lease_seconds: float = 30
    observer_for: Callable[[str], StorageObserver] = null_observer
    """Makes the observer of the account of this name."""
    allow_cors: bool = False
    """Whether pages of other origins may read an emulator's blobs. The owner of real storage sets that rule."""
    maps: MapsOptions = field(default_factory=MapsOptions)


class _Closable(Protocol):
    async def close(self) -> None: ...


_Opened = TypeVar("_Opened", bound=_Closable)


class AccountStorage:
    """The storage of one account of the key ring."""

    def __init__(
        self, name: str, credential: Credential, options: StorageOptions, maps: MapsEntry | None = None
    ) -> None:
        """`maps` is the Azure Maps of the account, None where it has none."""
        self.name = name
        self._maps_entry = maps
        self._credential = credential
        self._options = options
        self._opened: list[_Closable] = []
        self._observer = observer = options.observer_for(name)
        self.clock = StorageClock()
        self._delegated = DelegationKeyProvider(self._fetch_key, options.link_lifetime, timeout=options.timeout)
        self.links = SasLinkSigner(
            credential.account_name,
            credential.blob_url,
            self._delegated.current
            if isinstance(credential, TokenCredential)
            else account_key_source(credential.account_key),
            options.link_lifetime,
            observer=observer,
        )
        self._jobs_table = reads, writes = self._table(options.jobs_table)
        self.jobs = JobStore(name, reads, writes, options.timeout, observer)
        self.workers = WorkerRows(name, reads, writes, options.timeout)
        self.counters = CounterRows(name, reads, writes, options.timeout)
        self.circuit_breaker = CircuitBreaker(options.timeout, observer=observer)
        # Separate circuit breakers: failures of the write side must not reject clients that only read jobs.
        self.data_source_breaker = CircuitBreaker(options.timeout, observer=observer)
        self.creation_breaker = CircuitBreaker(options.timeout, observer=observer)
        self.creation_lock = asyncio.Lock()
        """A lock around each creation in this process: parallel creations would only conflict with each other."""
        self.job_cache = JobCache(self.jobs, options.cache_ttl, self.circuit_breaker, options.timeout)

    # What only the write side needs opens at its first use: most processes only read jobs.

    @cached_property
    def data_sources(self) -> DataSourceStore:
        """The account's data sources."""
        return self._open(DataSourceStore(self.name, *self._table(TABLE), self._options.timeout))

    @cached_property
    def audit(self) -> AuditRows:
        """What operators changed."""
        return self._open(AuditRows(self.name, *self._table(AUDIT_TABLE), self._options.timeout))

    @cached_property
    def queue(self) -> JobQueue:
        """The jobs that wait for a worker."""
        client = QueueClient(
            self._credential.queue_url,
            queue_name(self._options.jobs_table, self.name),
            credential=blob_credential(self._credential),
            **self._client_options("queue") | STORAGE_RETRIES,
        )
        return self._open(JobQueue(self.name, client, self._options.lease_seconds, self._options.timeout))

    @cached_property
    def blobs(self) -> BlobStore:
        """The account's blobs."""
        return self._open(BlobStore(self.blob_service(), self._options.jobs_table))

    @cached_property
    def usage(self) -> UsageStore:
        """What each key asked for."""
        return self._open(UsageStore(self.name, *self._table(USAGE_TABLE), self._options.timeout))

    @property
    def has_maps(self) -> bool:
        """Whether the account has an Azure Maps, so that it geocodes."""
        return self._maps_entry is not None

    @cached_property
    def maps(self) -> MapsClient:
        """The account's Azure Maps.

        Raises:
            MapsError: it has none, or its entry can't be used.
        """
        if self._maps_entry is None:
            raise MapsError(MapsFailure.CREDENTIAL, "the account has no maps entry in the key ring")
        return self._open(open_maps(self.name, self._maps_entry, self._options.maps, self.maps_counter))

    @cached_property
    def maps_counter(self) -> MapsCounter | None:
        """The day's count of items asked of Azure Maps; None where nothing bounds it. It closes with the jobs."""
        most = self._options.maps.items_per_day
        return None if most is None else MapsCounter(self.name, *self._jobs_table, self._options.timeout, most)

    def blob_service(self) -> BlobServiceClient:
        """A new client of the account's blobs, which the caller closes."""
        return BlobServiceClient(
            self._credential.blob_url,
            credential=blob_credential(self._credential),
            max_single_get_size=BLOCK,
            max_chunk_get_size=BLOCK,
            **self._client_options("blob", BLOCK_SECONDS) | STORAGE_RETRIES,
        )

    async def create_missing(self) -> None:
        """Creates each table, queue and container that is missing, also where others fail. Configures an emulator.

        Raises:
            StorageError: one of them could not be created: the identity may only read, or storage can't answer.
        """
        containers = (self.blobs.create_container(name) for name in (UPLOADS, VERSIONS, EXPORTS))
        parts = [self.jobs.create_table(), self.data_sources.create_table(), self.queue.create(), *containers]
        if isinstance(self._credential, SharedKeyCredential) and self._credential.account_name == EMULATOR_ACCOUNT:
            parts.append(self.blobs.set_cors(allowed=self._options.allow_cors))
        for result in await asyncio.gather(*parts, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    @property
    def blob_url(self) -> str:
        """The account's own blob endpoint."""
        return self._credential.blob_url

    async def close(self) -> None:
        """Closes every client, and the credential, which may have a client itself."""
        self.job_cache.close()
        parts: list[_Closable] = [self._delegated, self.jobs, *self._opened]
        if isinstance(self._credential, TokenCredential):
            parts.insert(0, self._credential.token)
        await close_all(parts)

    def _table(self, table: str) -> tuple[TableReader, TableClient]:
        credential, timeout = self._credential, self._options.timeout
        reads = TableReader(credential.table_url, table, TableAuth(credential, table), timeout, self._observer)
        reads.clock = self.clock
        return reads, TableClient(
            credential.table_url, table, credential=table_credential(credential), **self._client_options("table")
        )

    def _client_options(self, service: Service, read_timeout: float | None = None) -> dict[str, Any]:
        """How long a client of the SDKs waits, and how often it retries."""
        return client_options(self._observer, service, self._options.timeout, read_timeout)

    def _open(self, opened: _Opened) -> _Opened:
        self._opened.append(opened)
        return opened

    async def _fetch_key(self, start: datetime, expires: datetime) -> UserDelegationKey:
        async with self.blob_service() as blobs:
            return await blobs.get_user_delegation_key(start, expires)


async def close_all(parts: Sequence[_Closable]) -> None:
    """Closes all, each also where another fails to close."""
    async with AsyncExitStack() as stack:
        for part in parts:
            stack.push_async_callback(part.close)
