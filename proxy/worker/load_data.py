"""The part of a load that parses the customer's data. It runs in a reader process."""

from pathlib import Path

import pyarrow as pa

from proxy.formats.exporter import write_failures
from proxy.formats.limits import LoadLimits
from proxy.formats.loader import InputFormat, Loader
from proxy.formats.parquet import EntityWriter
from proxy.formats.schema import EntityType
from proxy.worker.merge import merge_entities, merge_entity_types
from proxy.worker.reader_tasks import BASE, DATA, FAILURES, VERSION, LoadedVersion, LoadTask, ReportProgress

NEW = "new.parquet"


def load_data(task: LoadTask, report: ReportProgress) -> LoadedVersion:
    """Writes the entities of the new version, and the error log.

    Raises:
        InvalidDataError: the data can't be used.
    """
    folder, limits = Path(task.folder), LoadLimits(task.most_entities, task.most_bytes)
    loader = Loader(folder / DATA, InputFormat(task.input_format), limits, incremental=task.base is not None)
    if task.base is None:
        loaded, _ = _write(loader, folder / VERSION, folder / FAILURES, report)
        return LoadedVersion(loader.entity_type.name, loader.entity_type.to_json(), loaded)
    base = folder / BASE, EntityType.from_json(task.base)
    merged = merge_entity_types(base[1], loader.entity_type)
    _, replaced = _write(loader, folder / NEW, folder / FAILURES, report)
    entities = 0
    with _writer(folder / VERSION, merged) as writer:
        for batch in merge_entities(base, (folder / NEW, loader.entity_type), replaced, limits):
            entities += len(batch)
            writer.write(batch)
    return LoadedVersion(merged.name, merged.to_json(), entities)


def _write(loader: Loader, file: Path, failures: Path, report: ReportProgress) -> tuple[int, pa.Array]:
    """Writes the entities of the data, and the error log.

    Returns:
        The number of entities, and the ids of all entities that the data replaces or deletes.
    """
    entities = processed = failed = 0
    ids = [pa.array([], pa.string())]
    with _writer(file, loader.entity_type) as writer, failures.open("wb") as log:
        for batch in loader:
            writer.write(batch.entities)
            write_failures(batch.log, log)
            log.flush()  # the worker uploads it even if this process is killed
            entities += len(batch.entities)
            ids += [batch.entities.column(loader.entity_type.key), pa.array(batch.deleted, pa.string())]
            failed += len(batch.failures)
            processed += len(batch.entities) + len(batch.deleted) + len(batch.failures)
            report(processed, failed)
    return entities, pa.concat_arrays(ids)


def _writer(file: Path, entity_type: EntityType) -> EntityWriter:
    index = entity_type.geography()
    geography = None if index is None else entity_type.properties[index].name
    return EntityWriter(file, entity_type.arrow(), geography)
