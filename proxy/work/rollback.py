"""Rolling back: an earlier version becomes the current one again (Rollback a Data Source Dataflow)."""

from adapters.records import JobRecord
from proxy.work.job import Job
from proxy.work.source import change_source
from proxy.work.versions import rolled_back


async def rollback(job: Job) -> JobRecord:
    """Makes the version current that the work text names.

    Raises:
        AbortedError: there is no such data source.
        NoVersionError: it has no such earlier version.
    """
    source = await change_source(job, lambda source: rolled_back(source, job.work["version"]))
    return job.completed(source)
