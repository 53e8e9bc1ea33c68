"""Deleting: a data source with all its versions, or its staged version alone (Delete a Data Source)."""

from dataclasses import replace

from adapters.model.data_sources import DataSource
from adapters.model.jobs import JobRecord
from adapters.model.versions import has_no_versions, idempotent, without_staged
from proxy.worker.cleanup import delete_unreferenced_blobs
from proxy.worker.job import ConcurrentChangeError, RunningJob, ensure_not_deleting


async def delete(job: RunningJob) -> JobRecord:
    """Deletes the data source, or its staged version. The row goes first, so nobody finds a half deleted version.

    Until the job has ended the name can't be created again (write-contract.md, "Data sources").

    Raises:
        JobAbortedError: the data source is missing or not the one that the request meant.
        ConcurrentChangeError: another writer removed the deletion mark.
    """
    change, source = job.account.data_sources.change, None
    if job.work["staging"]:
        source = await change(job.name, lambda found: _remove_staged(found, job), job.confirm)
    else:
        await change(job.name, lambda found: found and replace(job.require(found), deleting=job.id), job.confirm)
        if await change(job.name, lambda found: None if found and found.deleting == job.id else found) is not None:
            raise ConcurrentChangeError("the data source was changed while it was being deleted")
    await delete_unreferenced_blobs(job.account, job.name)
    return job.completed(source)


def _remove_staged(found: DataSource | None, job: RunningJob) -> DataSource | None:
    """Removes the staged version, and the row if it has no other version."""
    if found is None and "source" in job.work:
        return None  # the request found the data source, so an earlier attempt has deleted it
    source = job.require(found)
    ensure_not_deleting(source)
    left = idempotent(job.id, without_staged)(source)
    return None if has_no_versions(left) else left
