"""What an answer says of a job, whatever its format (wire-contract.md, section 3)."""

import pytest
from lxml.etree import QName

from adapters.model.jobs import JobStatus, JobType
from proxy.wire.job_resources import error_message, job_list_resources
from proxy.wire.job_types import JOB_TYPES, StatusPath, is_served_at
from tests.support.given_jobs import SIGNED, json_listed, json_status, only, record, xml_listed, xml_status
from tests.support.member_order import names_of

DATAFLOW = "DataflowJob:http://schemas.microsoft.com/search/local/ws/rest/v1"
SERVICE = "DataServiceJob:http://schemas.microsoft.com/search/local/ws/rest/v1"
SERVICE_TYPES = (JobType.PUBLISH, JobType.DELETE, JobType.ACCESS)
DATAFLOW_TYPES = tuple(job_type for job_type in JobType if job_type not in SERVICE_TYPES)
LISTED_TYPES = tuple(job_type for job_type in JobType if job_type is not JobType.DOWNLOAD)
COUNTS = ("failedEntityCount", "processedEntityCount", "totalEntityCount")

each_type = pytest.mark.parametrize("job_type", JobType)
each_service_type = pytest.mark.parametrize("job_type", SERVICE_TYPES)
each_dataflow_type = pytest.mark.parametrize("job_type", DATAFLOW_TYPES)


def test_job_types_are_those_of_the_documents() -> None:
    assert [job_type.value for job_type in JobType] == [
        "Geocode",
        "DataSourceComplete",
        "DataSourceIncremental",
        "DataSourceCompleteStaging",
        "DataSourceIncrementalStaging",
        "DataSourcePublishFromStaged",
        "DataSourceRollback",
        "DataSourceDelete",
        "DataSourceAccess",
        "DataSourceDownload",
    ]
    assert set(JOB_TYPES) == set(JobType)


@each_type
def test_a_json_status_is_always_a_dataflow_job(job_type: JobType) -> None:
    job = json_status(record(job_type))
    assert job["__type"] == DATAFLOW
    assert [job[count] for count in COUNTS] == [0, 0, 0]


@each_service_type
def test_a_service_job_stays_one_in_xml_and_has_no_counts(job_type: JobType) -> None:
    for job in (xml_status(record(job_type, total=7)), xml_listed(record(job_type, total=7))):
        assert QName(job).localname == "DataServiceJob"
        assert not any(name.endswith("Count") for name in names_of(job))


@each_service_type
def test_a_service_job_in_the_json_list_has_no_counts(job_type: JobType) -> None:
    job = json_listed(record(job_type, total=7))
    assert job["__type"] == SERVICE
    assert not any(count in job for count in COUNTS)


@each_dataflow_type
def test_a_dataflow_job_has_counts_in_xml(job_type: JobType) -> None:
    job = xml_status(record(job_type, total=5, processed=4, failed=1))
    assert QName(job).localname == "DataflowJob"
    counts = [only(job, f"{{*}}{name}EntityCount").text for name in ("Total", "Processed", "Failed")]
    assert counts == ["5", "4", "1"]


def test_a_count_of_more_than_32_bits_is_shown_as_the_greatest() -> None:
    large = record(total=2**31, processed=2**31 - 1, failed=2**63 - 1)
    assert [json_status(large)[count] for count in COUNTS] == [2147483647] * 3
    assert only(xml_status(large), "{*}TotalEntityCount").text == "2147483647"


@pytest.mark.parametrize(("status", "word"), [*zip(JobStatus, ["Pending", "Completed", "Aborted"], strict=True)])
def test_the_status_is_one_of_three_words(status: JobStatus, word: str) -> None:
    assert json_status(record(status=status))["status"] == word
    assert only(xml_listed(record(status=status)), "{*}Status").text == word


def test_a_pending_job_has_no_date_of_completion() -> None:
    pending = record(status=JobStatus.PENDING)
    assert "completedDate" not in json_status(pending)
    assert only(xml_listed(pending), "{*}CompletedDate").text is None


def test_an_aborted_job_shows_its_message() -> None:
    aborted = record(status=JobStatus.ABORTED, error_message="The file is empty.")
    assert json_status(aborted)["errorMessage"] == json_listed(aborted)["errorMessage"] == "The file is empty."
    assert only(xml_status(aborted), "{*}ErrorMessage").text == "The file is empty."
    assert error_message(aborted) == "The file is empty."


def test_an_aborted_job_without_message_shows_a_stock_text() -> None:
    aborted = record(status=JobStatus.ABORTED)
    assert json_status(aborted)["errorMessage"] == "The job was aborted."
    assert only(xml_listed(aborted), "{*}ErrorMessage").text == "The job was aborted."
    assert error_message(aborted) == "The job was aborted."


@pytest.mark.parametrize("status", [JobStatus.PENDING, JobStatus.COMPLETED])
def test_a_job_that_was_not_aborted_has_no_message(status: JobStatus) -> None:
    job = record(status=status, error_message="left over")
    assert "errorMessage" not in json_status(job)
    assert "ErrorMessage" not in names_of(xml_listed(job))
    assert error_message(job) is None


def test_the_description_in_the_list_is_the_job_type() -> None:
    job = record(description="Nightly load")
    assert json_status(job)["description"] == "Nightly load"
    assert only(xml_status(job), "{*}Description").text == "Nightly load"
    assert json_listed(job)["description"] == "DataSourceComplete"
    assert only(xml_listed(job), "{*}Description").text == "DataSourceComplete"


def test_a_status_answer_without_a_description_has_none() -> None:
    assert "description" not in json_status(record())
    assert "Description" not in names_of(xml_status(record()))


@pytest.mark.parametrize("job_type", LISTED_TYPES)
def test_the_list_names_the_data_source_except_on_geocode_jobs(job_type: JobType) -> None:
    name = None if job_type is JobType.GEOCODE else "FourthCoffee"
    assert json_listed(record(job_type)).get("name") == name
    assert ("Name" in names_of(xml_listed(record(job_type)))) == (name is not None)


@each_type
def test_a_status_answer_has_no_name(job_type: JobType) -> None:
    assert "name" not in json_status(record(job_type))


def test_an_imported_job_is_shown_by_its_id_at_bing() -> None:
    assert json_status(record(legacy_id="OldId"))["id"] == "OldId"
    assert only(xml_listed(record(legacy_id="OldId")), "{*}Id").text == "OldId"


def test_download_jobs_are_not_listed() -> None:
    assert job_list_resources([record(JobType.DOWNLOAD)], SIGNED) == ()


@each_type
def test_a_job_is_served_at_its_own_path_and_under_list_jobs(job_type: JobType) -> None:
    assert [kind for kind in StatusPath if is_served_at(job_type, kind)] == [
        JOB_TYPES[job_type].status_path,
        StatusPath.LISTED,
    ]
