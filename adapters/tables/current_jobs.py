"""What an overview reads of jobs: those that are unfinished, and those that ended without success of late."""

from dataclasses import dataclass

from adapters.model.jobs import JobStatus
from adapters.model.status_aliases import parse_status
from adapters.model.ticks import Ticks
from adapters.tables.properties import Row, WarnRow, read_date, read_text


@dataclass(frozen=True, slots=True)
class CurrentJob:
    """A job with the few properties that counts need; `ended` is None where its row does not say it."""

    row_key: str
    status: JobStatus
    created: Ticks
    ended: Ticks | None

    # Other programs' words for a status come too: storage compares texts letter by letter.
    WHERE = (
        "Status ne 'Completed' and"
        " (Status ne 'Aborted' or CompletedDate ge datetime'{moment}' or CreatedDate ge datetime'{moment}')"
    )
    SELECT = "RowKey,Status,CreatedDate,CompletedDate"


def read_current_job(row: Row, warn: WarnRow) -> CurrentJob | None:
    """The job of a row; None where the row can't be read, or the job is completed."""
    status = parse_status(read_text(row, "Status", warn) or "") or JobStatus.PENDING
    created = read_date(row, "CreatedDate", warn)
    if created is None or status is JobStatus.COMPLETED:
        return None
    return CurrentJob(str(row["RowKey"]), status, created, read_date(row, "CompletedDate", warn))
