"""The data between the steps of a load: rows as a reader finds them, and batches of entities that keep all rules."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa

_NUMBER = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class RowError:
    """An entity that breaks a rule.

    Attributes:
        location: where it is, such as `line 7` or `entity 7 (line 90)`.
        entity_id: its id, if it has one.
        reason: the rule that it breaks.
        row: the number of rows before it in its `RawRows`, where a reader finds the error.
    """

    location: str
    entity_id: str | None
    reason: str
    row: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Note:
    """A line of the error log on an entity that is loaded all the same, or on the file as a whole.

    An `order_dependent` note matters in incremental loads only: it depends on the order of entities in the file.
    """

    location: str
    entity_id: str | None
    reason: str
    order_dependent: bool = False

    @classmethod
    def for_derived_id(cls, location: str, entity_id: str, why: str) -> "Note":
        """The note on an id that is not the entity's own."""
        reason = f"{why}; the id depends on the order in the file, which an update may change"
        return cls(location, entity_id, reason, order_dependent=True)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some entities that keep all rules, the ids of entities to delete, and the lines of the error log."""

    entities: pa.RecordBatch
    deleted: tuple[str, ...]
    failures: tuple[RowError, ...]
    notes: tuple[Note, ...] = ()

    @property
    def log(self) -> list[RowError | Note]:
        """The lines of the error log, in the order of the file."""
        return sorted((*self.failures, *self.notes), key=_order)


def _order(line: RowError | Note) -> int:
    """The number of the line, placemark or record: the first number of the location."""
    number = _NUMBER.search(line.location[:100])
    return int(number[0]) if number else 0


@dataclass(frozen=True, slots=True)
class RawRows:
    """Rows of a file, only their form checked.

    Attributes:
        columns: the values of each property of the schema, in its order: `string`, or for a geography `binary` (WKB).
            A null is a missing value.
        locate: the location of a row, by its index.
        failures: rows that can't be read.
        notes: remarks on rows and on the file.
    """

    columns: list[pa.Array]
    locate: Callable[[int], str]
    failures: tuple[RowError, ...] = ()
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.columns[0])
