"""A download: the XML that a load takes, in its quickest form (write-side contract, "Download output")."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from proxy.formats.batches import Note, RowError
from proxy.formats.columns.buffers import all_bytes
from proxy.formats.columns.datetimes import to_texts
from proxy.formats.columns.geography import to_wkt
from proxy.formats.limits import LONGEST_ID
from proxy.formats.schema import EdmType, EntityType
from proxy.formats.xml.schema import encoded, render_schema

_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
_CONTROLS = str.maketrans(dict.fromkeys((*range(32), 127), " "))


def write_export(entity_type: EntityType, batches: Iterable[pa.RecordBatch], out: BinaryIO, *, data_source: str) -> int:
    """Writes root, schema, and the entities of all batches, which have `entity_type.arrow()` as their schema.

    A missing value has no element. The schema is the root's first child, with no comment before it; its data set is
    called as the data source, and the root otherwise. Gives the number of entities.
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
    """Writes a line of text for each entity that failed, and for each note: where, its id (cut), and what it is."""
    for failure in failures:
        given = failure.entity_id or ""
        cut = given if len(given) <= LONGEST_ID else f"{given[:LONGEST_ID]}..."
        id_ = f", id {cut}" if cut else ""
        out.write(f"{failure.place}{id_}: {failure.reason}".translate(_CONTROLS).encode() + b"\n")


def _elements(entity_type: EntityType, batch: pa.RecordBatch) -> pa.Array:
    """The text of each entity."""
    parts: list[pa.Array | str] = [f"  <{entity_type.name}>\n"]
    for property_, column in zip(entity_type.properties, batch.columns, strict=True):
        start, texts, end = f"    <{property_.name}>", _TEXTS[property_.type](column), f"</{property_.name}>\n"
        if column.null_count:
            parts += [_joined(start, texts, end, null_handling="emit_null"), ""]
        else:  # one copy less: what is always there is joined once
            parts[-1] = f"{parts[-1]}{start}"
            parts += [texts, end]
    parts[-1] = f"{parts[-1]}  </{entity_type.name}>\n"
    return _joined(*parts, null_handling="replace")


def _joined(*parts: pa.Array | str, null_handling: str) -> pa.Array:
    columns = [_constant(part) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*columns, _constant(""), null_handling=null_handling, null_replacement="")


@lru_cache(maxsize=4096)
def _constant(text: str) -> pa.Scalar:
    """Kept: Arrow looks for pandas each time it is given a text of Python's."""
    return pa.scalar(text, pa.string())


def _escaped(column: pa.Array) -> pa.Array:
    data = all_bytes(column)
    for character, reference in _REFERENCES.items():
        if (data == ord(character)).any():
            column = pc.replace_substring(column, character, reference)
    return column


def _doubles(column: pa.Array) -> pa.Array:
    """The shortest text that reads back as the same double, with XML schema's names for what is no number."""
    texts = pc.cast(column, pa.string())
    if pc.all(pc.is_finite(column)).as_py() is False:
        for name, special in (("nan", "NaN"), ("inf", "INF"), ("-inf", "-INF")):
            texts = pc.if_else(pc.equal(texts, name), special, texts)
    return texts


def _plain(column: pa.Array) -> pa.Array:
    return pc.cast(column, pa.string())


_TEXTS: dict[EdmType, Callable[[pa.Array], pa.Array]] = {
    EdmType.STRING: _escaped,
    EdmType.INT64: _plain,
    EdmType.BOOLEAN: _plain,
    EdmType.DOUBLE: _doubles,
    EdmType.DATETIME: to_texts,
    EdmType.GEOGRAPHY: to_wkt,
}
