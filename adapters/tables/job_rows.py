"""Table rows and what they say: JSON entities to records and back.

The stored rows are a contract with other writers (Data Factory, functions, scripts), so reading is generous where a
guess is safe and refuses a row only where nothing true could be said of it.
"""

from typing import Any

from azure.data.tables import EdmType, EntityProperty

from adapters.model.job_ids import is_row_id
from adapters.model.jobs import JobRecord, JobStatus, JobType
from adapters.model.status_aliases import status_of
from adapters.model.ticks import to_text
from adapters.tables.properties import MalformedRowError, Row, WarnRow, blob_of, count_of, date_of, required, text_of

UNCONFIRMED = "Unconfirmed"
"""The property that marks a row whose creation is not confirmed."""


def read_row(row: Row, remark: WarnRow) -> JobRecord:
    """The record that a job row holds.

    Raises:
        MalformedRowError: a required property is missing or of a wrong type, or the job type is unknown.
    """
    row_key = text_of(row, "RowKey", remark)
    if row_key is None or not is_row_id(row_key):
        raise MalformedRowError("RowKey is not a job id")
    # An empty word is a word that is not known, not a missing one.
    is_empty = row.get("Status") == "" and row.get("Status@odata.type", "Edm.String") == "Edm.String"
    word = "" if is_empty else required(text_of(row, "Status", remark), "Status")
    status = status_of(word)
    if status is None:
        remark(f"unknown Status {word[:40]!r} read as Pending")
    return JobRecord(
        row_key=row_key,
        job_type=_job_type(required(text_of(row, "JobType", remark), "JobType")),
        status=status or JobStatus.PENDING,
        created=required(date_of(row, "CreatedDate", remark), "CreatedDate"),
        completed=date_of(row, "CompletedDate", remark),
        data_source_name=text_of(row, "DataSourceName", remark),
        access_id=text_of(row, "AccessId", remark),
        description=text_of(row, "Description", remark),
        error_message=text_of(row, "ErrorMessage", remark),
        total=count_of(row, "TotalEntityCount", remark),
        processed=count_of(row, "ProcessedEntityCount", remark),
        failed=count_of(row, "FailedEntityCount", remark),
        output_blob=blob_of(row, "OutputBlob", remark),
        failed_blob=blob_of(row, "FailedBlob", remark),
        legacy_id=text_of(row, "LegacyId", remark),
        unconfirmed=row.get(UNCONFIRMED) is True,
    )


MESSAGE_LENGTH = 2000
"""UTF-16 units that are kept of an error message: part of it may come from customers' data."""
TEXT_LENGTH = 32_768
"""UTF-16 units that Table Storage takes in a string."""


def write_row(account: str, record: JobRecord) -> dict[str, Any]:
    """The entity of a record, as the tables SDK takes it; what has no value is left out, texts are cut to what fits."""
    row: dict[str, Any] = {
        "PartitionKey": account,
        "RowKey": record.row_key,
        "JobType": record.job_type.value,
        "Status": record.status.value,
        "DataSourceName": _cut(record.data_source_name),
        "AccessId": _cut(record.access_id),
        "Description": _cut(record.description),
        "ErrorMessage": _cut(record.error_message, MESSAGE_LENGTH),
        "OutputBlob": str(record.output_blob) if record.output_blob else None,
        "FailedBlob": str(record.failed_blob) if record.failed_blob else None,
        "LegacyId": _cut(record.legacy_id),
        UNCONFIRMED: record.unconfirmed or None,
    }
    dates = {"CreatedDate": record.created, "CompletedDate": record.completed}
    for name, ticks in dates.items():
        if ticks is not None:
            row[name] = EntityProperty(to_text(ticks), EdmType.DATETIME)
    row |= counts(record.total, record.processed, record.failed)
    return {name: value for name, value in row.items() if value is not None}


def _cut(text: str | None, most: int = TEXT_LENGTH) -> str | None:
    """As much of a text as fits, with no half of a surrogate pair, which JSON can carry and storage may refuse."""
    if text is None or (text.isascii() and len(text) <= most):
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    end = "" if len(units) <= 2 * most else "..."
    return units[: 2 * (most - len(end))].decode("utf-16-le", "replace") + end


def counts(total: int, processed: int, failed: int) -> dict[str, Any]:
    """The properties of a job's counts."""
    values = {"TotalEntityCount": total, "ProcessedEntityCount": processed, "FailedEntityCount": failed}
    return {name: EntityProperty(value, EdmType.INT64) for name, value in values.items()}


def _job_type(word: str) -> JobType:
    try:
        return JobType(word)
    except ValueError:
        raise MalformedRowError(f"unknown JobType {word[:40]!r}") from None
