"""The rules of the stored rows, one by one."""

from typing import Any

import pytest
from azure.data.tables import EdmType, EntityProperty

from adapters.model.jobs import BlobPath, JobRecord, JobStatus, JobType
from adapters.model.ticks import parse
from adapters.tables.job_rows import read_row, write_row
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
    remarks: list[str] = []
    row = REQUIRED | {name.replace("__", "@odata."): value for name, value in changes.items()}
    return read_row(row, remarks.append), remarks


def _refusal(row: dict[str, Any]) -> str:
    with pytest.raises(MalformedRowError) as caught:
        read_row(row, lambda _: None)
    return str(caught.value)


def test_the_required_properties_are_enough() -> None:
    expected = JobRecord(row_key=ID, job_type=JobType.COMPLETE, status=JobStatus.COMPLETED, created=parse(DATE))
    assert _read() == (expected, [])


@pytest.mark.parametrize("name", ["RowKey", "JobType", "Status", "CreatedDate"])
@pytest.mark.parametrize("value", [None, "", 7, 1.5, True, [], {}], ids=repr)
def test_a_row_without_a_required_property_of_its_type_is_refused(name: str, value: object) -> None:
    if (name, value) != ("Status", ""):  # an unknown word, see below
        assert name in _refusal(REQUIRED | {name: value})
    assert name in _refusal({other: kept for other, kept in REQUIRED.items() if other != name})


def test_an_empty_status_is_an_unknown_word() -> None:
    record, remarks = _read(Status="")
    assert record.status is JobStatus.PENDING
    assert len(remarks) == 1


@pytest.mark.parametrize("job_type", [str(job_type) for job_type in JobType])
def test_every_job_type_is_read(job_type: str) -> None:
    assert _read(JobType=job_type)[0].job_type.value == job_type


@pytest.mark.parametrize("job_type", ["geocode", "DataSource", "Geocode "])
def test_an_unknown_job_type_is_refused(job_type: str) -> None:
    assert "JobType" in _refusal(REQUIRED | {"JobType": job_type})


@pytest.mark.parametrize("row_key", ["alias:id:x", "F" * 32, "0" * 31, "../x"])
def test_a_row_key_that_is_no_job_id_is_refused(row_key: str) -> None:
    assert "RowKey" in _refusal(REQUIRED | {"RowKey": row_key})


def test_a_row_key_need_not_be_a_uuid() -> None:
    assert _read(RowKey="f" * 32)[0].row_key == "f" * 32


def test_an_unknown_status_is_pending_and_told() -> None:
    read, remarks = _read(Status="Exploded")
    assert read.status is JobStatus.PENDING
    assert len(remarks) == 1
    assert "Status" in remarks[0]


def test_a_date_keeps_its_ticks() -> None:
    read, remarks = _read(CompletedDate=DATE, CompletedDate__type="Edm.DateTime")
    assert read.completed == read.created == parse(DATE)
    assert remarks == []


@pytest.mark.parametrize(
    ("value", "edm_type"),
    [
        (DATE, "Edm.String"),
        ("yesterday", "Edm.DateTime"),
        (5, "Edm.DateTime"),
        ("2013-02-30T00:00:00Z", "Edm.DateTime"),
    ],
)
def test_a_completion_that_is_no_date_is_left_out_and_told(value: object, edm_type: str) -> None:
    read, remarks = _read(CompletedDate=value, CompletedDate__type=edm_type)
    assert read.completed is None
    assert remarks == ["CompletedDate is not a DateTime and was left out"]


@pytest.mark.parametrize("value", [DATE, "yesterday"])
def test_a_creation_that_is_no_date_refuses_the_row(value: str) -> None:
    edm_type = "Edm.String" if value == DATE else "Edm.DateTime"
    assert "CreatedDate" in _refusal(REQUIRED | {"CreatedDate": value, "CreatedDate@odata.type": edm_type})


def test_texts_are_read_as_they_are() -> None:
    read, remarks = _read(**{name: f"{name} é\n" for name in TEXTS})
    found = [read.data_source_name, read.access_id, read.description, read.error_message, read.legacy_id]
    assert (found, remarks) == ([f"{name} é\n" for name in TEXTS], [])


