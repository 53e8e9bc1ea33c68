"""A job as a worker reads it: its row, and the message and the try that the row names as valid."""

from dataclasses import dataclass

from azure.data.tables import EdmType, EntityProperty

from adapters.model.jobs import JobRecord
from adapters.model.ticks import Ticks, to_text
from adapters.tables.job_rows import UNCONFIRMED
from adapters.tables.properties import Row, WarnRow, count_of, text_of, written_at


@dataclass(frozen=True, slots=True)
class Claim:
    """What a worker writes into a job's row when it begins a try of it.

    `message` is the id of the message by which it has the job, `try_id` the try's own name, `started` the moment.
    `attempts` counts the tries, this one included; `worker` is the worker's name.
    """

    message: str
    try_id: str
    worker: str
    attempts: int
    started: Ticks

    def properties(self) -> dict[str, object]:
        """The row's properties, as the tables SDK takes them."""
        return {
            "Message": self.message,
            "Try": self.try_id,
            "Worker": self.worker,
            "Attempts": self.attempts,
            "StartedDate": EntityProperty(to_text(self.started), EdmType.DATETIME),
        }


RELEASED = {"Message": ""}
"""The properties that release a job: any message of it may claim it again."""


@dataclass(frozen=True, slots=True)
class HeldJob:
    """A job's row as it was read.

    `work` is the text that it was created with; None: somebody else does it. Of its messages only `message` counts,
    where it has one, and of its tries only `try_id`. `attempts` is how many tries were begun by that message. `etag`
    names this state of the row.
    """

    record: JobRecord
    work: str | None
    message: str | None
    try_id: str
    attempts: int
    etag: str

    def next_try(self, message: str) -> int:
        """The number of the try that is begun by this message, from 1.

        How often a message was taken would not tell: who takes it and can't read this row has tried nothing.
        """
        return self.attempts + 1 if self.message == message else 1


def held_job(row: Row, record: JobRecord, remark: WarnRow) -> HeldJob:
    """The job that a row holds."""
    message, try_id = text_of(row, "Message", remark), text_of(row, "Try", remark) or ""
    attempts = count_of(row, "Attempts", remark)
    return HeldJob(record, text_of(row, "Work", remark), message, try_id, attempts, row["odata.etag"])


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A job that workers have still to do, as an index tells of it.

    `is_claimed` says that a worker has begun it, `is_unconfirmed` that it is being created and nobody may do it yet;
    `written` is when storage last took a write of its row.
    """

    row_key: str
    data_source_name: str
    is_claimed: bool
    is_unconfirmed: bool
    written: Ticks | None

    WHERE = "Status eq 'Pending' and Work gt ''"
    SELECT = f"RowKey,DataSourceName,Message,Timestamp,{UNCONFIRMED}"


def waiting_job(row: Row, remark: WarnRow) -> WaitingJob:
    """The job that a row of the index tells of."""
    name, message = text_of(row, "DataSourceName", remark), text_of(row, "Message", remark)
    return WaitingJob(row["RowKey"], name or "", message is not None, row.get(UNCONFIRMED) is True, written_at(row))
