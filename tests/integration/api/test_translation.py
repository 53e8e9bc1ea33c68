"""What an answer makes of a row: design, "Stored rows", and wire contract, section 3."""

from datetime import UTC, datetime
from typing import Any

import pytest
from azure.data.tables import EdmType, EntityProperty
from lxml import etree

from tests.conftest import StartServer
from tests.support.job_samples import JOB_TYPES, path_of
from tests.support.live import LiveServer
from tests.support.storage import Storage, date, int64

XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"

WORDS = {
    "Pending": ("Pending", "Queued", "NotStarted", "Running", "InProgress", "Accepted", "Created"),
    "Completed": ("Completed", "Succeeded", "Success"),
    "Aborted": ("Aborted", "Failed", "Cancelled", "Canceled", "TimedOut", "Error"),
}

COUNTS = ("totalEntityCount", "processedEntityCount", "failedEntityCount")


def load(job_id: str) -> str:
    return f"Dataflows/LoadDataSource/{job_id}"


def xml_job(proxy: LiveServer, job_id: str) -> etree._Element:
    (job,) = proxy.xml(load(job_id)).iterfind(".//{*}Resources/*")
    return job


@pytest.mark.parametrize(("shown", "word"), [(shown, word) for shown, words in WORDS.items() for word in words])
def test_every_status_word_is_read_in_any_letter_case(
    shown: str, word: str, proxy: LiveServer, account: Storage
) -> None:
    for written in (word, word.lower(), word.upper()):
        assert proxy.job(load(account.job(status=written)))["status"] == shown
    assert xml_job(proxy, account.job(status=word)).findtext("{*}Status") == shown


