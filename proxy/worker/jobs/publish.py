"""Publishing: the staged version becomes the current one (Publish a Staged Data Source)."""

from adapters.model.jobs import JobRecord
from adapters.model.versions import publish_staged
from proxy.worker.data_source_update import change_source
from proxy.worker.job import RunningJob


async def publish(job: RunningJob) -> JobRecord:
    """Makes the staged version current, under the id of this job; its entities stay where they lie.

    Raises:
        AbortedError: there is no such data source.
        NoVersionError: nothing is staged.
    """
    source = await change_source(job, lambda source: publish_staged(source, job.id, job.now()))
    return job.completed(source)
