"""Downloading: a version's entities as the XML that a load takes (Create a Download Job)."""

from adapters.model.jobs import JobRecord
from adapters.model.versions import VersionNotFoundError, staged_version
from proxy.worker.job import ConcurrentChangeError, RunningJob
from proxy.worker.reader_tasks import EXPORT, VERSION, ExportTask


async def download(job: RunningJob) -> JobRecord:
    """Exports one version, by default the published one.

    Raises:
        JobAbortedError: the data source is missing, or not the one that the request meant.
        VersionNotFoundError: it has no such version.
        ConcurrentChangeError: the version's entities were deleted meanwhile.
    """
    source = job.require(await job.account.data_sources.get(job.name))
    candidates = (source.published, staged_version(source, job.now()), *source.earlier)
    version_id = job.work["version"]
    version = next((each for each in candidates if each and each.job_id == version_id), None)
    if version_id is None:
        version = source.published
    if version is None:
        raise VersionNotFoundError("the data source has no such version")

    if not await job.account.blobs.download_file(version.blob, job.folder / VERSION):
        raise ConcurrentChangeError("the version's entities are gone")
    await job.read(ExportTask(str(job.folder), version.schema, source.name))
    output = job.export_blob(".xml")
    await job.account.blobs.upload_file(job.folder / EXPORT, output)
    return job.completed(source, output)
