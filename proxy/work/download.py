"""Downloading: a version's entities as the XML that a load takes (Create a Download Job)."""

from adapters.records import JobRecord
from proxy.work.job import AbortedError, ChangedError, Job
from proxy.work.source import MISSING
from proxy.work.tasks import EXPORT, VERSION, ExportTask
from proxy.work.versions import NoVersionError, staged_version


async def download(job: Job) -> JobRecord:
    """Writes one version out, by default the published one.

    Raises:
        AbortedError: there is no such data source, or it is not the one that was meant.
        NoVersionError: it has no such version.
    """
    source = await job.account.datasources.get(job.name)
    if source is None:
        raise AbortedError(MISSING)
    job.refuse_other(source)
    wanted = job.work["version"]
    found = (source.published, staged_version(source, job.now()), *source.earlier)
    there = (each for each in found if each is not None)
    version = source.published if wanted is None else next((each for each in there if each.job_id == wanted), None)
    if version is None:
        raise NoVersionError("the data source has no such version")

    if not await job.account.files.fetch(version.blob, job.folder / VERSION):
        raise ChangedError("the version's entities are gone")
    await job.read(ExportTask(str(job.folder), version.schema, source.name))
    output = job.export(".xml")
    await job.account.files.send(job.folder / EXPORT, output)
    return job.completed(source, output)
