"""Loading: data that was sent, or that lies elsewhere, becomes a version (Create a Load Data Source Job)."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from adapters.datasources import DataSource, Version
from adapters.entities import EntityWriter, read_entities
from adapters.locations import fetch_location
from adapters.records import BlobPath, JobRecord
from proxy.exchange.batch import Batch
from proxy.exchange.export import write_failures
from proxy.exchange.load import InputForm, Load
from proxy.exchange.schema import EntityType, UnusableError
from proxy.work.job import AbortedError, ChangedError, Job, now
from proxy.work.source import refuse_deleting
from proxy.work.unite import as_type, kept, united
from proxy.work.versions import once, staged, staged_version, switched

# Data that lies elsewhere has this long to come, however slow its server is.
LOCATION_SECONDS = 900.0

ERROR_LOG = "-failed.txt"

NOTHING_TO_UPDATE = "There is no version to update: load the data source with the operation complete first."


async def load(job: Job) -> JobRecord:
    """Makes a version of the data and switches to it, or stages it; until then nothing that others see has changed.

    Raises:
        AbortedError: there is nothing to build on, or no data.
        UnusableError: the data can't be used.
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
        entity_type, entities = await job.in_thread(lambda: _write(job, base))
    finally:  # an aborted load has its error log too
        await _send_error_log(job)
    await job.account.files.send(job.folder / "version.parquet", job.version_blob)

    version = Version(
        job_id=job.id,
        blob=job.version_blob,
        entity_type=entity_type.name,
        schema=entity_type.to_json(),
        entities=entities,
        updated=now(),
    )
    # Before the switch: whoever finds it made has the counts in the job's row.
    await job.account.jobs.progress(job.id, job.counts.processed, job.counts.processed, job.counts.failed)
    await job.confirm()
    source = await job.account.datasources.change(job.name, lambda found: _switched(job, found, base, version))
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
        found = staged_version(source, now()) or found
    if found is None:
        raise AbortedError(NOTHING_TO_UPDATE)
    return found


async def _fetch(job: Job, base: Version | None) -> None:
    """Brings the data, and the version that it builds on, into the job's folder."""
    data, location, files = job.folder / "data", job.work.get("location"), job.account.files
    if location is not None:
        hosts, own, most = job.terms.location_hosts, job.account.blob_url, job.terms.upload_bytes
        await fetch_location(location, hosts, own, data, most, LOCATION_SECONDS)
    else:
        upload = BlobPath.parse(job.work["upload"])
        if upload is None or not await files.fetch(upload, data):
            raise AbortedError("The data that was sent is not there any more.")
    if base is not None and not await files.fetch(base.blob, job.folder / "base.parquet"):
        raise ChangedError("the version's entities are gone")


def _write(job: Job, base: Version | None) -> tuple[EntityType, int]:
    """Writes the version's entities and the error log, in a thread; gives the entity type and how many there are."""
    form, limits = InputForm(job.work["input"]), job.terms.limits
    reading = Load(job.folder / "data", form, limits, incremental=base is not None)
    new, version = reading.entity_type, job.folder / "version.parquet"
    if base is None:
        return new, _write_new(job, reading, version).entities
    old = EntityType.from_json(base.schema)
    both = united(old, new)
    read = _write_new(job, reading, job.folder / "new.parquet")
    rest = (as_type(batch, old, both) for batch in kept(job.folder / "base.parquet", old.key, read.touched()))
    added = (as_type(batch, new, both) for batch in read_entities(job.folder / "new.parquet"))
    entities = 0
    with _writer(version, both) as writer:
        for batches in (rest, added):
            for batch in _unless_ended(job, batches):
                writer.write(batch)
                entities += len(batch)
    if entities > limits.entities:
        raise UnusableError(f"with this load the data source would have more than {limits.entities} entities")
    return both, entities


@dataclass(slots=True)
class _Read:
    """What a load held: how many entities, and the ids of those that it holds or deletes."""

    ids: list[pa.Array]
    entities: int = 0

    def touched(self) -> pa.Array:
        return pa.concat_arrays(self.ids) if self.ids else pa.array([], pa.string())


def _write_new(job: Job, reading: Load, file: Path) -> _Read:
    """Writes the entities of the data, and the error log."""
    read, counts, key = _Read([]), job.counts, reading.entity_type.key
    with ExitStack() as stack:
        writer = stack.enter_context(_writer(file, reading.entity_type))
        log = stack.enter_context((job.folder / "failed.txt").open("wb"))
        for batch in reading:
            job.check()
            writer.write(batch.entities)
            write_failures(batch.log, log)
            read.entities += len(batch.entities)
            read.ids += [batch.entities.column(key), pa.array(batch.deleted, pa.string())]
            counts.failed += len(batch.failures)
            counts.processed += _size(batch)
    return read


def _size(batch: Batch) -> int:
    return len(batch.entities) + len(batch.deleted) + len(batch.failures)


def _unless_ended(job: Job, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        job.check()
        yield batch


def _writer(file: Path, entity_type: EntityType) -> EntityWriter:
    place = entity_type.geography()
    geography = None if place is None else entity_type.properties[place].name
    return EntityWriter(file, entity_type.arrow(), geography)


async def _send_error_log(job: Job) -> None:
    log = job.folder / "failed.txt"
    if log.exists() and log.stat().st_size:  # it may speak of entities that loaded, too
        await job.account.files.send(log, job.export(ERROR_LOG))
        job.failed_blob = job.export(ERROR_LOG)


def _switched(job: Job, found: DataSource | None, base: Version | None, version: Version) -> DataSource:
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
    # The date is the job's, by the clock of who took its request, as that of a delete job is: one that was created
    # before this data source is not meant for it.
    return DataSource(
        name=job.name,
        access_id=job.work["access_id"],
        created=job.record.created,
        master_key=job.work["master_key"],
    )


def _finished(job: Job, source: DataSource) -> JobRecord:
    job.counts.processed, job.counts.failed = job.record.processed, job.record.failed
    job.failed_blob = job.export(ERROR_LOG) if job.record.failed else None
    return job.completed(source)
