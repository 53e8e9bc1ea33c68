"""The rules of stored job rows, one by one."""

from typing import Any

import pytest
from azure.data.tables import EdmType, EntityProperty

from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import parse_ticks
from adapters.tables.job_rows import read_job, write_job
from adapters.tables.properties import MalformedRowError
from tests.support.given_jobs import ERRORS, record

ID = "0198c0ffee007abc8def0123456789ab"
DATE = "2013-01-03T23:22:15.7979398Z"
REQUIRED = {
    "PartitionKey": "contoso",
    "RowKey": ID,
    "JobType": "DataSourceComplete",
    "Status": "Completed",
    "CreatedDate@odata.type": "Edm.DateTime",
    "CreatedDate": DATE,
}
TEXTS = ["DataSourceName", "AccessId", "Description", "ErrorMessage", "LegacyId"]
COUNTS = ["TotalEntityCount", "ProcessedEntityCount", "FailedEntityCount"]


def _read(**changes: Any) -> tuple[JobRecord, list[str]]:
    warnings: list[str] = []
    row = REQUIRED | {name.replace("__", "@odata."): value for name, value in changes.items()}
    return read_job(row, warnings.append), warnings


def _refusal(row: dict[str, Any]) -> str:
    with pytest.raises(MalformedRowError) as caught:
        read_job(row, lambda _: None)
    return str(caught.value)


def test_required_properties_are_enough() -> None:
    expected = JobRecord(row_key=ID, job_type=JobType.COMPLETE, status=JobStatus.COMPLETED, created=parse_ticks(DATE))
    assert _read() == (expected, [])


@pytest.mark.parametrize("name", ["RowKey", "JobType", "Status", "CreatedDate"])
@pytest.mark.parametrize("value", [None, "", 7, 1.5, True, [], {}], ids=repr)
def test_missing_or_mistyped_required_property_is_refused(name: str, value: object) -> None:
    if (name, value) != ("Status", ""):  # an unknown word, see below
        assert name in _refusal(REQUIRED | {name: value})
    assert name in _refusal({other: kept for other, kept in REQUIRED.items() if other != name})


@pytest.mark.parametrize("job_type", [str(job_type) for job_type in JobType])
def test_every_job_type_is_read(job_type: str) -> None:
    assert _read(JobType=job_type)[0].job_type.value == job_type


@pytest.mark.parametrize("job_type", ["geocode", "DataSource", "Geocode "])
def test_unknown_job_type_is_refused(job_type: str) -> None:
    assert "JobType" in _refusal(REQUIRED | {"JobType": job_type})


@pytest.mark.parametrize("row_key", ["alias:id:x", "F" * 32, "0" * 31, "../x"])
def test_row_key_that_is_no_job_id_is_refused(row_key: str) -> None:
    assert "RowKey" in _refusal(REQUIRED | {"RowKey": row_key})


def test_row_key_need_not_be_a_uuid() -> None:
    assert _read(RowKey="f" * 32)[0].row_key == "f" * 32


@pytest.mark.parametrize("word", ["Exploded", ""])
def test_unknown_status_is_pending_with_a_warning(word: str) -> None:
    read, warnings = _read(Status=word)
    assert read.status is JobStatus.PENDING
    assert len(warnings) == 1
    assert "Status" in warnings[0]


def test_date_keeps_its_ticks() -> None:
    read, warnings = _read(CompletedDate=DATE, CompletedDate__type="Edm.DateTime")
    assert read.completed == read.created == parse_ticks(DATE)
    assert warnings == []


@pytest.mark.parametrize("value", [DATE, "yesterday"])
def test_malformed_creation_refuses_the_row(value: str) -> None:
    edm_type = "Edm.String" if value == DATE else "Edm.DateTime"
    assert "CreatedDate" in _refusal(REQUIRED | {"CreatedDate": value, "CreatedDate@odata.type": edm_type})


