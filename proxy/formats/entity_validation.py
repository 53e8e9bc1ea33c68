"""The rules that each entity has to keep (write-contract.md, "Load input"): rows become batches and failures."""

from heapq import merge

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from proxy.formats.batches import Batch, RawRows, RowError
from proxy.formats.columns.buffers import quote_value
from proxy.formats.columns.geography import Geographies, convert_geographies
from proxy.formats.columns.parsing import convert
from proxy.formats.limits import MAX_ID_LENGTH
from proxy.formats.schema import EdmType, EntityType
from proxy.formats.schema_validation import DELETE, LATITUDE, LONGITUDE, DeclaredSchema, is_delete_mark

_RANGES = {LATITUDE: 90.0, LONGITUDE: 180.0}


class EntityValidator:
    """Applies all rules to the rows of one load; it remembers the ids of the rows before."""

    def __init__(self, declared: DeclaredSchema, entity_type: EntityType) -> None:
        self._type = entity_type
        self._schema = entity_type.arrow()
        self._mark = next((at for at, some in enumerate(declared.properties) if is_delete_mark(some)), None)
        self._key = self._type.find(entity_type.key) or 0
        self._finite = declared.finite
        self._ids: set[str] = set()

    def validate(self, rows: RawRows) -> Batch:
        """The batch of some rows: entities, ids to delete, and failures, in the file's order."""
        columns = list(rows.columns)
        mark = columns.pop(self._mark) if self._mark is not None else None
        columns[self._key] = pc.utf8_trim_whitespace(columns[self._key])
        ids: list[str | None] = columns[self._key].to_pylist()
        wrong = self._check_ids(ids)
        deleted = self._find_deleted(mark, wrong) if mark is not None else []
        arrays, reasons = self._convert(columns)
        for row in deleted:
            reasons.pop(row, None)  # the other values of a row that deletes don't matter
        wrong = reasons | wrong
        failures = [RowError(rows.locate(row), _cut_id(ids[row]), wrong[row], row) for row in sorted(wrong)]
        entities = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        if wrong or deleted:
            is_entity = np.ones(len(rows), bool)
            is_entity[[*wrong, *deleted]] = False
            entities = entities.filter(pa.array(is_entity))
        # A failure that the reader found stands before the row of its number.
        merged = merge(rows.failures, failures, key=lambda failure: failure.row)
        return Batch(entities, tuple(id_ for row in deleted if (id_ := ids[row])), tuple(merged))

    def _check_ids(self, ids: list[str | None]) -> dict[int, str]:
        """The reasons for ids that are missing, too long, or those of another row."""
        present = {id_ for id_ in ids if id_ and not id_.isspace() and len(id_) <= MAX_ID_LENGTH}
        if len(present) == len(ids) and self._ids.isdisjoint(present):
            self._ids |= present
            return {}
        return {row: f"{self._type.key} {reason}" for row, id_ in enumerate(ids) if (reason := self._check_id(id_))}

    def _check_id(self, id_: str | None) -> str | None:
        if not id_ or id_.isspace():
            return "is missing"
        if len(id_) > MAX_ID_LENGTH:
            return f"is {quote_value(id_)}, of {len(id_):,} characters: at most {MAX_ID_LENGTH} are allowed"
        if id_ in self._ids:
            return f"is {quote_value(id_)}, as that of another entity before it"
        self._ids.add(id_)
        return None

    def _find_deleted(self, mark: pa.Array, wrong: dict[int, str]) -> list[int]:
        """The rows that delete an entity; `wrong` gets the reasons for marks that can't be read."""
        flags, reasons = convert(mark, EdmType.BOOLEAN)
        for row, reason in reasons.items():
            wrong.setdefault(row, f"{DELETE} {reason}")
        return [row for row, flag in enumerate(flags.to_pylist()) if flag and row not in wrong]

    def _convert(self, columns: list[pa.Array]) -> tuple[list[pa.Array], dict[int, str]]:
        """All columns as values, and the first reason for each wrong row."""
        wrong: dict[int, str] = {}

        def add(name: str, reasons: dict[int, str]) -> None:
            for row, reason in reasons.items():
                wrong.setdefault(row, f"{name} {reason}")

        geographies: Geographies | None = None
        arrays: list[pa.Array] = []
        for property_, column in zip(self._type.properties, columns, strict=False):  # without an added location
            if property_.type is EdmType.GEOGRAPHY:
                geographies = convert_geographies(column)
                array, reasons = geographies.wkb, geographies.wrong
            else:
                array, reasons = convert(column, property_.type, finite=self._finite)
            arrays.append(array)
            add(property_.name, reasons)
        arrays += [pa.nulls(len(columns[0]), pa.float64())] * (len(self._type.properties) - len(arrays))
        for name, limit in _RANGES.items():
            index = self._type.find(name)
            if index is None:
                continue
            if geographies is not None:
                centroids = geographies.latitudes if name == LATITUDE else geographies.longitudes
                arrays[index] = pc.coalesce(arrays[index], centroids)
            add(name, dict.fromkeys(np.flatnonzero(arrays[index].is_null()).tolist(), "is missing"))
            add(name, _check_range(arrays[index], limit, columns[index] if index < len(columns) else None))
        return arrays, wrong


def _check_range(column: pa.Array, limit: float, texts: pa.Array | None) -> dict[int, str]:
    outside = np.flatnonzero(pc.fill_null(pc.invert(pc.less_equal(pc.abs(column), limit)), fill_value=False))
    allowed = f"it has to be between -{limit:g} and {limit:g}"
    return {row: f"is {_quote_coordinate(column, texts, row)}: {allowed}" for row in outside.tolist()}


def _quote_coordinate(column: pa.Array, texts: pa.Array | None, row: int) -> str:
    """A coordinate as the file spells it, or where it comes from."""
    text = (texts[row].as_py() or "").strip() if texts is not None else ""
    if text:
        return quote_value(text)
    return f"{column[row].as_py()!r}, the geography's centroid (longitude comes first in well-known text)"


def _cut_id(text: str | None) -> str | None:
    """An id as a message shows it; None where it is blank."""
    return (text or "").strip()[: MAX_ID_LENGTH + 1] or None
