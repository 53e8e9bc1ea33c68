"""An account of the write side for tests: creates jobs as requests do, runs them, and reads the results."""

import asyncio
import atexit
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapters.account import AccountStorage, StorageOptions
from adapters.accounts import AccountRegistry
from adapters.blobs.store import UPLOADS
from adapters.credentials.config import ConnectionStringConfig
from adapters.job_queue import Lease
from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from proxy.formats.limits import LoadLimits
from proxy.formats.parquet import read_entities
from proxy.worker.job import WorkerContext, WorkerLimits, now
from proxy.worker.lease import run_leased_job
from proxy.worker.reader_pool import ReaderLimits, ReaderPool
from tests.support.storage import BUSY_SECONDS, Storage

WAIT_SECONDS = 60
"""How long what must happen may take: a busy machine may not run a process for seconds."""

# One event loop and one pool of readers for all tests, because a reader takes half a second to start.
RUNNER = asyncio.Runner()
READERS = ReaderPool(ReaderLimits())
atexit.register(lambda: RUNNER.run(READERS.close()))

LIMITS = WorkerLimits(LoadLimits(), 300 * 1024 * 1024, frozenset(), tries=3)

LOCATION = "Latitude(Edm.Double),Longitude(Edm.Double)"
"""Each schema needs one."""

OPERATIONS = {
    "complete": JobType.COMPLETE,
    "completeStaging": JobType.COMPLETE_STAGING,
    "incremental": JobType.INCREMENTAL,
    "incrementalStaging": JobType.INCREMENTAL_STAGING,
}


def shops(*ids: str, note: str = "", more: str = "") -> bytes:
    """A load in CSV: entities with these ids, each with the same note; `more` is added as it is."""
    lines = ["Bing Spatial Data Services, 1.0, Shops", f"Id(Edm.String,primaryKey),Note(Edm.String),{LOCATION}"]
    return "\n".join([*lines, *(f"{each},{note},1,2" for each in ids), more]).encode()


