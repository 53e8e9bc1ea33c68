"""Changes data sources by the jobs that requests create: publish, roll back, make public or private, delete."""

from collections.abc import Callable

from adapters.account import AccountStorage
from adapters.model.data_sources import DataSourceVersion
from adapters.model.jobs import JobRecord
from adapters.tables.audit_rows import AuditEntry
from proxy.operations.audit import note_change
from proxy.operations.errors import OperationError
from proxy.operations.job_creation import create_job
from proxy.operations.refusals import translated_refusals
from proxy.operations.source_jobs import (
    SourceJob,
    SourceName,
    delete,
    plan_source_job,
    publish,
    roll_back,
    set_public,
)
from proxy.operations.source_views import SourceView, VersionState, show_source
from proxy.settings import Settings


class SourceChanges:
    """The changes of one account's data sources, in an operator's name. Each returns the job that makes it.

    Methods raise OperationError where the change is not possible now, and StorageError where storage can't answer.
    """

    def __init__(self, account: AccountStorage, settings: Settings, who: str) -> None:
        """`settings` has the quotas, `who` is the operator's name."""
        self._account, self._settings, self._who = account, settings, who

    async def publish(self, name: str) -> JobRecord:
        """Makes the staged version current."""
        return await self._create("sources publish", name, publish(), _describe_view)

    async def roll_back(self, name: str, version_id: str | None = None) -> JobRecord:
        """Makes an earlier version current again, by default the newest of them."""
        if version_id is None:
            version = (await show_source(self._account, name)).of(VersionState.EARLIER)
            if version is None:
                raise OperationError(f"The data source {name} has no earlier version to roll back to.")
            version_id = version.job_id
        return await self._create("sources rollback", name, roll_back(version_id), _describe_view)

    async def set_public(self, name: str, *, public: bool) -> JobRecord:
        """Makes the data source public or private."""
        job = set_public(public=public)
        return await self._create("sources set-public", name, job, lambda view: _word(public=view.source.is_public))

    async def delete(self, name: str, *, staging: bool = False) -> JobRecord:
        """Deletes the data source with all its versions, or its staged version alone."""
        what = "sources delete --staging" if staging else "sources delete"
        return await self._create(what, name, delete(staging=staging), _describe_view)

    async def _create(self, what: str, name: str, job: SourceJob, describe: Callable[[SourceView], str]) -> JobRecord:
        account = self._account
        before = describe(await show_source(account, name))
        with translated_refusals("The data source can't be changed"):
            record = await create_job(account, plan_source_job(job, SourceName(name), account, self._settings))
        after = f"job {record.row_key}"
        await note_change(account, AuditEntry(self._who, what, record.data_source_name or name, before, after))
        return record


def describe_published(version: DataSourceVersion | None) -> str:
    """The published version of a data source, None for none, as a row of the table audit has it."""
    return "not published" if version is None else f"published: version {version.job_id}"


def _describe_view(view: SourceView) -> str:
    return describe_published(view.of(VersionState.PUBLISHED))


def _word(*, public: bool) -> str:
    return "public" if public else "private"
