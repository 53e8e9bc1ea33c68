"""The account's own storage: what a migration loads there, by the code of a load job and within its limits."""

from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import Any

from adapters.account import AccountStorage
from adapters.blobs.store import EXPORTS
from adapters.errors import StorageError, StorageErrorCode
from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import Ticks
from adapters.model.versions import has_no_versions, staged_version, without_staged
from adapters.tables.properties import MalformedRowError
from proxy.comparison.service_document import ListedSource
from proxy.formats.loader import InputFormat
from proxy.migration.errors import NotCopiedError
from proxy.worker.job import JobAbortedError, RunningJob, WorkerContext
from proxy.worker.jobs.load import load
from proxy.worker.reader_pool import ReaderKilledError, ReadingError
from proxy.worker.reader_tasks import VERSION, DigestTask, EntityDigest


@dataclass(frozen=True, slots=True)
class PlannedLoad:
    """A load of the migration: the row of its job, the service's date of the version, and what the file has.

    The row is that of the service's own job where that is known, so that both sides have the same jobs.
    """

    record: JobRecord
    updated: Ticks | None
    entities: int
    failed: int


@dataclass(eq=False)
class MigrationLoad(RunningJob):
    """A load without a message and a claim. Its row is written when the version is there, so no worker takes it."""

    updated: Ticks | None = None

    def now(self) -> Ticks:
        """The service's date of the version, which programs see and staged versions end by."""
        return super().now() if self.updated is None else self.updated

    async def confirm(self) -> None:
        """Nothing: the lock of the state folder forbids another attempt."""

    async def report_progress(self) -> None:
        """Nothing: the state has the counts."""


