"""Design, "Stored rows": a row that can't be read hides no other, is our fault on its own status, and is logged."""

from typing import Any

import pytest

from adapters.model.job_ids import new_job_id
from adapters.model.ticks import parse_ticks
from tests.support.job_samples import path_of
from tests.support.live import LiveServer
from tests.support.storage import Storage, ago, date

BAD: dict[str, dict[str, Any]] = {
    "no job type": {"JobType": None},
    "no status": {"Status": None},
    "no created date": {"CreatedDate": None},
    "unknown job type": {"JobType": "DataSourceDance"},
    "job type in lower case": {"JobType": "geocode"},
    "status is a number": {"Status": 3},
    "job type is a bool": {"JobType": True},
    "created date is a text": {"CreatedDate": "2026-01-01T00:00:00Z"},
    "created date is a number": {"CreatedDate": 20260101},
    "nothing at all": {"JobType": None, "Status": None, "CreatedDate": None},
}


def write(storage: Storage, changes: dict[str, Any]) -> str:
    """A row that would be good without the changes."""
    created = ago(hours=1)
    row = {"JobType": "Geocode", "Status": "Completed", "CreatedDate": date(created)} | changes
    row_key = new_job_id(parse_ticks(created))
    storage.row(row_key, **{name: value for name, value in row.items() if value is not None})
    return row_key


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_a_bad_row_is_a_500_and_logged_with_its_keys(
    changes: dict[str, Any], proxy: LiveServer, account: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    row_key = write(account, changes)
    response = proxy.get(path_of("Geocode", row_key))
    assert (response.status_code, response.json()["authenticationResultCode"]) == (500, "ValidCredentials")
    assert len(response.json()["errorDetails"]) == 1
    told = [record for record in caplog.records if record.__dict__.get("row_key") == row_key]
    assert "row can't be shown" in told[-1].getMessage()
    assert {record.__dict__["partition_key"] for record in told} == {account.account}
    assert proxy.get(path_of("Geocode", row_key) + "/output/succeeded").status_code == 500


def test_each_500_of_a_bad_row_is_logged_by_trace_id(
    proxy: LiveServer, account: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    row_key = write(account, {"JobType": "DataSourceDance"})
    for _ in range(2):
        answer = proxy.json(path_of("Geocode", row_key))
        told = [record for record in caplog.records if record.__dict__.get("trace_id") == answer["traceId"]]
        assert any(row_key in record.getMessage() and "JobType" in record.getMessage() for record in told)
        assert "Dance" not in str(answer)


def test_bad_rows_hide_no_other_in_the_list(
    server: LiveServer, storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    bad = {write(storage, changes) for changes in BAD.values()}
    storage.row("0" * 32 + "x", JobType="Geocode")
    storage.row(new_job_id(parse_ticks(ago(hours=2)))[:-1], JobType="Geocode")
    good = {storage.job("Geocode") for _ in range(3)}
    (found,) = server.json("Dataflows/ListJobs")["resourceSets"]
    assert {job["id"] for job in found["resources"]} == good
    assert found["estimatedTotal"] == 3
    assert bad <= {record.__dict__.get("row_key") for record in caplog.records}


@pytest.mark.parametrize("job_id", [None, "0" * 32, "", "x/y", 7, True, "alias:id:loop"])
def test_an_alias_whose_row_is_gone_is_not_found_and_logged(
    job_id: object, proxy: LiveServer, account: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    name = f"gone{abs(hash(job_id))}"
    for alias, path in (
        (f"alias:id:{name}", path_of("Geocode", name)),
        (f"alias:download:{name}", path_of("DataSourceDownload", name)),
    ):
        account.row(alias, **({} if job_id is None else {"JobId": job_id}))
        response = proxy.get(path)
        assert (response.status_code, response.json()["authenticationResultCode"]) == (404, "ValidCredentials")
        assert alias in {record.__dict__.get("row_key") for record in caplog.records}


def test_an_alias_to_a_job_of_another_kind_is_not_found(proxy: LiveServer, account: Storage) -> None:
    account.alias("alias:download:wrong", account.job("DataSourceComplete", DataSourceName="wrong"))
    assert proxy.get(path_of("DataSourceDownload", "wrong")).status_code == 404


def test_an_alias_that_points_at_a_bad_row_is_a_500(proxy: LiveServer, account: Storage) -> None:
    account.alias("alias:download:broken", write(account, {"Status": None}))
    assert proxy.get(path_of("DataSourceDownload", "broken")).status_code == 500


def test_rows_of_no_job_are_not_found_as_jobs(proxy: LiveServer, account: Storage) -> None:
    account.alias("alias:id:inner", account.job("Geocode", LegacyId="inner"))
    assert proxy.get(path_of("Geocode", "alias:id:inner")).status_code == 404
