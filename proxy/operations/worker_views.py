"""Lists the workers of an account."""

from dataclasses import dataclass

from adapters.account import AccountStorage
from adapters.tables.worker_rows import LIVE_SECONDS, WorkerRow


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker by its heartbeat. `is_live`: its last one was within a minute."""

    account: str
    row: WorkerRow
    is_live: bool


async def list_workers(account: AccountStorage) -> tuple[WorkerView, ...]:
    """The workers of the last day, in the order of names."""
    rows = await account.workers.list_all()
    return tuple(WorkerView(account.name, row, row.age <= LIVE_SECONDS) for row in rows)
