"""An account of the write side as routes and callers see it: jobs are created, done by a worker, and looked at."""

import asyncio
import atexit
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
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
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.tables.data_source_store import DataSource, DataSourceVersion
from proxy.formats.limits import LoadLimits
from proxy.formats.parquet import read_entities
from proxy.worker.attempt import WorkerContext
from proxy.worker.job import WorkerLimits, now
from proxy.worker.lease import run_leased_job
from proxy.worker.reader_pool import ReaderLimits, ReaderPool
from tests.support.storage import Storage

# Kept for all stories: a process takes half a second to start.
READERS = ReaderPool(ReaderLimits())
atexit.register(READERS.close)

TERMS = WorkerLimits(LoadLimits(), 300 * 1024 * 1024, frozenset(), tries=3)

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
    """The account, and the place where its jobs are done."""

    account: AccountStorage
    place: WorkerContext

    async def create(self, job_type: JobType, name: str = "Shops", **work: Any) -> str:
        """Creates a job as a route does."""
        job_id = await self.create_row(job_type, name, **work)
        await self.account.queue.enqueue(job_id)
        return job_id

    async def create_row(self, job_type: JobType, name: str = "Shops", **work: Any) -> str:
        """The same, but its message is lost."""
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
        """Creates a load of data that was sent."""
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

    async def download(self, version: str | None = None) -> str:
        return await self.create(JobType.DOWNLOAD, version=version)

    async def create_download(self, name: str) -> str:
        return await self.create(JobType.DOWNLOAD, name, version=None)

    async def work(self, **terms: Any) -> None:
        """Does all jobs that wait, also those that come back."""
        place = replace(self.place, limits=replace(self.place.limits, **terms))
        stop, lease = asyncio.Event(), None
        while lease is not None or await self.account.queue.length():
            lease = lease or await self.account.queue.receive()
            if lease is None:
                await asyncio.sleep(0.05)
            else:
                lease = await run_leased_job(self.account, lease, place, stop)

    async def done(self, job: Awaitable[str], **terms: Any) -> JobRecord:
        """The record of a job, once it and all others have been done."""
        job_id = await job
        await self.work(**terms)
        return await self.record(job_id)

    async def record(self, job_id: str) -> JobRecord:
        found = await self.account.jobs.job(job_id)
        assert found is not None
        return found

    async def step(self, lease: Lease) -> None:
        """Does what a worker does with one message; who comes next waits for another worker."""
        following = await run_leased_job(self.account, lease, self.place, asyncio.Event())
        if following is not None:
            await following.release()

    async def ended(self, job_id: str, status: JobStatus = JobStatus.COMPLETED) -> JobRecord:
        """A job's record as it would be when it has ended."""
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
        """The same of the published version."""
        return await self.notes((await self.the_source()).published)

    async def entities(self, version: DataSourceVersion | None) -> list[dict[str, Any]]:
        assert version is not None
        file = self.place.folder / "looked-at.parquet"
        assert await self.account.blobs.download_file(version.blob, file)
        return [row for batch in read_entities(file) for row in batch.to_pylist()]

    async def text(self, path: BlobPath | None) -> str:
        """A blob's content as text."""
        return (await self.content(path)).decode()

    async def content(self, path: BlobPath | None) -> bytes:
        """A blob's content."""
        assert path is not None
        file = self.place.folder / "looked-at"
        assert await self.account.blobs.download_file(path, file)
        return file.read_bytes()

    async def blobs(self, container: str) -> list[str]:
        """The names of the account's blobs in a container, without the account."""
        prefix = f"{self.account.name}/"
        return [path.name.removeprefix(prefix) for path in await self.account.blobs.list(container, prefix)]


def of_a_try(path: BlobPath | None, form: str) -> bool:
    """Whether a blob lies where the form says, with the name of a try, 12 hex digits, in the place of `{}`."""
    before, _, after = form.partition("{}")
    return re.fullmatch(f"{re.escape(before)}[0-9a-f]{{12}}{re.escape(after)}", str(path)) is not None


Story = Callable[[Desk], Awaitable[None]]


def play(storage: Storage, story: Story, lease_seconds: float = 30, entry: str | None = None) -> None:
    """Runs a story against the storage; `entry` is another connection string to it."""

    async def run() -> None:
        entries = {storage.account: ConnectionStringConfig(entry or storage.connection_string)}
        options = StorageOptions(storage.table_name, timedelta(hours=1), 5, lease_seconds=lease_seconds)
        with TemporaryDirectory() as folder:
            async with AccountRegistry(entries, options) as accounts:
                account = accounts[storage.account]
                await account.data_sources.create_table()
                await account.queue.create()
                await story(Desk(account, WorkerContext(TERMS, Path(folder), READERS)))

    asyncio.run(run())
