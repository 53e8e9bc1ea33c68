"""Loading: data that was sent, or that lies elsewhere, becomes a version (Create a Load Data Source Job)."""

from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from adapters.model.jobs import BlobPath, JobRecord
from adapters.model.versions import idempotent, publish_version, stage_version, staged_version, versions
from adapters.remote.fetch import fetch_location
from adapters.tables.data_source_store import DataSource, DataSourceVersion
from proxy.worker.data_source_update import refuse_deleting
from proxy.worker.job import ConcurrentChangeError, JobAbortedError, RunningJob
from proxy.worker.reader_pool import ReadingError
from proxy.worker.reader_tasks import BASE, DATA, FAILURES, VERSION, LoadedVersion, LoadTask

# Data that lies elsewhere has this long to come, however slow its server is.
LOCATION_SECONDS = 900.0

ERROR_LOG = "-failed.txt"

NOTHING_TO_UPDATE = "There is no version to update: load the data source with the operation complete first."


async def load(job: RunningJob) -> JobRecord:
    """Makes a version of the data and switches to it, or stages it; until then nothing that others see has changed.

    Raises:
        AbortedError: there is nothing to build on, or no data.
        ReadingError: the data can't be used.
        TooLargeError: there is too much of it.
        LocationError: it can't be fetched from where it lies.
        ChangedError: another job was first; to be done again.
    """
    source = await job.account.data_sources.get(job.name)
    if source is not None and job.id in source.applied:  # a worker died after the switch
        return _finished(job, source)
    base = _base(job, source)
    await _fetch(job, base)

    try:
        loaded = LoadedVersion(**await job.read(_task(job, base)))
    except ReadingError:  # an aborted load has its error log too
        await _send_error_log(job)
        raise
    await _send_error_log(job)
    await job.account.blobs.upload_file(job.folder / VERSION, job.version_blob)

    version = DataSourceVersion(
        job_id=job.id,
        blob=job.version_blob,
        entity_type=loaded.entity_type,
        schema=loaded.schema,
        entities=loaded.entities,
        updated=job.now(),
    )
    # Before the switch: whoever finds it made has the counts in the job's row.
    await job.report_progress()
    switch = partial(_switched, job, base=base, version=version)
    source = await job.account.data_sources.change(job.name, switch, job.confirm)
    return job.completed(source)


def _is_incremental(job: RunningJob) -> bool:
    return job.work["operation"] in {"incremental", "incrementalStaging"}


def _is_staging(job: RunningJob) -> bool:
    return job.work["operation"] in {"completeStaging", "incrementalStaging"}


def _base(job: RunningJob, source: DataSource | None) -> DataSourceVersion | None:
    """What an incremental load builds on: the published version; where it stages, the staged one if there is one."""
    if not _is_incremental(job):
        return None
    found = None if source is None else source.published
    if source is not None and _is_staging(job):
        found = staged_version(source, job.now()) or found
    if found is None:
        raise JobAbortedError(NOTHING_TO_UPDATE)
    return found


async def _fetch(job: RunningJob, base: DataSourceVersion | None) -> None:
    """Brings the data, and the version that it builds on, into the job's folder."""
    data, location, files = job.folder / DATA, job.work.get("location"), job.account.blobs
    if location is not None:
        hosts, own, most = job.limits.location_hosts, job.account.blob_url, job.limits.upload_bytes
        await fetch_location(location, hosts, own, data, most, LOCATION_SECONDS)
    else:
        upload = BlobPath.parse(job.work["upload"])
        if upload is None or not await files.download_file(upload, data):
            raise JobAbortedError("The data that was sent is not there any more.")
    if base is not None and not await files.download_file(base.blob, job.folder / BASE):
        raise ConcurrentChangeError("the version's entities are gone")


def _task(job: RunningJob, base: DataSourceVersion | None) -> LoadTask:
    limits = job.limits.load
    schema = None if base is None else base.schema
    return LoadTask(str(job.folder), job.work["input"], limits.entities, limits.unpacked_bytes, schema)


async def _send_error_log(job: RunningJob) -> None:
    log = job.folder / FAILURES
    if log.exists() and log.stat().st_size:  # it may speak of entities that loaded, too
        await job.account.blobs.upload_file(log, job.export(ERROR_LOG))
        job.failed_blob = job.export(ERROR_LOG)


def _switched(
    job: RunningJob, found: DataSource | None, *, base: DataSourceVersion | None, version: DataSourceVersion
) -> DataSource:
    """The data source's row with the new version; a new row where there was none."""
    source = found or _new_source(job)
    refuse_deleting(source)
    if job.id in source.applied:
        return source
    if base is not None and _base(job, found) != base:
        raise ConcurrentChangeError("another job has changed the version that this load builds on")
    work = job.work
    source = replace(
        source,
        is_public=source.is_public if work["public"] is None else work["public"],
        query_key=work["query_key"] or source.query_key,
    )
    return idempotent(job.id, lambda source: (stage_version if _is_staging(job) else publish_version)(source, version))(
        source
    )


def _new_source(job: RunningJob) -> DataSource:
    return DataSource(
        name=job.name,
        access_id=job.work["access_id"],
        created=job.record.created,
        master_key=job.work["master_key"],
    )


def _finished(job: RunningJob, source: DataSource) -> JobRecord:
    """The record of a load whose earlier try has made the switch: the version's blob names that try."""
    job.counts.processed, job.counts.failed = job.record.processed, job.record.failed
    blob = next((each.blob for each in versions(source) if each.job_id == job.id), None)
    try_id = "" if blob is None else PurePosixPath(blob.name).stem.partition("-")[2]
    if job.record.failed and try_id:
        job.failed_blob = job.export(ERROR_LOG, try_id)
    return job.completed(source)
