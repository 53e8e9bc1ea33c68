"""Publishing: the staged version becomes the current one (Publish a Staged Data Source)."""

from adapters.records import JobRecord
from proxy.work.job import Job
from proxy.work.source import change_source
from proxy.work.versions import published


async def publish(job: Job) -> JobRecord:
    """Makes the staged version current, under the id of this job; its entities stay where they lie.

    Raises:
        AbortedError: there is no such data source.
        NoVersionError: nothing is staged.
    """
    source = await change_source(job, lambda source: published(source, job.id, job.now()))
    return job.completed(source)
