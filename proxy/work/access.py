"""Making a data source public or private (Make a Data Source Public)."""

from dataclasses import replace

from adapters.records import JobRecord
from proxy.work.job import Job
from proxy.work.source import change_source


async def access(job: Job) -> JobRecord:
    """Sets whether the data source is public.

    Raises:
        AbortedError: there is no such data source.
    """
    source = await change_source(job, lambda source: replace(source, is_public=job.work["public"]))
    return job.completed(source)
