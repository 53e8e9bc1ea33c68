"""What an answer makes of a row: docs/storage-schema.md and docs/wire-contract.md, section 3."""

from datetime import UTC, datetime
from typing import Any

import pytest
from azure.data.tables import EdmType, EntityProperty
from lxml import etree

from tests.conftest import StartServer
from tests.support.live import LiveServer
from tests.support.storage import Storage, date, int64

COUNTS = ("totalEntityCount", "processedEntityCount", "failedEntityCount")


def load(job_id: str) -> str:
    return f"Dataflows/LoadDataSource/{job_id}"


def xml_job(proxy: LiveServer, job_id: str) -> etree._Element:
    (job,) = proxy.xml(load(job_id)).iterfind(".//{*}Resources/*")
    return job


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
        ("2013-07-03T23:22:15.7979398Z", None, "2013-07-03T16:22:15.7979398-07:00"),
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


@pytest.mark.parametrize(
    ("stored", "shown", "is_told"),
    [
        (int64(2**63 - 1), 2_147_483_647, False),
        ("7", 0, True),
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
