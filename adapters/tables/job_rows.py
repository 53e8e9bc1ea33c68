"""Job rows: JSON entities to records and back.

The stored rows are a contract with other writers (Data Factory, functions, scripts). So reading is generous where a
guess is safe, and refuses a row only where no record would be true.
"""

from typing import Any

from azure.data.tables import EdmType, EntityProperty

from adapters.model.job_ids import is_row_id
from adapters.model.jobs import JobRecord, JobStatus, JobType
from adapters.model.status_aliases import parse_status
from adapters.model.ticks import format_ticks
from adapters.tables.properties import (
    MalformedRowError,
    Row,
    WarnRow,
    read_blob_path,
    read_count,
    read_date,
    read_text,
    require,
)

UNCONFIRMED = "Unconfirmed"
"""The property that marks a row whose creation is not confirmed."""
MAX_MESSAGE_UNITS = 2000
"""The longest error message in UTF-16 units: part of it may come from customers' data."""
MAX_STRING_UNITS = 32_768
"""The longest string that Table Storage stores, in UTF-16 units."""


def read_job(row: Row, warn: WarnRow) -> JobRecord:
    """The record that a job row holds.

    Raises:
        MalformedRowError: a required property is missing or of a wrong type, or the job type is unknown.
    """
    row_key = read_text(row, "RowKey", warn)
    if row_key is None or not is_row_id(row_key):
        raise MalformedRowError("RowKey is not a job id")
    # An empty status is an unknown one, not a missing one.
    is_empty = row.get("Status") == "" and row.get("Status@odata.type", "Edm.String") == "Edm.String"
    word = "" if is_empty else require(read_text(row, "Status", warn), "Status")
    status = parse_status(word)
    if status is None:
        warn(f"unknown Status {word[:40]!r} read as Pending")
    return JobRecord(
        row_key=row_key,
        job_type=_job_type(require(read_text(row, "JobType", warn), "JobType")),
        status=status or JobStatus.PENDING,
        created=require(read_date(row, "CreatedDate", warn), "CreatedDate"),
        completed=read_date(row, "CompletedDate", warn),
        data_source_name=read_text(row, "DataSourceName", warn),
        access_id=read_text(row, "AccessId", warn),
        description=read_text(row, "Description", warn),
        error_message=read_text(row, "ErrorMessage", warn),
        total=read_count(row, "TotalEntityCount", warn),
        processed=read_count(row, "ProcessedEntityCount", warn),
        failed=read_count(row, "FailedEntityCount", warn),
        output_blob=read_blob_path(row, "OutputBlob", warn),
        failed_blob=read_blob_path(row, "FailedBlob", warn),
        legacy_id=read_text(row, "LegacyId", warn),
        unconfirmed=row.get(UNCONFIRMED) is True,
    )


def write_job(account: str, record: JobRecord) -> dict[str, Any]:
    """The entity of a record for the tables SDK, without properties that have no value; long texts are truncated."""
    row: dict[str, Any] = {
        "PartitionKey": account,
        "RowKey": record.row_key,
        "JobType": record.job_type.value,
        "Status": record.status.value,
        "DataSourceName": _truncate(record.data_source_name),
        "AccessId": _truncate(record.access_id),
        "Description": _truncate(record.description),
        "ErrorMessage": _truncate(record.error_message, MAX_MESSAGE_UNITS),
        "OutputBlob": str(record.output_blob) if record.output_blob else None,
        "FailedBlob": str(record.failed_blob) if record.failed_blob else None,
        "LegacyId": _truncate(record.legacy_id),
        UNCONFIRMED: record.unconfirmed or None,
    }
    dates = {"CreatedDate": record.created, "CompletedDate": record.completed}
    for name, ticks in dates.items():
        if ticks is not None:
            row[name] = EntityProperty(format_ticks(ticks), EdmType.DATETIME)
    row |= count_properties(record.total, record.processed, record.failed)
    return {name: value for name, value in row.items() if value is not None}


def _truncate(text: str | None, max_units: int = MAX_STRING_UNITS) -> str | None:
    """As much of a text as fits, without half a surrogate pair, which JSON can hold and storage may refuse."""
    if text is None or (text.isascii() and len(text) <= max_units):
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    end = "" if len(units) <= 2 * max_units else "..."
    return units[: 2 * (max_units - len(end))].decode("utf-16-le", "replace") + end


def count_properties(total: int, processed: int, failed: int) -> dict[str, Any]:
    """The properties of a job's counts."""
    values = {"TotalEntityCount": total, "ProcessedEntityCount": processed, "FailedEntityCount": failed}
    return {name: EntityProperty(value, EdmType.INT64) for name, value in values.items()}


def _job_type(word: str) -> JobType:
    try:
        return JobType(word)
    except ValueError:
        raise MalformedRowError(f"unknown JobType {word[:40]!r}") from None
