"""What passes between the steps of a load: rows as they were read, and batches that keep all rules."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Failure:
    """An entity that breaks a rule: where it stands (`line 7`, `entity 7 (line 90)`), its id if it has one, and why.

    `row` is the number of rows that its `Rows` hold before it, where a reader finds the failure: it keeps the log in
    the file's order.
    """

    place: str
    entity_id: str | None
    reason: str
    row: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some entities that loaded, the ids of those to delete, and what failed."""

    entities: pa.RecordBatch
    deleted: tuple[str, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a file, column by column in the order of its schema, nothing checked but the file's form.

    A column is `string` as the file spells the values; a geography may be `binary`, WKB, where the format has no WKT.
    A null is a missing value. `place` tells where a row stands, by its number in these rows.
    """

    columns: list[pa.Array]
    place: Callable[[int], str]
    failures: tuple[Failure, ...] = ()

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.columns[0])
