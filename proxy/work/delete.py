"""Deleting: a data source with all its versions, or its staged version alone (Delete a Data Source)."""

from dataclasses import replace

from adapters.datasources import DataSource
from adapters.records import JobRecord
from proxy.work.job import Job
from proxy.work.source import change_source
from proxy.work.sweep import remove_versions
from proxy.work.versions import is_bare, without_staged


async def delete(job: Job) -> JobRecord:
    """Deletes what the work text says. The row goes first: from then on nobody finds a version that is half gone.

    Until the job is finished nobody may create the name again (write-side contract, "Data sources").

    Raises:
        AbortedError: the staged version is to be deleted, and there is no such data source.
    """
    if job.work["staging"]:
        return await _delete_staged(job)
    await job.confirm()
    if await job.account.datasources.change(job.name, lambda source: _marked(source, job)) is not None:
        await job.account.datasources.change(job.name, lambda source: _removed(source, job))
    await remove_versions(job.account, job.name)
    return job.completed()


async def _delete_staged(job: Job) -> JobRecord:
    source = await change_source(job, without_staged)
    if is_bare(source):
        await job.account.datasources.change(job.name, _unless_bare)
    await remove_versions(job.account, job.name)
    return job.completed(source)


def _marked(source: DataSource | None, job: Job) -> DataSource | None:
    """The row says that it is being deleted, unless it is another data source's, made after this job."""
    if source is None or source.created > job.record.created:
        return source
    return replace(source, deleting=job.id)


def _removed(source: DataSource | None, job: Job) -> DataSource | None:
    return None if source is not None and source.deleting == job.id else source


def _unless_bare(source: DataSource | None) -> DataSource | None:
    return None if source is None or is_bare(source) else source
