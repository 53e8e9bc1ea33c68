"""Heartbeats of the workers: a row for each worker in the jobs table, partition `~workers:{account}`.

| property | type | |
|---|---|---|
| `RowKey` | | the worker's name: `host:pid:6 random hex digits` |
| `StartedAt` | DateTime | when the worker started |
| `Version` | string | the version of its program |
| `Jobs` | string | ids of the account's jobs that it runs, at most 10, with blanks between |

A row's age is its `Timestamp` against the response's `Date`: both are storage's, so no machine's clock counts.
"""

from dataclasses import dataclass

from azure.data.tables import EdmType, EntityProperty, UpdateMode

from adapters.model.ticks import FIRST, PER_SECOND, Ticks, format_ticks
from adapters.sdk_calls import storage_call
from adapters.tables.partition_store import PartitionStore
from adapters.tables.properties import Row, read_date, read_text, read_timestamp
from adapters.tables.reader import KeyRange

LIVE_SECONDS = 60.0
"""A worker whose row is older than this is gone."""
RETENTION_SECONDS = 86_400.0
"""How long the row of a worker that is gone is kept."""
MAX_JOBS = 10


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker's heartbeat in one account.

    `jobs` holds the ids of the account's running jobs. `age` is in seconds; it is read only, never written.
    """

    name: str
    started: Ticks
    version: str
    jobs: tuple[str, ...] = ()
    age: float = 0.0


class WorkerRows(PartitionStore):
    """The rows of one account's workers. Every method raises StorageError where storage can't answer."""

    @property
    def _partition(self) -> str:
        return f"~workers:{self._account}"

    async def write(self, row: WorkerRow) -> None:
        """Writes a worker's row, over the one that it wrote before."""
        entity = {
            "PartitionKey": self._partition,
            "RowKey": row.name,
            "StartedAt": EntityProperty(format_ticks(row.started), EdmType.DATETIME),
            "Version": row.version,
            "Jobs": " ".join(row.jobs[:MAX_JOBS]),
        }
        async with storage_call(self._timeout):
            await self._writes.upsert_entity(entity, mode=UpdateMode.REPLACE)

    async def list_all(self) -> tuple[WorkerRow, ...]:
        """Every row, also of workers that are gone, in the order of names."""
        found = []
        async for page in self._reads.rows(KeyRange(self._partition)):
            read_at = self._reads.clock.last_date
            found += [_read(row, read_at) for row in page]
        return tuple(found)

    async def list_live(self) -> tuple[WorkerRow, ...]:
        """The workers that wrote their row within the last minute, in the order of names."""
        return tuple(row for row in await self.list_all() if row.age <= LIVE_SECONDS)

    async def remove(self, name: str) -> None:
        """Deletes a worker's row, if there is one."""
        async with storage_call(self._timeout):
            await self._writes.delete_entity(self._partition, name)


def _read(row: Row, read_at: Ticks | None) -> WorkerRow:
    def ignore(_: str) -> None:
        """Ignores warnings about such a row."""

    written = read_timestamp(row)
    age = 0.0 if written is None or read_at is None else max(0.0, (read_at - written) / PER_SECOND)
    return WorkerRow(
        name=str(row.get("RowKey")),
        started=read_date(row, "StartedAt", ignore) or FIRST,
        version=read_text(row, "Version", ignore) or "",
        jobs=tuple((read_text(row, "Jobs", ignore) or "").split()),
        age=age,
    )
