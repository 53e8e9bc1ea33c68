"""Signs of life of the workers: a row for each worker in the jobs table, partition `~workers:{account}`.

| property | type | |
|---|---|---|
| `RowKey` | | the worker's name: `host:pid:6 random hex digits` |
| `StartedAt` | DateTime | when the worker started |
| `Version` | string | the version of its program |
| `Jobs` | string | ids of the account's jobs that it has in hand, at most 10, with blanks between |

The age of a row is its `Timestamp` against the `Date` of the answer: both are storage's, so no machine's clock counts.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from azure.data.tables import EdmType, EntityProperty, UpdateMode
from azure.data.tables.aio import TableClient

from adapters.model.ticks import FIRST, PER_SECOND, Ticks, to_text
from adapters.sdk_calls import storage_call
from adapters.tables.properties import Row, date_of, text_of, written_at
from adapters.tables.reader import KeyRange, TableReader

if TYPE_CHECKING:
    from adapters.account import AccountStorage

GONE_SECONDS = 60.0
"""A worker whose row is older than this is gone."""
KEPT_SECONDS = 86_400.0
"""How long the row of a worker that is gone is kept."""
MOST_JOBS = 10


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker's sign of life in one account.

    `jobs` holds the ids of the account's jobs in hand, `age` is in seconds; who writes a row gives none.
    """

    name: str
    started: Ticks
    version: str
    jobs: tuple[str, ...] = ()
    age: float = 0.0


class WorkerRows:
    """The rows of one account's workers.

    Every method raises StorageFaultError where storage can't answer.
    """

    def __init__(self, account: str, reads: TableReader, writes: TableClient, seconds: float) -> None:
        """`seconds` is the longest that one write may take."""
        self._partition = f"~workers:{account}"
        self._reads = reads
        self._writes = writes
        self._seconds = seconds

    async def write(self, row: WorkerRow) -> None:
        """Writes a worker's row, over the one that it wrote before."""
        entity = {
            "PartitionKey": self._partition,
            "RowKey": row.name,
            "StartedAt": EntityProperty(to_text(row.started), EdmType.DATETIME),
            "Version": row.version,
            "Jobs": " ".join(row.jobs[:MOST_JOBS]),
        }
        async with storage_call(self._seconds):
            await self._writes.upsert_entity(entity, mode=UpdateMode.REPLACE)

    async def all(self) -> tuple[WorkerRow, ...]:
        """Every row, also of workers that are gone, in the order of names."""
        found = []
        async for page in self._reads.rows(KeyRange(self._partition)):
            told_at = self._reads.clock.told_at
            found += [_read(row, told_at) for row in page]
        return tuple(found)

    async def remove(self, name: str) -> None:
        """Deletes a worker's row, if there is one."""
        async with storage_call(self._seconds):
            await self._writes.delete_entity(self._partition, name)


async def write_worker_row(account: "AccountStorage", row: WorkerRow) -> None:
    """Writes a worker's sign of life, over the one before.

    Raises:
        StorageFaultError: storage does not take it; the credential may not be allowed to.
    """
    await account.workers.write(row)


async def live_workers(account: "AccountStorage") -> tuple[WorkerRow, ...]:
    """The workers that gave this account a sign of life within the last minute, in the order of names.

    Raises:
        StorageFaultError: storage could not answer.
    """
    return tuple(row for row in await account.workers.all() if row.age <= GONE_SECONDS)


def _read(row: Row, told_at: Ticks | None) -> WorkerRow:
    def remark(_: str) -> None:
        """Ignores warnings about such a row."""

    written = written_at(row)
    age = 0.0 if written is None or told_at is None else max(0.0, (told_at - written) / PER_SECOND)
    return WorkerRow(
        name=str(row.get("RowKey")),
        started=date_of(row, "StartedAt", remark) or FIRST,
        version=text_of(row, "Version", remark) or "",
        jobs=tuple((text_of(row, "Jobs", remark) or "").split()),
        age=age,
    )
