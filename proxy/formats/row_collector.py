"""Collects the rows of a batch, for formats whose geometry is already WKB."""

from collections.abc import Sequence

import pyarrow as pa

from proxy.formats.batches import Note, RawRows, RowError
from proxy.formats.limits import BATCH_BYTES, BATCH_ROWS
from proxy.formats.schema import EdmType
from proxy.formats.schema_validation import DeclaredSchema


class RowCollector:
    """Rows, failures and notes until there are enough for a batch, by number or by bytes."""

    def __init__(self, declared: DeclaredSchema) -> None:
        self._types = [
            pa.binary() if property_.type is EdmType.GEOGRAPHY else pa.string() for property_ in declared.properties
        ]
        self._clear()

    def _clear(self) -> None:
        self._columns: list[list[str | bytes | None]] = [[] for _ in self._types]
        self._places: list[str] = []
        self._failures: list[RowError] = []
        self._notes: list[Note] = []
        self._size = 0

    @property
    def full(self) -> bool:
        """Whether the batch has reached its size."""
        return len(self._places) + len(self._failures) >= BATCH_ROWS or self._size >= BATCH_BYTES

    def add(self, place: str, values: Sequence[str | bytes | None]) -> None:
        """Adds a row: a text for each property, WKB for the geography."""
        self._places.append(place)
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)
            self._size += len(value or "")

    def fail(self, failure: RowError) -> None:
        """Adds an entity that failed."""
        self._failures.append(failure)

    def note(self, note: Note) -> None:
        """Adds what the log has to say of an entity that is loaded all the same."""
        self._notes.append(note)

    def take(self) -> RawRows:
        """The rows so far; what comes next is another batch."""
        columns = [pa.array(column, type_) for column, type_ in zip(self._columns, self._types, strict=True)]
        rows = RawRows(columns, self._places.__getitem__, tuple(self._failures), tuple(self._notes))
        self._clear()
        return rows