@dataclass(frozen=True)
class Desk:
    """An account, and what a worker needs to do its jobs."""

    account: AccountStorage
    context: WorkerContext

    async def create(self, job_type: JobType, name: str = "Shops", **work: Any) -> str:
        """Creates a job as a request does."""
        job_id = await self.create_row(job_type, name, **work)
        await self.account.queue.enqueue(job_id)
        return job_id

    async def create_row(self, job_type: JobType, name: str = "Shops", **work: Any) -> str:
        """Creates a job without a message."""
        record = JobRecord(
            row_key=work.pop("job_id", None) or new_job_id(now()),
            job_type=job_type,
            status=JobStatus.PENDING,
            created=now(),
            data_source_name=name,
            access_id=work.get("access_id"),
        )
        await self.account.jobs.create(record, json.dumps(work))
        return record.row_key

    async def load(self, data: bytes, operation: str = "complete", name: str = "Shops", **work: Any) -> str:
        """Creates a load of data in the request's body."""
        job_id = new_job_id(now())
        upload = BlobPath(UPLOADS, f"{self.account.name}/{job_id}")

        async def body() -> AsyncIterator[bytes]:
            yield data

        await self.account.blobs.write(upload, body())
        usual = {
            "operation": operation,
            "input": "csv",
            "upload": str(upload),
            "public": None,
            "access_id": "acc",
            "master_key": "sha256:aa",
            "query_key": None,
        }
        return await self.create(OPERATIONS[operation], name, job_id=job_id, **(usual | work))

    async def publish(self) -> str:
        return await self.create(JobType.PUBLISH)

    async def rollback(self, version: str) -> str:
        return await self.create(JobType.ROLLBACK, version=version)

    async def delete(self, *, staging: bool = False) -> str:
        return await self.create(JobType.DELETE, staging=staging)

    async def download(self, version: str | None = None, name: str = "Shops") -> str:
        return await self.create(JobType.DOWNLOAD, name, version=version)

    async def work(self, **limits: Any) -> None:
        """Does all jobs in the queue, also those that come back."""
        context = replace(self.context, limits=replace(self.context.limits, **limits))
        while await self.account.queue.approximate_length():
            lease = await self.account.queue.receive()
            if lease is None:
                await asyncio.sleep(0.05)
            else:
                await run_leased_job(self.account, lease, context, asyncio.Event())

    async def done(self, job: Awaitable[str], **limits: Any) -> JobRecord:
        """The record of a job after all jobs in the queue are done."""
        job_id = await job
        await self.work(**limits)
        return await self.record(job_id)

    async def record(self, job_id: str) -> JobRecord:
        found = await self.account.jobs.get(job_id)
        assert found is not None
        return found

    async def receive(self) -> Lease:
        """The lease of the next job in the queue, once one can be received."""
        async with asyncio.timeout(WAIT_SECONDS):
            while (lease := await self.account.queue.receive()) is None:  # noqa: ASYNC110  storage changes
                await asyncio.sleep(0.05)
        return lease

    async def next_try(self, lease: Lease) -> int:
        """The number of the attempt that would begin with this lease."""
        held = await self.account.jobs.get_held(lease.job_id)
        assert held is not None
        return held.next_attempt(lease.message_id)

    async def step(self, lease: Lease) -> None:
        """Does what a worker does with one message."""
        await run_leased_job(self.account, lease, self.context, asyncio.Event())

    async def ended(self, job_id: str, status: JobStatus = JobStatus.COMPLETED) -> JobRecord:
        """The job's record with another status."""
        return replace(await self.record(job_id), status=status)

    async def source(self, name: str = "Shops") -> DataSource | None:
        return await self.account.data_sources.get(name)

    async def the_source(self) -> DataSource:
        found = await self.source()
        assert found is not None
        return found

    async def notes(self, version: DataSourceVersion | None) -> dict[str, Any]:
        """The entities of a version: each id with its note."""
        return {row["Id"]: row["Note"] for row in await self.entities(version)}

    async def published(self) -> dict[str, Any]:
        """The entities of the published version: each id with its note."""
        return await self.notes((await self.the_source()).published)

    async def entities(self, version: DataSourceVersion | None) -> list[dict[str, Any]]:
        assert version is not None
        file = self.context.folder / "downloaded.parquet"
        assert await self.account.blobs.download_file(version.blob, file)
        return [row for batch in read_entities(file) for row in batch.to_pylist()]

    async def text(self, path: BlobPath | None) -> str:
        """A blob's content as text."""
        return (await self.content(path)).decode()

    async def content(self, path: BlobPath | None) -> bytes:
        """A blob's content."""
        assert path is not None
        file = self.context.folder / "downloaded"
        assert await self.account.blobs.download_file(path, file)
        return file.read_bytes()

    async def blobs(self, container: str) -> list[str]:
        """The names of the account's blobs in a container, without the account."""
        prefix = f"{self.account.name}/"
        return [path.name.removeprefix(prefix) for path in await self.account.blobs.list_blobs(container, prefix)]


def is_try_blob(path: BlobPath | None, pattern: str) -> bool:
    """Whether a blob has this path, with the 12 hex digits of an attempt in the place of `{}`."""
    before, _, after = pattern.partition("{}")
    return re.fullmatch(f"{re.escape(before)}[0-9a-f]{{12}}{re.escape(after)}", str(path)) is not None


Story = Callable[[Desk], Awaitable[None]]


@asynccontextmanager
async def open_desk(storage: Storage, lease_seconds: float = 30, entry: str | None = None) -> AsyncIterator[Desk]:
    """The storage's account with its data source table and its queue; `entry` is another connection string to it."""
    entries = {storage.account: ConnectionStringConfig(entry or storage.connection_string)}
    options = StorageOptions(storage.table_name, timedelta(hours=1), BUSY_SECONDS, lease_seconds=lease_seconds)
    with TemporaryDirectory() as folder:
        async with AccountRegistry(entries, options) as accounts:
            account = accounts[storage.account]
            await account.data_sources.create_table()
            await account.queue.create()
            yield Desk(account, WorkerContext(LIMITS, Path(folder), READERS))


def play(storage: Storage, story: Story, lease_seconds: float = 30, entry: str | None = None) -> None:
    """Runs a story with the storage's account."""

    async def run() -> None:
        async with open_desk(storage, lease_seconds, entry) as desk:
            await story(desk)

    RUNNER.run(run())
