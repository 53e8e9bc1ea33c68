"""A job as a worker reads it: its row, and the queue message and the attempt that the row names as valid."""

from dataclasses import dataclass

from azure.data.tables import EdmType, EntityProperty

from adapters.model.jobs import JobRecord
from adapters.model.ticks import Ticks, format_ticks
from adapters.tables.job_rows import UNCONFIRMED
from adapters.tables.properties import Row, WarnRow, read_count, read_date, read_text, read_timestamp


@dataclass(frozen=True, slots=True)
class Claim:
    """What a worker writes into a job's row when it begins an attempt.

    `message` is the id of the queue message, `try_id` the name of the attempt, `worker` that of the worker. `attempts`
    counts the attempts by this message, this one included; `started` is when it began.
    """

    message: str
    try_id: str
    worker: str
    attempts: int
    started: Ticks

    def properties(self) -> dict[str, object]:
        """The row's properties, as the tables SDK expects them."""
        return {
            "Message": self.message,
            "Try": self.try_id,
            "Worker": self.worker,
            "Attempts": self.attempts,
            "StartedDate": EntityProperty(format_ticks(self.started), EdmType.DATETIME),
        }


FORGIVEN = {"Attempts": 0}
"""The properties of a job none of whose attempts counts."""

RELEASED = {"Message": ""}
"""The properties that release a job: any of its messages may claim it again."""


@dataclass(frozen=True, slots=True)
class HeldJob:
    """A job's row with its claim.

    `work` is the text that it was created with; None means that another program runs it. Only `message` is valid of its
    messages, where it has one, and only `try_id` of its attempts. `attempts` counts those begun by that message;
    `worker` has begun the last one, at `started`.
    """

    record: JobRecord
    work: str | None
    message: str | None
    try_id: str
    attempts: int
    etag: str
    worker: str | None = None
    started: Ticks | None = None

    def next_attempt(self, message: str) -> int:
        """The number of the attempt that this message begins, from 1.

        The queue's own count would not do: a worker that receives the message and can't read this row attempts nothing.
        """
        return self.attempts + 1 if self.message == message else 1


def read_held_job(row: Row, record: JobRecord, warn: WarnRow) -> HeldJob:
    """The job that a row holds."""
    message, try_id = read_text(row, "Message", warn), read_text(row, "Try", warn) or ""
    attempts, worker = read_count(row, "Attempts", warn), read_text(row, "Worker", warn)
    started = read_date(row, "StartedDate", warn)
    return HeldJob(record, read_text(row, "Work", warn), message, try_id, attempts, row["odata.etag"], worker, started)


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """An unfinished job, with the few properties that a scan reads.

    `is_claimed`: a worker has begun it. `is_unconfirmed`: it is being created, and no worker may run it yet. `written`
    is the time of its row's last write.
    """

    row_key: str
    data_source_name: str
    is_claimed: bool
    is_unconfirmed: bool
    written: Ticks | None

    WHERE = "Status eq 'Pending' and Work gt ''"
    SELECT = f"RowKey,DataSourceName,Message,Timestamp,{UNCONFIRMED}"


def read_waiting_job(row: Row, warn: WarnRow) -> WaitingJob:
    """The job that a row of the scan holds."""
    name, message = read_text(row, "DataSourceName", warn), read_text(row, "Message", warn)
    return WaitingJob(row["RowKey"], name or "", message is not None, row.get(UNCONFIRMED) is True, read_timestamp(row))
