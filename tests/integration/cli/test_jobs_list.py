"""`jobs list`: prints what `jobs put` takes."""

import json
from pathlib import Path

from tests.integration.cli.conftest import Run
from tests.support.storage import Storage, int64


def test_a_listed_job_can_be_put_again(run: Run, storage: Storage, tmp_path: Path) -> None:
    storage.job("Geocode", TotalEntityCount=int64(3), OutputBlob="exports/a.csv", LegacyId="abc", Description='"é"')
    storage.job("DataSourceAccess", "Failed", AccessId="x", DataSourceName="Coffee", ErrorMessage="No.")
    first = run("jobs", "list")
    assert first.status == 0
    file = tmp_path / "jobs.jsonl"
    file.write_text(first.out, encoding="utf-8")
    assert run("jobs", "put", str(file)).status == 0
    assert run("jobs", "list").out == first.out


def test_a_line_has_the_property_names_of_the_row(run: Run, storage: Storage) -> None:
    job = storage.job("DataSourceDelete", "queued", DataSourceName="Coffee")
    (line,) = run("jobs", "list", "--account", storage.account).out.splitlines()
    told = json.loads(line)
    assert told.pop("CreatedDate").endswith("Z")
    assert told == {
        "PartitionKey": storage.account,
        "RowKey": job,
        "JobType": "DataSourceDelete",
        "Status": "Pending",
        "DataSourceName": "Coffee",
        "TotalEntityCount": 0,
        "ProcessedEntityCount": 0,
        "FailedEntityCount": 0,
    }


def test_old_jobs_are_listed_too_and_bad_rows_are_passed_over(run: Run, storage: Storage) -> None:
    old = storage.job(CreatedDate="2013-01-03T23:21:58Z")
    storage.row("0" * 32, JobType="Nonsense")
    assert [json.loads(line)["RowKey"] for line in run("jobs", "list").out.splitlines()] == [old]


def test_partitions_of_the_program_itself_are_passed_over(run: Run, storage: Storage) -> None:
    storage.job(PartitionKey=f"~workers:{storage.account}")
    storage.job(PartitionKey="~counters")
    job = storage.job()
    assert [json.loads(line)["RowKey"] for line in run("jobs", "list").out.splitlines()] == [job]
