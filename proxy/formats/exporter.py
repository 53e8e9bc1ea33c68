"""A download: the XML that a load takes, in its quickest form (write-contract.md, "Download output")."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from proxy.formats.batches import Note, RowError
from proxy.formats.columns.buffers import all_bytes
from proxy.formats.columns.datetimes import format_dates
from proxy.formats.columns.geography import format_geographies
from proxy.formats.limits import MAX_ID_LENGTH
from proxy.formats.schema import EdmType, EntityType
from proxy.formats.xml.schema import encoded, render_schema

_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
_SPECIAL_DOUBLES = {"nan": "NaN", "inf": "INF", "-inf": "-INF"}
_CONTROLS = str.maketrans(dict.fromkeys((*range(32), 127), " "))


def write_export(entity_type: EntityType, batches: Iterable[pa.RecordBatch], out: BinaryIO, *, data_source: str) -> int:
    """Writes a root element with the schema and the entities. A missing value has no element.

    The schema is the root's first child, with no comment before it. Its data set is named as the data source, and the
    root otherwise.

    Args:
        entity_type: the type of the entities.
        batches: the entities, with the schema `entity_type.arrow()`.
        out: the stream to write to.
        data_source: the data source's name.

    Returns:
        The number of entities.
    """
    root = f"{entity_type.name}Data"
    if root == encoded(data_source):
        root += "Root"
    out.write(f'<?xml version="1.0" encoding="utf-8"?>\n<{root}>\n{render_schema(entity_type, data_source)}'.encode())
    count = 0
    for batch in batches:
        if batch.num_rows:
            out.write(all_bytes(_elements(entity_type, batch)).data)
            count += batch.num_rows
    out.write(f"</{root}>\n".encode())
    return count


def write_failures(failures: Iterable[RowError | Note], out: BinaryIO) -> None:
    """Writes a line of text for each failure and each note: the location, the id (cut) and the reason."""
    for failure in failures:
        id_ = failure.entity_id or ""
        if len(id_) > MAX_ID_LENGTH:
            id_ = f"{id_[:MAX_ID_LENGTH]}..."
        line = f"{failure.location}{id_ and f', id {id_}'}: {failure.reason}"
        out.write(line.translate(_CONTROLS).encode() + b"\n")


def _elements(entity_type: EntityType, batch: pa.RecordBatch) -> pa.Array:
    """The text of each entity."""
    parts: list[pa.Array | str] = [f"  <{entity_type.name}>\n"]
    for property_, column in zip(entity_type.properties, batch.columns, strict=True):
        start, texts, end = f"    <{property_.name}>", _FORMATTERS[property_.type](column), f"</{property_.name}>\n"
        if column.null_count:
            parts += [_join(start, texts, end, null_handling="emit_null"), ""]
        else:  # saves a copy of the texts
            parts[-1] = f"{parts[-1]}{start}"
            parts += [texts, end]
    parts[-1] = f"{parts[-1]}  </{entity_type.name}>\n"
    return _join(*parts, null_handling="replace")


def _join(*parts: pa.Array | str, null_handling: str) -> pa.Array:
    columns = [_scalar(part) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*columns, _scalar(""), null_handling=null_handling, null_replacement="")


@lru_cache(maxsize=4096)
def _scalar(text: str) -> pa.Scalar:
    """Cached: Arrow looks for pandas each time it converts a Python string."""
    return pa.scalar(text, pa.string())


def _escape(column: pa.Array) -> pa.Array:
    data = all_bytes(column)
    for character, reference in _REFERENCES.items():
        if (data == ord(character)).any():
            column = pc.replace_substring(column, character, reference)
    return column


def _format_doubles(column: pa.Array) -> pa.Array:
    """The shortest text that reads back as the same double, with XML schema's names for the special ones."""
    texts = _format_plain(column)
    if pc.all(pc.is_finite(column)).as_py() is False:
        for name, special in _SPECIAL_DOUBLES.items():
            texts = pc.if_else(pc.equal(texts, name), special, texts)
    return texts


def _format_plain(column: pa.Array) -> pa.Array:
    return pc.cast(column, pa.string())


_FORMATTERS: dict[EdmType, Callable[[pa.Array], pa.Array]] = {
    EdmType.STRING: _escape,
    EdmType.INT64: _format_plain,
    EdmType.BOOLEAN: _format_plain,
    EdmType.DOUBLE: _format_doubles,
    EdmType.DATETIME: format_dates,
    EdmType.GEOGRAPHY: format_geographies,
}
