"""Reads data as its load job will, and shows the first entities. It runs in a reader process."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from proxy.formats.columns.datetimes import format_dates
from proxy.formats.columns.geography import format_geographies
from proxy.formats.parquet import read_entities
from proxy.formats.schema import EdmType, EntityType
from proxy.worker.load_data import NEW, load_data
from proxy.worker.reader_tasks import VERSION, LoadPreview, LoadTask, PreviewTask, ReportProgress

# More of them would make the page heavy.
MOST_ROWS = 20
MOST_COLUMNS = 30
MOST_CHARACTERS = 80


def preview_data(task: PreviewTask, report: ReportProgress) -> LoadPreview:
    """Does what the load does, and adds the texts of the first entities of the data.

    Raises:
        InvalidDataError: the data can't be used.
    """
    base = task.base
    load = LoadTask(task.folder, task.input_format, task.most_entities, task.most_bytes, base)
    loaded = load_data(load, report)
    columns, rows = _first_rows(Path(task.folder) / (VERSION if base is None else NEW), loaded.schema)
    return LoadPreview(loaded.entity_type, loaded.schema, loaded.entities, columns, rows)


def _first_rows(file: Path, schema: str) -> tuple[list[str], list[list[str | None]]]:
    """The first columns of the first entities: their names, and the texts of each entity."""
    # An incremental load may have its properties in another order than the version that it updates.
    types: Mapping[str, EdmType] = {each.name.lower(): each.type for each in EntityType.from_json(schema).properties}
    columns, rows = list[str](), list[list[str | None]]()
    for batch in read_entities(file):
        columns = batch.schema.names[:MOST_COLUMNS]
        shown = batch.slice(0, MOST_ROWS - len(rows))
        texts = [_as_texts(shown.column(name), types[name.lower()]) for name in columns]
        rows += [list(row) for row in zip(*texts, strict=True)]
        if len(rows) == MOST_ROWS:
            break
    return columns, rows


def _as_texts(column: pa.Array, type_: EdmType) -> list[str | None]:
    if type_ is EdmType.DATETIME:
        column = format_dates(column)
    elif type_ is EdmType.GEOGRAPHY:
        column = format_geographies(column)
    return [None if value is None else _cut(value) for value in column.cast(pa.string()).to_pylist()]


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."
