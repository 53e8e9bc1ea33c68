"""Many job rows at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.exceptions import ServiceResponseError

from adapters.model.job_ids import new_job_id
from adapters.model.ticks import format_ticks, from_datetime
from tests.support.storage import Storage, date, int64

BATCH = 100
MINUTE_HOURS = 1 / 60


def write_jobs(storage: Storage, count: int, newest_hours: float, apart_hours: float = 0.0) -> list[str]:
    """Writes finished jobs, the newest created so many hours ago, each so long before the last; gives their ids."""
    now = datetime.now(UTC)
    rows = [_row(storage, now - timedelta(hours=newest_hours + number * apart_hours)) for number in range(count)]

    def write(start: int) -> None:
        batch = [("upsert", row) for row in rows[start : start + BATCH]]
        try:
            storage.table.submit_transaction(batch)
        except ServiceResponseError:  # the emulator has closed the connection, which was idle for five seconds
            storage.table.submit_transaction(batch)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(0, count, BATCH)))
    return [str(row["RowKey"]) for row in rows]


def _row(storage: Storage, created: datetime) -> dict[str, Any]:
    moment = from_datetime(created)
    return {
        "PartitionKey": storage.account,
        "RowKey": new_job_id(moment),
        "JobType": "DataSourceComplete",
        "Status": "Completed",
        "CreatedDate": date(format_ticks(moment)),
        "CompletedDate": date(format_ticks(from_datetime(created + timedelta(minutes=3)))),
        "DataSourceName": "FourthCoffeeSample",
        "AccessId": "20181f26d9e94c81acdf9496133d4f23",
        "Description": "Coffee shops of the north-west",
        "TotalEntityCount": int64(1200),
        "ProcessedEntityCount": int64(1200),
        "FailedEntityCount": int64(0),
        "OutputBlob": "exports/coffee.xml",
    }