WRONG_DATES = [(DATE, "Edm.String"), *((wrong, "Edm.DateTime") for wrong in ("yesterday", 5, "2013-02-30T00:00:00Z"))]
WRONG_TEXTS = [(5, None), (1.5, None), (True, None), (["a"], None), ({"a": 1}, None), (ID, "Edm.Guid")]
WRONG_COUNTS = [
    *zip(["5", 5.0, True, -1, "5"], [None, None, None, None, "Edm.String"], strict=True),
    *zip(["-1", "many", [], "9" * 5000], ["Edm.Int64"] * 4, strict=True),
    *zip([float("inf"), float("nan")], ["Edm.Int32"] * 2, strict=True),
]
WRONG_BLOBS = [("no blob", None), ("https://host/a/b", None), (5, None)]


@pytest.mark.parametrize(
    ("name", "value", "edm_type"),
    [
        *(("CompletedDate", *wrong) for wrong in WRONG_DATES),
        *((name, *wrong) for name in TEXTS for wrong in WRONG_TEXTS),
        *((name, *wrong) for name in COUNTS for wrong in WRONG_COUNTS),
        *((name, *wrong) for name in ("OutputBlob", "FailedBlob") for wrong in WRONG_BLOBS),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_mistyped_property_is_skipped_with_a_warning(name: str, value: object, edm_type: str | None) -> None:
    annotation = {} if edm_type is None else {f"{name}__type": edm_type}
    read, warnings = _read(**({name: value} | annotation))
    assert read == _read()[0]
    assert [warning.partition(" is not ")[0] for warning in warnings] == [name]


def test_texts_are_read_unchanged() -> None:
    read, warnings = _read(**{name: f"{name} é\n" for name in TEXTS})
    found = [read.data_source_name, read.access_id, read.description, read.error_message, read.legacy_id]
    assert (found, warnings) == ([f"{name} é\n" for name in TEXTS], [])


@pytest.mark.parametrize("name", TEXTS)
def test_empty_text_is_none(name: str) -> None:
    assert _read(**{name: ""}) == _read()


@pytest.mark.parametrize(
    ("value", "edm_type", "count"),
    [(5, None, 5), (5, "Edm.Int32", 5), ("5", "Edm.Int64", 5), (str(2**63 - 1), "Edm.Int64", 2**63 - 1), (0, None, 0)],
)
def test_count_is_an_int32_or_an_int64(value: object, edm_type: str | None, count: int) -> None:
    annotation = {} if edm_type is None else {"TotalEntityCount__type": edm_type}
    read, warnings = _read(TotalEntityCount=value, **annotation)
    assert (read.total, warnings) == (count, [])


def test_blob_is_a_container_and_a_path() -> None:
    read, warnings = _read(OutputBlob="exports/2026/a.xml", FailedBlob="exports/errors.log")
    assert (read.output_blob, read.failed_blob) == (BlobPath("exports", "2026/a.xml"), ERRORS)
    assert warnings == []


def test_warnings_and_errors_hold_no_value() -> None:
    secret = "hunter2 " * 20
    _, warnings = _read(OutputBlob=secret, CompletedDate=secret)
    assert not any("hunter2" in warning for warning in [*warnings, _refusal(REQUIRED | {"CreatedDate": secret})])


def test_written_row_has_the_types_of_the_contract() -> None:
    full = record(failed_blob=ERRORS, description="d", error_message="e", legacy_id="Old", total=2**40)
    row = write_job("contoso", full)
    assert (row["PartitionKey"], row["RowKey"]) == ("contoso", full.row_key)
    assert row["CreatedDate"] == EntityProperty("2013-01-03T23:21:58.2262338Z", EdmType.DATETIME)
    assert row["CompletedDate"] == EntityProperty("2013-01-03T23:22:15.7979398Z", EdmType.DATETIME)
    assert row["TotalEntityCount"] == EntityProperty(2**40, EdmType.INT64)
    assert (row["OutputBlob"], row["FailedBlob"]) == ("exports/out put.xml", "exports/errors.log")
    assert (row["JobType"], row["Status"], row["LegacyId"]) == ("DataSourceComplete", "Completed", "Old")


def test_property_without_a_value_is_not_written() -> None:
    assert set(write_job("contoso", _read()[0])) == {
        "PartitionKey",
        "RowKey",
        "JobType",
        "Status",
        "CreatedDate",
        *COUNTS,
    }
