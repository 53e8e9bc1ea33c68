"""Collects the rows of a batch, for formats that are read entity by entity."""

from collections.abc import Sequence

import pyarrow as pa

from proxy.formats.batches import Note, RawRows, RowError
from proxy.formats.limits import BATCH_BYTES, BATCH_ROWS
from proxy.formats.schema import EdmType
from proxy.formats.schema_validation import DeclaredSchema

# Python's objects are slow to make and to convert where many are alive: they don't fit into the processor's cache.
_CHUNK_ROWS = 128

Value = str | bytes | None


class RowCollector:
    """Rows, failures and notes until there are enough for a batch, by number or by bytes.

    Args:
        declared: the schema of the rows.
        geography: the form of geographies, WKB (`pa.binary()`) or WKT (`pa.string()`).
    """

    def __init__(self, declared: DeclaredSchema, geography: pa.DataType) -> None:
        self._types = [
            geography if property_.type is EdmType.GEOGRAPHY else pa.string() for property_ in declared.properties
        ]
        self._clear()

    def _clear(self) -> None:
        self._rows: list[Sequence[Value]] = []
        self._chunks: list[list[pa.Array]] = []
        self._places: list[str] = []
        self._failures: list[RowError] = []
        self._notes: list[Note] = []
        self._size = 0

    @property
    def is_full(self) -> bool:
        """Whether the batch has reached its size."""
        return len(self._places) + len(self._failures) >= BATCH_ROWS or self._size >= BATCH_BYTES

    def add(self, place: str, values: Sequence[Value], size: int) -> None:
        """Adds a row: a value for each property, in the order of the schema, and their size in bytes."""
        self._places.append(place)
        self._rows.append(values)
        self._size += size
        if len(self._rows) == _CHUNK_ROWS:
            self._convert()

    def fail(self, place: str, entity_id: str | None, reason: str) -> None:
        """Adds an entity that failed."""
        self._failures.append(RowError(place, entity_id, reason, len(self._places)))

    def note(self, note: Note) -> None:
        """Adds a line of the log that is no failure."""
        self._notes.append(note)

    def pop_rows(self) -> RawRows:
        """The rows so far; the next ones are another batch."""
        self._convert()
        columns = [pa.concat_arrays(chunks) for chunks in zip(*self._chunks, strict=True)]
        rows = RawRows(columns, self._places.__getitem__, tuple(self._failures), tuple(self._notes))
        self._clear()
        return rows

    def _convert(self) -> None:
        columns = [*zip(*self._rows, strict=True)] or [()] * len(self._types)
        self._chunks.append([pa.array(column, type_) for column, type_ in zip(columns, self._types, strict=True)])
        self._rows.clear()