@pytest.mark.parametrize("name", TEXTS)
def test_an_empty_text_is_none(name: str) -> None:
    assert _read(**{name: ""}) == _read()


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("value", [5, 1.5, True, ["a"], {"a": 1}], ids=repr)
def test_a_text_of_another_type_is_left_out_and_told(name: str, value: object) -> None:
    read, remarks = _read(**{name: value})
    assert read == _read()[0]
    assert remarks == [f"{name} is not a string and was left out"]


def test_a_guid_is_no_text() -> None:
    read, remarks = _read(AccessId="20181f26-d9e9-4c81-acdf-9496133d4f23", AccessId__type="Edm.Guid")
    assert read.access_id is None
    assert len(remarks) == 1


@pytest.mark.parametrize(
    ("value", "edm_type", "count"),
    [(5, None, 5), (5, "Edm.Int32", 5), ("5", "Edm.Int64", 5), (str(2**63 - 1), "Edm.Int64", 2**63 - 1), (0, None, 0)],
)
def test_a_count_is_an_int32_or_an_int64(value: object, edm_type: str | None, count: int) -> None:
    annotation = {} if edm_type is None else {"TotalEntityCount__type": edm_type}
    read, remarks = _read(TotalEntityCount=value, **annotation)
    assert (read.total, remarks) == (count, [])


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize(
    ("value", "edm_type"),
    [
        ("5", None),
        (5.0, None),
        (True, None),
        (-1, None),
        ("-1", "Edm.Int64"),
        ("many", "Edm.Int64"),
        ([], "Edm.Int64"),
        (float("inf"), "Edm.Int32"),
        (float("nan"), "Edm.Int32"),
        ("9" * 5000, "Edm.Int64"),
        ("5", "Edm.String"),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_a_count_of_a_wrong_type_is_0_and_told(name: str, value: object, edm_type: str | None) -> None:
    annotation = {} if edm_type is None else {f"{name}__type": edm_type}
    read, remarks = _read(**({name: value} | annotation))
    assert read == _read()[0]
    assert remarks == [f"{name} is not a count and was read as 0"]


def test_a_blob_is_a_container_and_a_path() -> None:
    read, remarks = _read(OutputBlob="exports/2026/a.xml", FailedBlob="exports/errors.log")
    assert (read.output_blob, read.failed_blob) == (BlobPath("exports", "2026/a.xml"), ERRORS)
    assert remarks == []


@pytest.mark.parametrize("name", ["OutputBlob", "FailedBlob"])
@pytest.mark.parametrize("value", ["no blob", "https://host/a/b", 5])
def test_what_names_no_blob_is_left_out_and_told(name: str, value: object) -> None:
    read, remarks = _read(**{name: value})
    assert read == _read()[0]
    assert len(remarks) == 1
    assert remarks[0].startswith(name)


def test_unknown_properties_are_ignored() -> None:
    assert _read(Timestamp="x", Owner=5) == _read()


def test_remarks_and_refusals_hold_no_text_of_the_user() -> None:
    secret = "hunter2 " * 20
    _, remarks = _read(OutputBlob=secret, CompletedDate=secret)
    assert not any("hunter2" in remark for remark in [*remarks, _refusal(REQUIRED | {"CreatedDate": secret})])


def test_a_written_row_has_the_types_of_the_contract() -> None:
    full = record(failed_blob=ERRORS, description="d", error_message="e", legacy_id="Old", total=2**40)
    row = write_row("contoso", full)
    assert (row["PartitionKey"], row["RowKey"]) == ("contoso", full.row_key)
    assert row["CreatedDate"] == EntityProperty("2013-01-03T23:21:58.2262338Z", EdmType.DATETIME)
    assert row["CompletedDate"] == EntityProperty("2013-01-03T23:22:15.7979398Z", EdmType.DATETIME)
    assert row["TotalEntityCount"] == EntityProperty(2**40, EdmType.INT64)
    assert (row["OutputBlob"], row["FailedBlob"]) == ("exports/out put.xml", "exports/errors.log")
    assert (row["JobType"], row["Status"], row["LegacyId"]) == ("DataSourceComplete", "Completed", "Old")


def test_what_has_no_value_is_not_written() -> None:
    assert set(write_row("contoso", _read()[0])) == {
        "PartitionKey",
        "RowKey",
        "JobType",
        "Status",
        "CreatedDate",
        *COUNTS,
    }
