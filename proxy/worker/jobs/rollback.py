"""Rolling back: an earlier version becomes the current one again (Rollback a Data Source Dataflow)."""

from adapters.model.jobs import JobRecord
from adapters.model.versions import roll_back
from proxy.worker.data_source_update import change_source
from proxy.worker.job import RunningJob


async def rollback(job: RunningJob) -> JobRecord:
    """Makes the version current that the work text names.

    Raises:
        AbortedError: there is no such data source.
        NoVersionError: it has no such earlier version.
    """
    source = await change_source(job, lambda source: roll_back(source, job.work["version"]))
    return job.completed(source)
