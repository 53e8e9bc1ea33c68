"""What passes between the steps of a load: rows as they were read, and batches that keep all rules."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import dropwhile, takewhile

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class RowError:
    """An entity that breaks a rule: where it stands (`line 7`, `entity 7 (line 90)`), its id if it has one, and why.

    `row` is the number of rows that its `Rows` hold before it, where a reader finds the failure: it keeps the log in
    the file's order.
    """

    place: str
    entity_id: str | None
    reason: str
    row: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Note:
    """What the error log says of an entity that is loaded all the same, or of the file as a whole.

    `of_order`: what it says matters in incremental loads only, for it depends on the order of the entities in the file.
    """

    place: str
    entity_id: str | None
    reason: str
    of_order: bool = False

    @classmethod
    def of_id(cls, place: str, entity_id: str, why: str) -> "Note":
        """The note on an id that is not the entity's own."""
        reason = f"{why}; the id depends on the order in the file, which an update may change"
        return cls(place, entity_id, reason, of_order=True)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some entities that loaded, the ids of those to delete, what failed, and what else the error log has to say."""

    entities: pa.RecordBatch
    deleted: tuple[str, ...]
    failures: tuple[RowError, ...]
    notes: tuple[Note, ...] = ()

    @property
    def log(self) -> list[RowError | Note]:
        """The lines of the error log, in the order of the file."""
        return sorted((*self.failures, *self.notes), key=_order)


def _order(line: RowError | Note) -> int:
    """The number of the line, placemark or record, which is the first one in the place."""
    return int("".join(takewhile(str.isdigit, dropwhile(lambda one: not one.isdigit(), line.place[:100]))) or 0)


@dataclass(frozen=True, slots=True)
class RawRows:
    """Rows of a file, column by column in the order of its schema, nothing checked but the file's form.

    A column is `string` as the file spells the values; a geography may be `binary`, WKB, where the format has no WKT.
    A null is a missing value. `place` tells where a row stands, by its number in these rows.
    """

    columns: list[pa.Array]
    place: Callable[[int], str]
    failures: tuple[RowError, ...] = ()
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.columns[0])