def test_an_unknown_status_word_is_pending_and_logged_once(
    proxy: LiveServer, account: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = account.job(status="Dreaming")
    for _ in range(3):
        assert proxy.job(load(job_id))["status"] == "Pending"
    (record,) = [record for record in caplog.records if "Dreaming" in record.getMessage()]
    assert (record.__dict__["partition_key"], record.__dict__["row_key"]) == (account.account, job_id)


@pytest.mark.parametrize(
    ("stored", "zone", "shown"),
    [
        ("2013-01-03T23:22:15.7979398Z", None, "2013-01-03T15:22:15.7979398-08:00"),
        ("2013-07-03T23:22:15.7979398Z", None, "2013-07-03T16:22:15.7979398-07:00"),
        ("2013-01-04T01:06:23.5469030Z", None, "2013-01-03T17:06:23.546903-08:00"),
        ("2013-01-04T01:06:23.0000001Z", None, "2013-01-03T17:06:23.0000001-08:00"),
        ("2013-01-04T01:06:23.0000000Z", None, "2013-01-03T17:06:23-08:00"),
        ("2013-01-03T23:22:15.7979398Z", "UTC", "2013-01-03T23:22:15.7979398+00:00"),
        ("2013-01-03T23:22:15.7979398Z", "Asia/Kolkata", "2013-01-04T04:52:15.7979398+05:30"),
    ],
)
def test_no_tick_is_lost_and_the_zone_is_configurable(
    *, stored: str, zone: str | None, shown: str, proxy: LiveServer, account: Storage, start: StartServer
) -> None:
    asked = proxy if zone is None else start(account, time_zone=zone)
    job_id = account.job(CreatedDate=stored, CompletedDate=date(stored))
    job = xml_job(asked, job_id)
    assert job.findtext("{*}CreatedDate") == job.findtext("{*}CompletedDate") == shown
    moment = datetime.fromisoformat(stored[:19]).replace(tzinfo=UTC)
    answer = asked.job(load(job_id))
    assert answer["createdDate"] == answer["completedDate"] == f"{moment:%a, %d %b %Y %H:%M:%S} GMT"


@pytest.mark.parametrize("created", ["1601-01-01T00:00:00Z", "1883-11-18T20:00:01Z", "9999-12-31T23:59:59.9999999Z"])
def test_the_oldest_and_the_last_date_that_a_table_takes_are_shown(
    created: str, proxy: LiveServer, account: Storage
) -> None:
    job_id = account.job(RowKey=f"0{account.job()[1:]}", CreatedDate=created)
    assert proxy.job(load(job_id))["createdDate"].endswith("GMT")
    assert xml_job(proxy, job_id).findtext("{*}CreatedDate")


@pytest.mark.parametrize(
    ("stored", "shown", "is_told"),
    [
        (0, 0, False),
        (7, 7, False),
        (int64(7), 7, False),
        (int64(2_147_483_648), 2_147_483_647, False),
        (int64(2**63 - 1), 2_147_483_647, False),
        (-1, 0, True),
        (int64(-5), 0, True),
        ("7", 0, True),
        ("many", 0, True),
        (True, 0, True),
        (7.0, 0, True),
        (date("2026-01-01T00:00:00Z"), 0, True),
        (b"7", 0, True),
        (EntityProperty("7b1f8c50-0000-4000-8000-000000000000", EdmType.GUID), 0, True),
    ],
)
def test_counts_are_int32_and_0_when_of_a_wrong_type(
    *,
    stored: Any,
    shown: int,
    is_told: bool,
    proxy: LiveServer,
    account: Storage,
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = ("TotalEntityCount", "ProcessedEntityCount", "FailedEntityCount")
    job_id = account.job(**dict.fromkeys(names, stored))
    job = proxy.job(load(job_id))
    assert [job[name] for name in COUNTS] == [shown] * 3
    assert [xml_job(proxy, job_id).findtext("{*}" + name) for name in names] == [str(shown)] * 3
    told = [record.getMessage() for record in caplog.records if record.__dict__.get("row_key") == job_id]
    assert [name in " ".join(told) for name in names] == [is_told] * 3


@pytest.mark.parametrize("job_type", JOB_TYPES)
@pytest.mark.parametrize("status", ["Pending", "Completed"])
def test_a_row_of_required_properties_only_is_shown_without_null_or_empty_members(
    job_type: str, status: str, proxy: LiveServer, account: Storage
) -> None:
    job_id = account.job(job_type, status)
    job = proxy.job(path_of(job_type, job_id))
    assert list(job) == ["__type", "id", "links", "createdDate", *sorted(("status", *COUNTS))]
    assert None not in job.values()
    assert [job[name] for name in COUNTS] == [0, 0, 0]
    (element,) = proxy.xml(path_of(job_type, job_id)).iterfind(".//{*}Resources/*")
    names = [etree.QName(child).localname for child in element]
    assert names[:5] == ["Id", "Link", "Status", "CreatedDate", "CompletedDate"]
    has_counts = not path_of(job_type, "").startswith("data/jobs")
    assert names[5:] == ["TotalEntityCount", "ProcessedEntityCount", "FailedEntityCount"] * has_counts
    completed = element.find("{*}CompletedDate")
    assert completed is not None
    assert (dict(completed.attrib), completed.text) == ({XSI_NIL: "true"}, None)


def test_empty_texts_are_as_good_as_none(proxy: LiveServer, account: Storage) -> None:
    texts = ("DataSourceName", "AccessId", "Description", "ErrorMessage", "OutputBlob", "FailedBlob", "LegacyId")
    job = proxy.job(load(account.job(**dict.fromkeys(texts, ""))))
    assert "description" not in job
    assert len(job["links"]) == 1


def test_optional_properties_of_a_wrong_type_are_left_out_and_logged(
    proxy: LiveServer, account: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    odd: dict[str, Any] = {"Description": 5, "AccessId": True, "OutputBlob": "no-path", "CompletedDate": "yesterday"}
    job_id = account.job(DataSourceName="Shop", **odd)
    job = proxy.job(load(job_id))
    assert (len(job["links"]), "description" in job, "completedDate" in job) == (1, False, False)
    told = [record.getMessage() for record in caplog.records if record.__dict__.get("row_key") == job_id]
    assert [any(name in text for text in told) for name in odd] == [True] * len(odd)


def test_a_pending_job_shows_no_completed_date(proxy: LiveServer, account: Storage) -> None:
    assert "completedDate" not in proxy.job(
        load(account.job(status="Running", CompletedDate=date("2026-01-01T00:00:00Z")))
    )


def test_the_description_is_the_users_own_and_the_name_is_for_the_list(proxy: LiveServer, account: Storage) -> None:
    job = proxy.job(load(account.job(DataSourceName="Shop", Description="Shops, April")))
    assert job["description"] == "Shops, April"
    assert "name" not in job
