"""Table rows and what they say: JSON entities to records and back.

The stored rows are a contract with other writers (Data Factory, functions, scripts), so reading is generous where a
guess is safe and refuses a row only where nothing true could be said of it.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from azure.data.tables import EdmType, EntityProperty

from adapters.ids import is_row_id
from adapters.records import BlobPath, JobRecord, JobStatus, JobType
from adapters.status_words import status_of
from adapters.ticks import Ticks, parse, to_text

_T = TypeVar("_T")

Row = Mapping[str, Any]
"""An entity as Table Storage's JSON has it with `odata=minimalmetadata`: a type beside each value that needs one."""

Remark = Callable[[str], None]
"""Told, in words for the log, what was odd about a row that could be read all the same."""


class MalformedRowError(Exception):
    """A row that can't be shown as a job; the text says why, without the row's values."""


def read_row(row: Row, remark: Remark) -> JobRecord:
    """The record that a job row holds.

    Raises:
        MalformedRowError: a required property is missing or of a wrong type, or the job type is unknown.
    """
    row_key = _text(row, "RowKey", remark)
    if row_key is None or not is_row_id(row_key):
        raise MalformedRowError("RowKey is not a job id")
    # An empty word is a word that is not known, not a missing one.
    word = "" if row.get("Status") == "" else _required(_text(row, "Status", remark), "Status")
    status = status_of(word)
    if status is None:
        remark(f"unknown Status {word[:40]!r} read as Pending")
    return JobRecord(
        row_key=row_key,
        job_type=_job_type(_required(_text(row, "JobType", remark), "JobType")),
        status=status or JobStatus.PENDING,
        created=_required(_date(row, "CreatedDate", remark), "CreatedDate"),
        completed=_date(row, "CompletedDate", remark),
        data_source_name=_text(row, "DataSourceName", remark),
        access_id=_text(row, "AccessId", remark),
        description=_text(row, "Description", remark),
        error_message=_text(row, "ErrorMessage", remark),
        total=_count(row, "TotalEntityCount", remark),
        processed=_count(row, "ProcessedEntityCount", remark),
        failed=_count(row, "FailedEntityCount", remark),
        output_blob=_blob(row, "OutputBlob", remark),
        failed_blob=_blob(row, "FailedBlob", remark),
        legacy_id=_text(row, "LegacyId", remark),
    )


def write_row(account: str, record: JobRecord) -> dict[str, Any]:
    """The entity of a record, as the tables SDK takes it; what has no value is left out."""
    row: dict[str, Any] = {
        "PartitionKey": account,
        "RowKey": record.row_key,
        "JobType": record.job_type.value,
        "Status": record.status.value,
        "DataSourceName": record.data_source_name,
        "AccessId": record.access_id,
        "Description": record.description,
        "ErrorMessage": record.error_message,
        "OutputBlob": str(record.output_blob) if record.output_blob else None,
        "FailedBlob": str(record.failed_blob) if record.failed_blob else None,
        "LegacyId": record.legacy_id,
    }
    dates = {"CreatedDate": record.created, "CompletedDate": record.completed}
    counts = {
        "TotalEntityCount": record.total,
        "ProcessedEntityCount": record.processed,
        "FailedEntityCount": record.failed,
    }
    for name, ticks in dates.items():
        if ticks is not None:
            row[name] = EntityProperty(to_text(ticks), EdmType.DATETIME)
    for name, count in counts.items():
        row[name] = EntityProperty(count, EdmType.INT64)
    return {name: value for name, value in row.items() if value is not None}


def _required(value: _T | None, name: str) -> _T:
    if value is None:
        raise MalformedRowError(f"{name} is missing or of a wrong type")
    return value


def _job_type(word: str) -> JobType:
    try:
        return JobType(word)
    except ValueError:
        raise MalformedRowError(f"unknown JobType {word[:40]!r}") from None


# A text, an Int32 and a Boolean need no type beside them; what has another type stands under the name with this ending.
_TYPE = "@odata.type"


def _text(row: Row, name: str, remark: Remark) -> str | None:
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or row.get(name + _TYPE, "Edm.String") != "Edm.String":
        remark(f"{name} is not a string and was left out")
        return None
    return value or None  # an empty text says no more than a missing one


def _date(row: Row, name: str, remark: Remark) -> Ticks | None:
    value = row.get(name)
    if value is None:
        return None
    try:
        if row.get(name + _TYPE) == "Edm.DateTime":
            return parse(value)
    except (TypeError, ValueError):
        pass  # told below, like a wrong type
    remark(f"{name} is not a DateTime and was left out")
    return None


def _count(row: Row, name: str, remark: Remark) -> int:
    value = row.get(name)
    if value is None:
        return 0
    is_int32 = type(value) is int  # a bool is an int to Python
    try:
        if row.get(name + _TYPE, "Edm.Int32" if is_int32 else None) in _INTEGERS and int(value) >= 0:
            return int(value)
    except (OverflowError, TypeError, ValueError):
        pass  # told below, like a wrong type
    remark(f"{name} is not a count and was read as 0")
    return 0


_INTEGERS = ("Edm.Int32", "Edm.Int64")


def _blob(row: Row, name: str, remark: Remark) -> BlobPath | None:
    text = _text(row, name, remark)
    path = None if text is None else BlobPath.parse(text)
    if text is not None and path is None:
        remark(f"{name} is not container/path/of/blob and was left out")
    return path
