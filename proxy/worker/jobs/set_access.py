"""Making a data source public or private (Make a Data Source Public)."""

from dataclasses import replace

from adapters.model.jobs import JobRecord
from proxy.worker.data_source_update import change_source
from proxy.worker.job import RunningJob


async def access(job: RunningJob) -> JobRecord:
    """Sets whether the data source is public.

    Raises:
        AbortedError: there is no such data source.
    """
    source = await change_source(job, lambda source: replace(source, is_public=job.work["public"]))
    return job.completed(source)
