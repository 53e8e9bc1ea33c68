"""`jobs put`: lines of JSON become rows, all or none."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from adapters.model.job_ids import is_job_id, new_job_id
from adapters.model.ticks import parse_ticks
from tests.integration.cli.conftest import Run
from tests.support.audited_changes import changes
from tests.support.live import LiveServer
from tests.support.storage import Storage, ago

CREATED = "2013-01-03T23:21:58.2262339Z"


def lines(path: Path, *rows: dict[str, Any] | str) -> str:
    file = path / "jobs.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return str(file)


def row(**properties: Any) -> dict[str, Any]:
    return {"JobType": "Geocode", "Status": "Completed", "CreatedDate": CREATED} | properties


def rows_of(storage: Storage) -> list[dict[str, Any]]:
    return [dict(entity) for entity in storage.table.list_entities()]


def test_a_row_is_written_with_its_types_and_all_its_ticks(run: Run, storage: Storage, tmp_path: Path) -> None:
    outcome = run("jobs", "put", lines(tmp_path, "", row(TotalEntityCount=5_000_000_000, OutputBlob="exports/a/b.csv")))
    assert (outcome.status, outcome.out) == (0, "1 jobs written\n")
    assert [each[1:] for each in changes(storage)] == [("jobs put", "1 jobs")]
    (written,) = rows_of(storage)
    assert is_job_id(written["RowKey"])
    assert written["PartitionKey"] == storage.account
    assert written["CreatedDate"].tables_service_value == CREATED
    assert written["TotalEntityCount"].value == 5_000_000_000
    assert "CompletedDate" not in written


def test_what_is_put_is_served(run: Run, server: LiveServer, tmp_path: Path) -> None:
    legacy_id = "F8293DC72AC04942B7CB003C9608C547"
    created = ago(hours=1)
    file = lines(
        tmp_path,
        row(JobType="DataSourceComplete", Status="running", LegacyId=legacy_id, CreatedDate=created),
        row(JobType="DataSourceDownload", DataSourceName="Coffee-East", CreatedDate=created),
    )
    assert run("jobs", "put", file).status == 0
    assert server.job(f"Dataflows/LoadDataSource/{legacy_id.lower()}")["status"] == "Pending"
    assert server.job("Dataflows/DataSourceDownload/COFFEE-east")["status"] == "Completed"


def test_the_newest_download_stays_the_newest(run: Run, server: LiveServer, tmp_path: Path) -> None:
    newest = new_job_id(parse_ticks(CREATED))
    older = row(JobType="DataSourceDownload", DataSourceName="Coffee", CreatedDate="2012-01-01T00:00:00Z")
    run("jobs", "put", lines(tmp_path, older, older | {"RowKey": newest, "CreatedDate": CREATED}, older))
    run("jobs", "put", lines(tmp_path, older))
    assert server.job("Dataflows/DataSourceDownload/Coffee")["id"] == newest
    newer = row(JobType="DataSourceDownload", DataSourceName="COFFEE", CreatedDate="2014-01-01T00:00:00Z")
    run("jobs", "put", lines(tmp_path, newer))
    assert server.job("Dataflows/DataSourceDownload/Coffee")["createdDate"] == "Wed, 01 Jan 2014 00:00:00 GMT"


def test_many_rows_take_many_transactions(run: Run, storage: Storage, tmp_path: Path) -> None:
    download = row(JobType="DataSourceDownload")
    many = [download | {"LegacyId": f"id-{number}", "DataSourceName": f"Name{number}"} for number in range(80)]
    assert run("jobs", "put", lines(tmp_path, *many)).out == "80 jobs written\n"
    assert len(rows_of(storage)) == 80 * 3


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "valid dictionary"),
        (row(JobType="Nonsense"), "JobType: "),
        (row(Status="Resting"), "Status: must be one of"),
        (row(Status=None), "Status: "),
        ({"JobType": "Geocode", "Status": "Completed"}, "CreatedDate: must be there"),
        (row(CreatedDate="yesterday"), "CreatedDate: not a date"),
        (row(CompletedDate="2013-13-01T00:00:00Z"), "CompletedDate: "),
        (row(TotalEntityCount="3"), "TotalEntityCount: "),
        (row(TotalEntityCount=-1), "TotalEntityCount: "),
        (row(TotalEntityCount=2**63), "TotalEntityCount: "),
        (row(OutputBlob="no-container"), "OutputBlob: must be container/path/of/blob"),
        (row(RowKey="28217d5f12744c33be7d09f6bce76eb3"), "RowKey: must be a UUIDv7"),
        (row(RowKey=new_job_id(parse_ticks("2020-01-01T00:00:00Z"))), "RowKey: is a UUIDv7 of another time"),
        (row(LegacyId="a/b"), "LegacyId: "),
        (row(DataSourceName="a#b"), "DataSourceName: "),
        (row(JobType="DataSourceDownload"), "DataSourceName: must be there"),
        (row(Statuss="Completed"), "Statuss: no such property"),
        (row(PartitionKey="nobody"), "PartitionKey: the key ring has no account 'nobody'"),
        (row(PartitionKey="~workers:contoso"), "PartitionKey: '~workers:contoso' is not an account's"),
        (row(LegacyId="FIRST"), "has the same RowKey or LegacyId as line 1"),
    ],
)
def test_a_wrong_line_is_named_with_its_reason_and_nothing_is_written(
    run: Run, storage: Storage, tmp_path: Path, wrong: dict[str, Any] | str, reason: str
) -> None:
    file = lines(tmp_path, row(LegacyId="first"), wrong)
    outcome = run("jobs", "put", file)
    assert outcome.status == 1
    assert outcome.err.startswith(f"{file}: line 2: ")
    assert reason in outcome.err
    assert outcome.err.count("\n") == 1
    assert rows_of(storage) == []


def test_every_wrong_line_is_named(run: Run, tmp_path: Path) -> None:
    outcome = run("jobs", "put", lines(tmp_path, "{", row(), "{"))
    assert [line.split(": ")[1] for line in outcome.err.splitlines()] == ["line 1", "line 3"]


def test_a_file_that_cannot_be_read_is_one_line(run: Run, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    assert run("jobs", "put", missing).err == f"{missing}: No such file or directory\n"
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\xff")
    assert run("jobs", "put", str(binary)).err == f"{binary}: is not UTF-8\n"


def test_standard_input_is_a_file_too(run: Run, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(row()).encode())))
    assert run("jobs", "put", "-").status == 0
    assert len(rows_of(storage)) == 1


def test_several_accounts_need_a_choice(run: Run, storage: Storage, tmp_path: Path, monkeypatch: Any) -> None:
    entry = {"storage": {"connection_string": storage.connection_string}}
    ring = {"accounts": {"one": entry, "two": entry}, "keys": {}}
    monkeypatch.setenv("PROXY_KEYRING", json.dumps(ring))
    file = lines(tmp_path, row(), row(PartitionKey="two"))
    assert "PartitionKey or --account must say which account: one, two" in run("jobs", "put", file).err
    assert (
        run("jobs", "put", "--account", "three", file).err
        == "--account: the key ring has no account 'three'; it has one, two\n"
    )
    assert run("jobs", "put", "--account", "one", file).status == 0
    assert sorted(entity["PartitionKey"] for entity in rows_of(storage)) == ["one", "two"]
