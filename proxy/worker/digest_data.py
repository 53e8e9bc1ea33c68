"""Computes a digest of the entities of a file, to compare two files. It runs in a reader process."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import pyarrow as pa

from proxy.formats.limits import LoadLimits
from proxy.formats.loader import InputFormat, Loader
from proxy.formats.parquet import read_entities
from proxy.formats.schema import EntityType
from proxy.worker.reader_tasks import DATA, VERSION, DigestTask, EntityDigest, ReportProgress


def digest_data(task: DigestTask, report: ReportProgress) -> EntityDigest:
    """The digest of DATA, or of VERSION where the task has its schema.

    Raises:
        InvalidDataError: the data can't be used.
    """
    folder, failed = Path(task.folder), 0
    if task.schema is not None:
        entity_type = EntityType.from_json(task.schema)
        count, digest = _digest(entity_type, read_entities(folder / VERSION))
        return EntityDigest(entity_type.name, entity_type.to_json(), count, failed, digest)
    limits = LoadLimits(task.most_entities, task.most_bytes)
    loader = Loader(folder / DATA, InputFormat(task.input_format), limits, incremental=False)

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal failed
        read = 0
        for batch in loader:
            yield batch.entities
            failed += len(batch.failures)
            read += len(batch.entities) + len(batch.failures)
            report(read, failed)

    count, digest = _digest(loader.entity_type, batches())
    return EntityDigest(loader.entity_type.name, loader.entity_type.to_json(), count, failed, digest)


def _digest(entity_type: EntityType, batches: Iterable[pa.RecordBatch]) -> tuple[int, str]:
    """The number of entities, and a digest that depends neither on their order nor on that of the properties."""
    names = sorted(each.name for each in entity_type.properties)
    found = [
        sha256(repr(row).encode("utf-8", "surrogatepass")).digest()
        for batch in batches
        for row in zip(*(batch.column(name).to_pylist() for name in names), strict=True)
    ]
    return len(found), sha256(b"".join(sorted(found))).hexdigest()
