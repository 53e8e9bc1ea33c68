"""Loads a file of an operator's machine by the job that a request with the same data creates."""

from pathlib import Path

from adapters.account import AccountStorage
from adapters.blobs.store import UPLOADS
from adapters.model.data_sources import DataSource
from adapters.model.jobs import BlobPath, JobRecord
from adapters.tables.audit_rows import AuditEntry
from proxy.operations.audit import note_change
from proxy.operations.job_creation import create_job, now
from proxy.operations.load_creation import NewLoad, check_load, plan_load
from proxy.operations.refusals import translated_refusals
from proxy.operations.source_changes import describe_published
from proxy.settings import Settings
from proxy.wire.parameters import LoadRequest

NOT_LOADED = "The data source can't be loaded"


class FileLoads:
    """The loads of one account, in an operator's name.

    Methods raise OperationError where the load is not possible now, and StorageError where storage can't answer.
    """

    def __init__(self, account: AccountStorage, settings: Settings, who: str) -> None:
        """`settings` has the quotas, `who` is the operator's name."""
        self._account, self._settings, self._who = account, settings, who

    async def find_source(self, request: LoadRequest) -> DataSource | None:
        """The data source that the load changes; None where it creates one. Checks that the account may load it now."""
        with translated_refusals(NOT_LOADED):
            source, _ = await check_load(request, self._account, self._settings)
        return source

    async def load(self, file: Path, request: LoadRequest, query_key: str | None = None) -> JobRecord:
        """Stores a file and creates its job.

        Args:
            file: the data.
            request: the parameters of the load.
            query_key: the digest, as rows have it, of the key that may query the data source.

        Returns:
            The job.
        """
        account = self._account
        source = await self.find_source(request)
        upload = BlobPath(UPLOADS, f"{account.name}/{account.jobs.ids.next(now())}")
        await account.blobs.upload_file(file, upload)
        # No master key: the console has none, and a new data source needs none.
        load = NewLoad(request, upload, query_key=query_key)
        with translated_refusals(NOT_LOADED):
            record = await create_job(account, plan_load(load, account, self._settings), upload=upload)
        before = describe_published(None if source is None else source.published)
        name, after = record.data_source_name or request.name, f"job {record.row_key}"
        await note_change(account, AuditEntry(self._who, f"sources load {request.operation}", name, before, after))
        return record
