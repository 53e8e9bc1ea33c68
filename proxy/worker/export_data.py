"""The part of a download that reads a version's entities; it runs in a reader process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from proxy.formats.exporter import write_export
from proxy.formats.parquet import read_entities
from proxy.formats.schema import EntityType
from proxy.worker.reader_tasks import EXPORT, VERSION, ExportTask


def export_data(task: ExportTask, told: Callable[[int, int], None]) -> None:
    """Writes the XML; `told` takes the number of entities so far, and of those that failed: none."""
    folder = Path(task.folder)

    def counted() -> Iterator[pa.RecordBatch]:
        count = 0
        for batch in read_entities(folder / VERSION):
            yield batch
            count += batch.num_rows
            told(count, 0)

    with (folder / EXPORT).open("wb") as out:
        write_export(EntityType.from_json(task.schema), counted(), out, data_source=task.data_source)
