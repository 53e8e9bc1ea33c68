"""Downloading: a version's entities as the XML that a load takes (Create a Download Job)."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from adapters.datasources import Version
from adapters.entities import read_entities
from adapters.records import JobRecord
from proxy.exchange.export import write_export
from proxy.exchange.schema import EntityType
from proxy.work.job import AbortedError, ChangedError, Job
from proxy.work.source import MISSING
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

    entities, xml = job.folder / "version.parquet", job.folder / "export.xml"
    if not await job.account.files.fetch(version.blob, entities):
        raise ChangedError("the version's entities are gone")
    await job.in_thread(lambda: _write(job, version, entities, xml))
    output = job.export(".xml")
    await job.account.files.send(xml, output)
    return job.completed(source, output)


def _write(job: Job, version: Version, entities: Path, xml: Path) -> None:
    def counted() -> Iterator[pa.RecordBatch]:
        for batch in read_entities(entities):
            job.check()
            yield batch
            job.counts.processed += batch.num_rows

    with xml.open("wb") as out:
        write_export(EntityType.from_json(version.schema), counted(), out)