class TargetAccount:
    """Writes to an account's storage.

    Methods raise StorageError where it does not answer, OSError where this machine's disk can't be used, and
    NotCopiedError where the data can't be loaded.
    """

    def __init__(self, account: AccountStorage, context: WorkerContext, master_key: str) -> None:
        """`master_key` is the digest of the key that new data sources get, as in rows."""
        self._account = account
        self._context = context
        self._master_key = master_key

    @property
    def account(self) -> AccountStorage:
        """The account."""
        return self._account

    async def find(self, name: str) -> DataSource | None:
        """The data source of this name."""
        try:
            return await self._account.data_sources.get(name)
        except MalformedRowError as error:
            raise NotCopiedError(f"its row here can't be used: {error}; mend or delete the row") from None
        except StorageError as error:
            if error.code is StorageErrorCode.NO_TABLE:  # a dry run makes none
                return None
            raise

    async def find_version(self, listed: ListedSource) -> DataSourceVersion | None:
        """The version here in the place of a listed one.

        Raises:
            NotCopiedError: the data source is loaded here under another access id, or is being deleted.
        """
        source = await self.find(listed.name)
        if source is None:
            return None
        if source.deleting is not None:
            raise NotCopiedError("it is being deleted here; run the command again when that has ended")
        is_loaded = bool(source.applied) or not has_no_versions(source)
        if is_loaded and source.access_id.lower() != listed.access_id.lower():
            raise NotCopiedError(
                f"it is loaded here under the access id {source.access_id}, and at the service under "
                f"{listed.access_id}, so that programs would not find it; delete it here, and run the command again"
            )
        return staged_version(source, self._account.clock.now()) if listed.is_staging else source.published

    async def has_loaded(self, listed: ListedSource, job_id: str) -> bool:
        """Whether this load has switched the data source's version."""
        source = await self.find(listed.name)
        return bool(job_id) and source is not None and job_id in source.applied

    async def digest_file(self, folder: Path) -> EntityDigest:
        """The digest of the service's file in a folder."""
        return await self._digest(folder, None)

    async def digest_version(self, version: DataSourceVersion, folder: Path) -> EntityDigest:
        """The digest of a version here."""
        if not await self._account.blobs.download_file(version.blob, folder / VERSION):
            raise NotCopiedError(f"the entities of its version {version.job_id} are not in storage any more")
        return await self._digest(folder, version.schema)

    async def load(self, listed: ListedSource, planned: PlannedLoad, folder: Path) -> None:
        """Makes the version that the file in a folder holds, in one step, and its job's row. It can be repeated."""
        await self._set_access_id(listed)
        processed, failed = planned.entities + planned.failed, planned.failed
        record = replace(planned.record, status=JobStatus.PENDING, processed=processed, failed=failed)
        work = {
            "operation": "completeStaging" if listed.is_staging else "complete",
            "input": InputFormat.XML.value,
            "public": None if listed.is_staging else listed.is_public,
            "access_id": listed.access_id,
            "master_key": self._master_key,
            "query_key": None,
        }
        job = MigrationLoad(self._account, record, self._context, folder, token_hex(6), work, updated=planned.updated)
        try:
            ended = await load(job)
        except (JobAbortedError, ReadingError, ReaderKilledError) as error:
            raise NotCopiedError(f"its file can't be loaded: {error}") from None
        is_imported = record.legacy_id is not None
        row = replace(planned.record, failed_blob=ended.failed_blob) if is_imported else ended
        await self._account.jobs.upsert([row])

    async def align(self, listed: ListedSource, query_key: str | None) -> DataSource | None:
        """Gives a data source the service's public flag, and a query key where one is given."""

        def change(found: DataSource | None) -> DataSource | None:
            if found is None or has_no_versions(found):
                return found
            return replace(found, is_public=listed.is_public, query_key=query_key or found.query_key)

        return await self._account.data_sources.change(listed.name, change)

    async def drop_staged(self, name: str, version_id: str) -> None:
        """Removes a staged version of an earlier run: the service has none any more."""

        def change(found: DataSource | None) -> DataSource | None:
            if found is None or found.staged is None or found.staged.job_id != version_id:
                return found
            left = without_staged(found)
            return None if has_no_versions(left) else left

        await self._account.data_sources.change(name, change)

    async def upload_output(self, file: Path, job: JobRecord, name: str) -> BlobPath:
        """Stores an output of an imported job; the path is the same each time, so that it can be repeated."""
        path = BlobPath(EXPORTS, f"{self._account.name}/{job.row_key}/{job.row_key[-12:]}/{name}")
        await self._account.blobs.upload_file(file, path)
        return path

    def new_load(self, listed: ListedSource, load_id: str | None = None) -> JobRecord:
        """The row of a load that begins now."""
        now = self._account.clock.now()
        return JobRecord(
            row_key=load_id or new_job_id(now),
            job_type=JobType.COMPLETE_STAGING if listed.is_staging else JobType.COMPLETE,
            status=JobStatus.PENDING,
            created=now,
            data_source_name=listed.name,
            access_id=listed.access_id,
            description=listed.description or None,
        )

    async def is_free(self, listed: ListedSource, load_id: str) -> bool:
        """Whether no job here has this id. The clean-up deletes what a finished job wrote and no version names."""
        held = await self._account.jobs.get_with_payload(load_id)
        return held is None and not await self.has_loaded(listed, load_id)

    async def _set_access_id(self, listed: ListedSource) -> None:
        """Gives a data source that was prepared here, and never loaded, the service's access id."""

        def change(found: DataSource | None) -> DataSource | None:
            if found is None or found.applied or not has_no_versions(found):
                return found
            return replace(found, access_id=listed.access_id, master_key=found.master_key or self._master_key)

        await self._account.data_sources.change(listed.name, change)

    async def _digest(self, folder: Path, schema: str | None) -> EntityDigest:
        limits = self._context.limits.load
        task = DigestTask(str(folder), InputFormat.XML.value, limits.entities, limits.unpacked_bytes, schema)
        try:
            members: dict[str, Any] = await self._context.readers.run(task, lambda _processed, _failed: None)
        except (ReadingError, ReaderKilledError) as error:
            raise NotCopiedError(f"its file can't be read: {error}") from None
        return EntityDigest(**members)
