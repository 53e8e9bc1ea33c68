"""Publishing, rolling back, and setting access: each is one atomic change of the data source's row."""

from dataclasses import replace

from adapters.model.data_sources import DataSource
from adapters.model.jobs import JobRecord
from adapters.model.versions import Change, idempotent, publish_staged
from adapters.model.versions import roll_back as roll_back_to
from proxy.worker.job import RunningJob, ensure_not_deleting


async def publish(job: RunningJob) -> JobRecord:
    """Makes the staged version current, under the id of this job. Its entities stay in their blob.

    Raises:
        VersionNotFoundError: no version is staged.
    """
    return await _change(job, lambda source: publish_staged(source, job.id, job.now()))


async def roll_back(job: RunningJob) -> JobRecord:
    """Makes an earlier version current again.

    Raises:
        VersionNotFoundError: there is no such earlier version.
    """
    return await _change(job, lambda source: roll_back_to(source, job.work["version"]))


async def set_access(job: RunningJob) -> JobRecord:
    """Makes the data source public or private."""
    return await _change(job, lambda source: replace(source, is_public=job.work["public"]))


async def _change(job: RunningJob, change: Change) -> JobRecord:
    """Applies the change once, however often the job runs.

    Raises:
        JobAbortedError: the data source is missing, being deleted, or not the one that the request meant.
        LeaseLostError: this attempt does not count any more.
    """

    def apply(found: DataSource | None) -> DataSource:
        source = job.require(found)
        ensure_not_deleting(source)
        return idempotent(job.id, change)(source)

    return job.completed(await job.account.data_sources.change(job.name, apply, job.confirm))
