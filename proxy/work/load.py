"""Loading: data that was sent, or that lies elsewhere, becomes a version (Create a Load Data Source Job)."""

from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from adapters.datasources import DataSource, Version
from adapters.locations import fetch_location
from adapters.records import BlobPath, JobRecord
from proxy.work.job import AbortedError, ChangedError, Job
from proxy.work.reader_pool import ReadingError
from proxy.work.source import refuse_deleting
from proxy.work.tasks import BASE, DATA, FAILURES, VERSION, LoadedVersion, LoadTask
from proxy.work.versions import once, staged, staged_version, switched, versions

# Data that lies elsewhere has this long to come, however slow its server is.
LOCATION_SECONDS = 900.0

ERROR_LOG = "-failed.txt"

NOTHING_TO_UPDATE = "There is no version to update: load the data source with the operation complete first."


async def load(job: Job) -> JobRecord:
    """Makes a version of the data and switches to it, or stages it; until then nothing that others see has changed.

    Raises:
        AbortedError: there is nothing to build on, or no data.
        ReadingError: the data can't be used.
        TooLargeError: there is too much of it.
        LocationError: it can't be fetched from where it lies.
        ChangedError: another job was first; to be done again.
    """
    source = await job.account.datasources.get(job.name)
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
    await job.account.files.send(job.folder / VERSION, job.version_blob)

    version = Version(
        job_id=job.id,
        blob=job.version_blob,
        entity_type=loaded.entity_type,
        schema=loaded.schema,
        entities=loaded.entities,
        updated=job.now(),
    )
    # Before the switch: whoever finds it made has the counts in the job's row.
    await job.tell_progress()
    switch = partial(_switched, job, base=base, version=version)
    source = await job.account.datasources.change(job.name, switch, job.confirm)
    return job.completed(source)


def _is_incremental(job: Job) -> bool:
    return job.work["operation"] in {"incremental", "incrementalStaging"}


def _is_staging(job: Job) -> bool:
    return job.work["operation"] in {"completeStaging", "incrementalStaging"}


def _base(job: Job, source: DataSource | None) -> Version | None:
    """What an incremental load builds on: the published version; where it stages, the staged one if there is one."""
    if not _is_incremental(job):
        return None
    found = None if source is None else source.published
    if source is not None and _is_staging(job):
        found = staged_version(source, job.now()) or found
    if found is None:
        raise AbortedError(NOTHING_TO_UPDATE)
    return found


async def _fetch(job: Job, base: Version | None) -> None:
    """Brings the data, and the version that it builds on, into the job's folder."""
    data, location, files = job.folder / DATA, job.work.get("location"), job.account.files
    if location is not None:
        hosts, own, most = job.terms.location_hosts, job.account.blob_url, job.terms.upload_bytes
        await fetch_location(location, hosts, own, data, most, LOCATION_SECONDS)
    else:
        upload = BlobPath.parse(job.work["upload"])
        if upload is None or not await files.fetch(upload, data):
            raise AbortedError("The data that was sent is not there any more.")
    if base is not None and not await files.fetch(base.blob, job.folder / BASE):
        raise ChangedError("the version's entities are gone")


def _task(job: Job, base: Version | None) -> LoadTask:
    limits = job.terms.limits
    schema = None if base is None else base.schema
    return LoadTask(str(job.folder), job.work["input"], limits.entities, limits.unpacked_bytes, schema)


async def _send_error_log(job: Job) -> None:
    log = job.folder / FAILURES
    if log.exists() and log.stat().st_size:  # it may speak of entities that loaded, too
        await job.account.files.send(log, job.export(ERROR_LOG))
        job.failed_blob = job.export(ERROR_LOG)


def _switched(job: Job, found: DataSource | None, *, base: Version | None, version: Version) -> DataSource:
    """The data source's row with the new version; a new row where there was none."""
    source = found or _new_source(job)
    refuse_deleting(source)
    if job.id in source.applied:
        return source
    if base is not None and _base(job, found) != base:
        raise ChangedError("another job has changed the version that this load builds on")
    work = job.work
    source = replace(
        source,
        is_public=source.is_public if work["public"] is None else work["public"],
        query_key=work["query_key"] or source.query_key,
    )
    return once(job.id, lambda source: (staged if _is_staging(job) else switched)(source, version))(source)


def _new_source(job: Job) -> DataSource:
    return DataSource(
        name=job.name,
        access_id=job.work["access_id"],
        created=job.record.created,
        master_key=job.work["master_key"],
    )


def _finished(job: Job, source: DataSource) -> JobRecord:
    """The record of a load whose earlier try has made the switch: the version's blob names that try."""
    job.counts.processed, job.counts.failed = job.record.processed, job.record.failed
    blob = next((each.blob for each in versions(source) if each.job_id == job.id), None)
    try_id = "" if blob is None else PurePosixPath(blob.name).stem.partition("-")[2]
    if job.record.failed and try_id:
        job.failed_blob = job.export(ERROR_LOG, try_id)
    return job.completed(source)
