"""Loading: data of the request, or fetched from elsewhere, becomes a version (Create a Load Data Source Job)."""

from dataclasses import replace
from pathlib import PurePosixPath

from adapters.model.data_sources import DataSource, DataSourceVersion
from adapters.model.jobs import BlobPath, JobRecord
from adapters.model.ticks import Ticks
from adapters.model.versions import idempotent, list_versions, publish_version, stage_version, staged_version
from adapters.remote.fetch import fetch_location
from proxy.worker.job import ConcurrentChangeError, JobAbortedError, RunningJob, ensure_not_deleting
from proxy.worker.reader_pool import ReadingError
from proxy.worker.reader_tasks import BASE, DATA, FAILURES, VERSION, LoadedVersion, LoadTask

# The longest download of a `dataLocation`, however slow its server is.
LOCATION_SECONDS = 900.0

ERROR_LOG = "-failed.txt"

INCREMENTAL_OPERATIONS = frozenset(("incremental", "incrementalStaging"))
STAGING_OPERATIONS = frozenset(("completeStaging", "incrementalStaging"))

NOTHING_TO_UPDATE = "There is no version to update: load the data source with the operation complete first."


async def load(job: RunningJob) -> JobRecord:
    """Makes a version of the data, and publishes or stages it in one step at the end.

    Raises:
        JobAbortedError: there is no version to update, or the uploaded data is gone.
        ReadingError: the data can't be read.
        BlobTooLargeError: the data is too large.
        FetchError: the data can't be fetched.
        ConcurrentChangeError: another job changed the version to update.
    """
    source = await job.account.data_sources.get(job.name)
    if source is not None and job.id in source.applied:  # a worker died after the switch
        return _completed_earlier(job, source)
    base = find_base(job.work["operation"], source, job.now())
    await _download(job, base)

    limits, schema = job.context.limits.load, None if base is None else base.schema
    task = LoadTask(str(job.folder), job.work["input"], limits.entities, limits.unpacked_bytes, schema)
    try:
        loaded = LoadedVersion(**await job.read(task))
    except ReadingError:  # an aborted load has its error log too
        await _upload_error_log(job)
        raise
    await _upload_error_log(job)
    await job.account.blobs.upload_file(job.folder / VERSION, job.version_blob)

    version = DataSourceVersion(
        job_id=job.id,
        blob=job.version_blob,
        entity_type=loaded.entity_type,
        schema=loaded.schema,
        entities=loaded.entities,
        updated=job.now(),
    )
    # An attempt that finds the switch made takes the counts from the row.
    await job.report_progress()

    def switch(found: DataSource | None) -> DataSource:
        return _switch(job, found, base, version)

    return job.completed(await job.account.data_sources.change(job.name, switch, job.confirm))


def _is_staging(job: RunningJob) -> bool:
    return job.work["operation"] in STAGING_OPERATIONS


def find_base(operation: str, source: DataSource | None, now: Ticks) -> DataSourceVersion | None:
    """The version that a load updates: the published one, or the staged one if it stages; None for a complete load.

    Args:
        operation: the load's `loadOperation`.
        source: the data source, where it exists.
        now: the storage account's time.

    Raises:
        JobAbortedError: there is no version to update.
    """
    if operation not in INCREMENTAL_OPERATIONS:
        return None
    found = None if source is None else source.published
    if source is not None and operation in STAGING_OPERATIONS:
        found = staged_version(source, now) or found
    if found is None:
        raise JobAbortedError(NOTHING_TO_UPDATE)
    return found


async def _download(job: RunningJob, base: DataSourceVersion | None) -> None:
    """Downloads the data, and the version to update, to the job's directory."""
    data, location, blobs = job.folder / DATA, job.work.get("location"), job.account.blobs
    if location is not None:
        limits, own = job.context.limits, job.account.blob_url
        await fetch_location(location, limits.location_hosts, own, data, limits.upload_bytes, LOCATION_SECONDS)
    elif not data.exists():  # a migration has fetched it to the job's directory
        upload = BlobPath.parse(job.work["upload"])
        if upload is None or not await blobs.download_file(upload, data):
            raise JobAbortedError("The data that was sent is not there any more.")
    if base is not None and not await blobs.download_file(base.blob, job.folder / BASE):
        raise ConcurrentChangeError("the version's entities are gone")


async def _upload_error_log(job: RunningJob) -> None:
    log = job.folder / FAILURES
    if log.exists() and log.stat().st_size:  # entities that loaded may have lines, too
        await job.account.blobs.upload_file(log, job.export_blob(ERROR_LOG))
        job.failed_blob = job.export_blob(ERROR_LOG)


def _switch(
    job: RunningJob, found: DataSource | None, base: DataSourceVersion | None, version: DataSourceVersion
) -> DataSource:
    """The data source with the new version; a new data source if there was none."""
    work = job.work
    source = found or DataSource(
        name=job.name,
        access_id=work["access_id"],
        created=job.record.created,
        master_key=work["master_key"],
    )
    ensure_not_deleting(source)

    def change(source: DataSource) -> DataSource:
        if base is not None and find_base(work["operation"], found, job.now()) != base:
            raise ConcurrentChangeError("another job has changed the version that this load builds on")
        is_public = source.is_public if work["public"] is None else work["public"]
        source = replace(source, is_public=is_public, query_key=work["query_key"] or source.query_key)
        return (stage_version if _is_staging(job) else publish_version)(source, version)

    return idempotent(job.id, change)(source)


def _completed_earlier(job: RunningJob, source: DataSource) -> JobRecord:
    """The record of a load whose earlier attempt made the switch. The version's blob names that attempt."""
    job.processed, job.failed = job.record.processed, job.record.failed
    blob = next((each.blob for each in list_versions(source) if each.job_id == job.id), None)
    try_id = "" if blob is None else PurePosixPath(blob.name).stem.partition("-")[2]
    if job.record.failed and try_id:
        job.failed_blob = job.export_blob(ERROR_LOG, try_id)
    return job.completed(source)
