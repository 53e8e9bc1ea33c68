"""Job rows as JSON Lines with the row's property names: the input of `jobs put`, the output of `jobs list`."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr, ValidationError

from adapters.model.job_ids import created_at, is_job_id, new_job_id
from adapters.model.jobs import BlobPath, JobRecord, JobType
from adapters.model.status_aliases import STATUS_ALIASES, parse_status
from adapters.model.ticks import PER_SECOND, format_ticks, parse_ticks
from adapters.tables.row_keys import is_valid_key, legacy_alias
from proxy.cli.output import to_json
from proxy.wire.errors import DATA_SOURCE_NAME
from proxy.wire.request import is_data_source_name

# The first character of partitions that hold other rows than jobs, such as those of live workers.
OWN_PARTITION = "~"

# A row's id and its CreatedDate must agree this far, or the job list sorts the row by one and filters by the other.
_TOLERANCE = 3600 * PER_SECOND


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job of one account."""

    account: str
    record: JobRecord


class JobLinesError(Exception):
    """Some lines are wrong. `mistakes` has a line of text for each."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def _status(word: str) -> str:
    if parse_status(word) is None:
        raise ValueError(f"must be one of {', '.join(STATUS_ALIASES)}, in any letter case")
    return word


def _date(text: str) -> str:
    parse_ticks(text)
    return text


def _blob(text: str) -> str:
    if BlobPath.parse(text) is None:
        raise ValueError("must be container/path/of/blob")
    return text


def _row_key(text: str) -> str:
    if not is_job_id(text):
        raise ValueError("must be a UUIDv7 as 32 lowercase hex digits; leave it out and it is made from CreatedDate")
    return text


def _legacy_id(text: str) -> str:
    if not is_valid_key(legacy_alias(text)):
        raise ValueError("must be at most 500 characters, without / \\ # ? and control characters")
    return text


def _data_source_name(text: str) -> str:
    if not is_data_source_name(text):
        raise ValueError(f"must be {DATA_SOURCE_NAME}")
    return text


Text = Annotated[StrictStr, Field(min_length=1)]
Count = Annotated[int, Field(strict=True, ge=0, lt=2**63)]


class JobRowModel(BaseModel):
    """A job row as a JSON line."""

    # A misspelled property would be stored and never read.
    model_config = ConfigDict(extra="forbid", frozen=True)

    PartitionKey: Text | None = None
    RowKey: Annotated[StrictStr, AfterValidator(_row_key)] | None = None
    JobType: JobType
    Status: Annotated[StrictStr, AfterValidator(_status)]
    CreatedDate: Annotated[StrictStr, AfterValidator(_date)]
    CompletedDate: Annotated[StrictStr, AfterValidator(_date)] | None = None
    DataSourceName: Annotated[Text, AfterValidator(_data_source_name)] | None = None
    AccessId: Text | None = None
    Description: StrictStr | None = None
    ErrorMessage: StrictStr | None = None
    TotalEntityCount: Count = 0
    ProcessedEntityCount: Count = 0
    FailedEntityCount: Count = 0
    OutputBlob: Annotated[StrictStr, AfterValidator(_blob)] | None = None
    FailedBlob: Annotated[StrictStr, AfterValidator(_blob)] | None = None
    LegacyId: Annotated[Text, AfterValidator(_legacy_id)] | None = None

    def record(self) -> JobRecord:
        """Converts the row to a record."""
        created = parse_ticks(self.CreatedDate)
        return JobRecord(
            row_key=self.RowKey or new_job_id(created),
            job_type=self.JobType,
            status=STATUS_ALIASES[self.Status.lower()],
            created=created,
            completed=None if self.CompletedDate is None else parse_ticks(self.CompletedDate),
            data_source_name=self.DataSourceName,
            access_id=self.AccessId,
            description=self.Description or None,
            error_message=self.ErrorMessage or None,
            total=self.TotalEntityCount,
            processed=self.ProcessedEntityCount,
            failed=self.FailedEntityCount,
            output_blob=BlobPath.parse(self.OutputBlob or ""),
            failed_blob=BlobPath.parse(self.FailedBlob or ""),
            legacy_id=self.LegacyId,
        )


def read_lines(lines: Iterable[str], accounts: Sequence[str], default: str | None) -> list[JobRow]:
    """Reads job lines; empty ones are skipped.

    Args:
        lines: the lines, one JSON object each.
        accounts: the accounts of the key ring.
        default: the account of lines without a PartitionKey.

    Raises:
        JobLinesError: some lines are wrong; all of them are named.
    """
    jobs: list[JobRow] = []
    mistakes: list[str] = []
    seen: dict[tuple[str, str], int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            job = _read(line, accounts, default)
        except ValueError as error:
            mistakes.append(f"line {number}: {error}")
            continue
        jobs.append(job)
        for key in {job.record.row_key, legacy_alias(job.record.legacy_id or job.record.row_key)}:
            first = seen.setdefault((job.account, key), number)
            if first != number:
                mistakes.append(f"line {number}: has the same RowKey or LegacyId as line {first}")
                break
    if mistakes:
        raise JobLinesError(mistakes)
    return jobs


def write_line(account: str, record: JobRecord) -> str:
    """Returns a job as a line that `read_lines` takes."""
    return to_json(job_members(account, record))


def job_members(account: str, record: JobRecord) -> dict[str, Any]:
    """Returns a job's properties that have a value, by their names in the row."""
    members = {
        "PartitionKey": account,
        "RowKey": record.row_key,
        "JobType": record.job_type.value,
        "Status": record.status.value,
        "CreatedDate": format_ticks(record.created),
        "CompletedDate": None if record.completed is None else format_ticks(record.completed),
        "DataSourceName": record.data_source_name,
        "AccessId": record.access_id,
        "Description": record.description,
        "ErrorMessage": record.error_message,
        "TotalEntityCount": record.total,
        "ProcessedEntityCount": record.processed,
        "FailedEntityCount": record.failed,
        "OutputBlob": record.output_blob and str(record.output_blob),
        "FailedBlob": record.failed_blob and str(record.failed_blob),
        "LegacyId": record.legacy_id,
    }
    return {name: value for name, value in members.items() if value is not None}


def _read(line: str, accounts: Sequence[str], default: str | None) -> JobRow:
    try:
        row = JobRowModel.model_validate(json.loads(line))
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg}") from None
    except ValidationError as error:
        raise ValueError("; ".join(_mistake(each) for each in error.errors(include_url=False))) from None
    account = row.PartitionKey or default
    if account is None:
        raise ValueError(f"PartitionKey or --account must say which account: {', '.join(accounts)}")
    if account.startswith(OWN_PARTITION):
        raise ValueError(f"PartitionKey: {account[:50]!r} is not an account's: those with ~ are the program's own")
    if account not in accounts:
        raise ValueError(f"PartitionKey: the key ring has no account {account!r}")
    if row.JobType is JobType.DOWNLOAD and row.DataSourceName is None:
        raise ValueError("DataSourceName: must be there, clients ask for a download by it")
    record = row.record()
    if row.RowKey is not None and abs(created_at(row.RowKey) - record.created) > _TOLERANCE:
        raise ValueError("RowKey: is a UUIDv7 of another time than CreatedDate, so the job list would not find the row")
    return JobRow(account, record)


def _mistake(error: Any) -> str:  # noqa: ANN401 - pydantic's own shape
    text = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        text = "no such property"
    elif error["type"] == "missing":
        text = "must be there"
    return f"{'.'.join(str(part) for part in error['loc'])}: {text}" if error["loc"] else text
