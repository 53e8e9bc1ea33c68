"""Deleting: a data source with all its versions, or its staged version alone (Delete a Data Source)."""

from dataclasses import replace

from adapters.model.jobs import JobRecord
from adapters.model.versions import has_no_versions, idempotent, without_staged
from adapters.tables.data_source_store import DataSource
from proxy.worker.cleanup import delete_unreferenced_blobs
from proxy.worker.data_source_update import MISSING, refuse_deleting
from proxy.worker.job import ConcurrentChangeError, JobAbortedError, RunningJob


async def delete(job: RunningJob) -> JobRecord:
    """Deletes what the work text says. The row goes first: from then on nobody finds a version that is half gone.

    Until the job is finished nobody may create the name again (write-side contract, "Data sources").

    Raises:
        AbortedError: there is a data source of this name that is not the one that was meant, or the staged version is
            to be deleted, and there is no data source.
        ChangedError: somebody has taken the mark away meanwhile; to be done again.
    """
    if job.work["staging"]:
        return await _delete_staged(job)
    await job.account.data_sources.change(job.name, lambda source: _marked(source, job), job.confirm)
    if await job.account.data_sources.change(job.name, lambda source: _removed(source, job)) is not None:
        raise ConcurrentChangeError("the data source was changed while it was being deleted")
    await delete_unreferenced_blobs(job.account, job.name)
    return job.completed()


async def _delete_staged(job: RunningJob) -> JobRecord:
    source = await job.account.data_sources.change(job.name, lambda source: _without_staged(source, job), job.confirm)
    await delete_unreferenced_blobs(job.account, job.name)
    return job.completed(source)


def _without_staged(source: DataSource | None, job: RunningJob) -> DataSource | None:
    """The data source without its staged version, or none where it had nothing else."""
    if source is None:
        if "source" not in job.work:
            raise JobAbortedError(MISSING)
        return None  # the request has seen it: an earlier try has deleted it
    job.refuse_other(source)
    refuse_deleting(source)
    left = idempotent(job.id, without_staged)(source)
    return None if has_no_versions(left) else left


def _marked(source: DataSource | None, job: RunningJob) -> DataSource | None:
    """The row says that it is being deleted; where there is none, an earlier try has deleted it."""
    if source is None:
        return None
    job.refuse_other(source)
    return replace(source, deleting=job.id)


def _removed(source: DataSource | None, job: RunningJob) -> DataSource | None:
    return None if source is not None and source.deleting == job.id else source
