"""The part of a download that reads a version's entities. It runs in a reader process."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from proxy.formats.exporter import write_export
from proxy.formats.parquet import read_entities
from proxy.formats.schema import EntityType
from proxy.worker.reader_tasks import EXPORT, VERSION, ExportTask, ReportProgress


def export_data(task: ExportTask, report: ReportProgress) -> None:
    """Writes the version as XML. No entity fails."""
    folder = Path(task.folder)

    def batches() -> Iterator[pa.RecordBatch]:
        count = 0
        for batch in read_entities(folder / VERSION):
            yield batch
            count += len(batch)
            report(count, 0)

    with (folder / EXPORT).open("wb") as out:
        write_export(EntityType.from_json(task.schema), batches(), out, data_source=task.data_source)
