"""The rules that each entity has to keep (write-side contract, "Load input"): rows become batches and failures."""

from collections.abc import Iterator
from heapq import merge

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from proxy.formats.batches import Batch, RawRows, RowError
from proxy.formats.columns import geography
from proxy.formats.columns import parsing as values
from proxy.formats.columns.buffers import quote_value
from proxy.formats.limits import LONGEST_ID
from proxy.formats.schema import EdmType, EntityType
from proxy.formats.schema_validation import DELETE, LATITUDE, LONGITUDE, DeclaredSchema, is_mark

_RANGES = {LATITUDE: 90.0, LONGITUDE: 180.0}


class EntityValidator:
    """Applies all rules to the rows of one load; it remembers the ids that were there before."""

    def __init__(self, declared: DeclaredSchema, entity_type: EntityType) -> None:
        self._type = entity_type
        self._schema = entity_type.arrow()
        marks = [place for place, property_ in enumerate(declared.properties) if is_mark(property_)]
        self._mark = marks[0] if marks else None
        self._key = self._type.find(entity_type.key) or 0
        self._location = {name: self._type.find(name) for name in _RANGES}
        self._geography = self._type.geography()
        self._finite = declared.finite
        self._seen: set[str] = set()

    def apply(self, rows: RawRows) -> Batch:
        """The batch of these rows: what keeps all rules, what is to be deleted, what failed, in the file's order."""
        columns = list(rows.columns)
        mark = columns.pop(self._mark) if self._mark is not None else None
        columns[self._key] = pc.utf8_trim_whitespace(columns[self._key])
        ids, wrong = self._ids(columns[self._key])
        deleted = self._marked(mark, wrong) if mark is not None else []
        marked = set(deleted)
        arrays, of_values = self._values(
            columns, without=[row for row in range(len(rows)) if row in marked or row in wrong]
        )
        wrong |= of_values
        failures = [RowError(rows.place(row), _id_of(ids[row]), wrong[row], row) for row in sorted(wrong)]
        kept = pa.array(np.array([row not in wrong and row not in marked for row in range(len(rows))], bool))
        batch = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        if wrong or marked:
            batch = batch.filter(kept)
        gone = tuple(id_ for row in deleted if row not in wrong and (id_ := ids[row]) is not None)
        # Both are in the file's order; a failure that the reader found stands before the row of its number.
        return Batch(batch, gone, tuple(merge(rows.failures, failures, key=lambda failure: failure.row)))

    def _ids(self, column: pa.Array) -> tuple[list[str | None], dict[int, str]]:
        """The ids of the rows, and which of them are none: missing, too long, or there before."""
        ids: list[str | None] = column.to_pylist()
        if None not in ids and len(set(ids)) == len(ids) and self._seen.isdisjoint(ids):
            present = [id_ for id_ in ids if id_ and not id_.isspace()]
            if len(present) == len(ids) and max(map(len, present), default=0) <= LONGEST_ID:
                self._seen.update(present)
                return ids, {}
        wrong = {row: reason for row, id_ in enumerate(ids) if (reason := self._id_reason(id_))}
        return ids, wrong

    def _id_reason(self, id_: str | None) -> str | None:
        if not id_ or id_.isspace():
            return f"{self._type.key} is missing"
        if len(id_) > LONGEST_ID:
            return (
                f"{self._type.key} is {quote_value(id_)}, of {len(id_):,} characters: at most {LONGEST_ID} are allowed"
            )
        if id_ in self._seen:
            return f"{self._type.key} is {quote_value(id_)}, as that of another entity before it"
        self._seen.add(id_)
        return None

    def _marked(self, mark: pa.Array, wrong: dict[int, str]) -> list[int]:
        flags, unreadable = values.convert(mark, EdmType.BOOLEAN)
        for row, reason in unreadable.items():
            wrong.setdefault(row, f"{DELETE} {reason}")
        return [row for row, flag in enumerate(flags.to_pylist()) if flag and row not in wrong]

    def _values(self, columns: list[pa.Array], *, without: list[int]) -> tuple[list[pa.Array], dict[int, str]]:
        """All columns as values. What is wrong in the rows of `without` doesn't matter."""
        wrong: dict[int, str] = {}

        def note(name: str, reasons: dict[int, str]) -> None:
            for row, reason in reasons.items():
                wrong.setdefault(row, f"{name} {reason}")

        geographies: geography.Geographies | None = None
        arrays: list[pa.Array] = []
        for property_, column in zip(self._type.properties, columns, strict=False):  # without what the load adds
            if property_.type is EdmType.GEOGRAPHY:
                geographies = geography.convert(values.without_blank(column))
                arrays.append(geographies.wkb)
                reasons = geographies.wrong
            else:
                array, reasons = values.convert(column, property_.type, finite=self._finite)
                arrays.append(array)
            note(property_.name, reasons)
        size = len(columns[0])
        arrays += [pa.nulls(size, pa.float64())] * (len(self._type.properties) - len(arrays))
        for name, reasons in self._locate(columns, arrays, geographies):
            note(name, reasons)
        for row in without:
            wrong.pop(row, None)
        return arrays, wrong

    def _locate(
        self, texts: list[pa.Array], arrays: list[pa.Array], geographies: geography.Geographies | None
    ) -> Iterator[tuple[str, dict[int, str]]]:
        """Fills in the location from the geography's centroid, and says where it is missing or out of range."""
        for name, most in _RANGES.items():
            place = self._location[name]
            if place is None:
                continue
            column = arrays[place]
            if column.null_count and geographies is not None:
                centroids = geographies.latitudes if name == LATITUDE else geographies.longitudes
                arrays[place] = column = pc.coalesce(column, centroids)
            if column.null_count:
                yield name, dict.fromkeys(np.flatnonzero(column.is_null()).tolist(), "is missing")
            outside = pc.fill_null(pc.invert(pc.less_equal(pc.abs(column), most)), fill_value=False)
            if pc.any(outside).as_py():
                allowed = f"it has to be between -{most:g} and {most:g}"
                yield (
                    name,
                    {
                        row: f"is {_written(texts, place, row) or _of_centroid(column[row])}: {allowed}"
                        for row in np.flatnonzero(outside).tolist()
                    },
                )


def _id_of(text: str | None) -> str | None:
    """An id as a message shows it: cut, and none where it is blank."""
    return (text or "").strip()[: LONGEST_ID + 1] or None


def _written(texts: list[pa.Array], place: int, row: int) -> str | None:
    """A coordinate as the file spells it; None where it is the centroid's."""
    text = (texts[place][row].as_py() or "").strip() if place < len(texts) else ""
    return quote_value(text) if text else None


def _of_centroid(value: pa.Scalar) -> str:
    return f"{value.as_py()!r}, the geography's centroid (longitude comes first in well-known text)"
