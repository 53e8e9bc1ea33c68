"""Downloading: a version's entities as the XML that a load takes (Create a Download Job)."""

from adapters.model.jobs import JobRecord
from adapters.model.versions import VersionNotFoundError, staged_version
from proxy.worker.data_source_update import MISSING
from proxy.worker.job import ConcurrentChangeError, JobAbortedError, RunningJob
from proxy.worker.reader_tasks import EXPORT, VERSION, ExportTask


async def download(job: RunningJob) -> JobRecord:
    """Writes one version out, by default the published one.

    Raises:
        AbortedError: there is no such data source, or it is not the one that was meant.
        NoVersionError: it has no such version.
    """
    source = await job.account.data_sources.get(job.name)
    if source is None:
        raise JobAbortedError(MISSING)
    job.refuse_other(source)
    wanted = job.work["version"]
    found = (source.published, staged_version(source, job.now()), *source.earlier)
    there = (each for each in found if each is not None)
    version = source.published if wanted is None else next((each for each in there if each.job_id == wanted), None)
    if version is None:
        raise VersionNotFoundError("the data source has no such version")

    if not await job.account.blobs.download_file(version.blob, job.folder / VERSION):
        raise ConcurrentChangeError("the version's entities are gone")
    await job.read(ExportTask(str(job.folder), version.schema, source.name))
    output = job.export(".xml")
    await job.account.blobs.upload_file(job.folder / EXPORT, output)
    return job.completed(source, output)
