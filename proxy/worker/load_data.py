"""The part of a load that parses the customer's data. It runs in a reader process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from proxy.formats.batches import Batch
from proxy.formats.exporter import write_failures
from proxy.formats.limits import LoadLimits
from proxy.formats.loader import InputFormat, Loader
from proxy.formats.parquet import EntityWriter, read_entities, value_bytes
from proxy.formats.schema import EntityType, InvalidDataError
from proxy.worker.merge import cast_batch, merge_entity_types, untouched_rows
from proxy.worker.reader_tasks import BASE, DATA, FAILURES, VERSION, LoadedVersion, LoadTask

Told = Callable[[int, int], None]
"""Takes the counts so far: entities that were read, and those of them that failed."""

NEW = "new.parquet"
MEGABYTE = 1024 * 1024


def load_data(task: LoadTask, told: Told) -> LoadedVersion:
    """Writes the version's entities and the error log.

    Raises:
        UnusableError: the data can't be used.
    """
    folder, limits = Path(task.folder), LoadLimits(task.most_entities, task.most_bytes)
    reading = Loader(folder / DATA, InputFormat(task.input_format), limits, incremental=task.base is not None)
    new = reading.entity_type
    if task.base is None:
        entities = _write_new(reading, folder / VERSION, folder / FAILURES, told).entities
        return LoadedVersion(new.name, new.to_json(), entities)
    old = EntityType.from_json(task.base)
    both = merge_entity_types(old, new)
    read = _write_new(reading, folder / NEW, folder / FAILURES, told)
    sizes = _Sizes(limits)
    rest = (
        cast_batch(batch, old, both) for batch in untouched_rows(sizes.before(folder / BASE), old.key, read.touched())
    )
    added = (cast_batch(batch, new, both) for batch in read_entities(folder / NEW))
    with _writer(folder / VERSION, both) as writer:
        for batches in (rest, added):
            for batch in batches:
                sizes.add(batch)
                writer.write(batch)
    return LoadedVersion(both.name, both.to_json(), sizes.entities)


@dataclass(slots=True)
class _Sizes:
    """How much a data source holds before and after an incremental load, and whether it may.

    An update that makes it no larger is always allowed: values may take more bytes here than they took in the load.
    """

    limits: LoadLimits
    entities: int = 0
    _bytes: int = 0
    _bytes_before: int = 0

    def before(self, base: Path) -> Iterator[pa.RecordBatch]:
        """The entities as they were."""
        for batch in read_entities(base):
            self._bytes_before += value_bytes(batch)
            yield batch

    def add(self, batch: pa.RecordBatch) -> None:
        """Counts entities as they will be; those that stay come first, so that all from before are counted by then.

        Raises:
            UnusableError: there are too many entities, or too many bytes.
        """
        self.entities += len(batch)
        self._bytes += value_bytes(batch)
        if self.entities > self.limits.entities:
            raise InvalidDataError(
                f"with this load the data source would have more than {self.limits.entities} entities"
            )
        if self._bytes > max(self.limits.unpacked_bytes, self._bytes_before):
            most = self.limits.unpacked_bytes // MEGABYTE
            raise InvalidDataError(
                f"with this load the data source would hold more than PROXY_MAX_UPLOAD_MB, {most} MB"
            )


@dataclass(slots=True)
class _Read:
    """What a load held: how many entities, and the ids of those that it holds or deletes."""

    ids: list[pa.Array]
    entities: int = 0

    def touched(self) -> pa.Array:
        return pa.concat_arrays(self.ids) if self.ids else pa.array([], pa.string())


def _write_new(reading: Loader, file: Path, failures: Path, told: Told) -> _Read:
    """Writes the entities of the data, and the error log."""
    read, key, processed, failed = _Read([]), reading.entity_type.key, 0, 0
    with ExitStack() as stack:
        writer = stack.enter_context(_writer(file, reading.entity_type))
        log = stack.enter_context(failures.open("wb"))
        for batch in reading:
            writer.write(batch.entities)
            write_failures(batch.log, log)
            log.flush()  # it is sent also where this process does not come to its end
            read.entities += len(batch.entities)
            read.ids += [batch.entities.column(key), pa.array(batch.deleted, pa.string())]
            failed += len(batch.failures)
            processed += _size(batch)
            told(processed, failed)
    return read


def _size(batch: Batch) -> int:
    return len(batch.entities) + len(batch.deleted) + len(batch.failures)


def _writer(file: Path, entity_type: EntityType) -> EntityWriter:
    place = entity_type.geography()
    geography = None if place is None else entity_type.properties[place].name
    return EntityWriter(file, entity_type.arrow(), geography)
