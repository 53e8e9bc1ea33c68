"""What `serve` writes of each key's requests, and how `keys list --usage` shows it."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.credentials.connection_string import EMULATOR_KEY
from proxy.cli.main import main
from tests.support.live import MASTER, QUERY, start_server
from tests.support.storage import Storage
from tests.support.usage_table import usage_rows, write_usage_row

NOBODYS = "nobodys-key"
KEYS = {MASTER: {"name": "store locator"}, QUERY: {"role": "query"}}
POINTS = "data/Microsoft/PointsOfInterest"


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def keys_of(storage: Storage) -> dict[str, dict[str, Any]]:
    return {key: {"account": storage.account} | entry for key, entry in KEYS.items()}


def ask(storage: Storage, usage: str) -> None:
    """Sends requests of all kinds, and ends the server."""
    job = storage.job(DataSourceName="Coffee")
    with start_server(storage, keys=keys_of(storage), usage=usage, finished_ttl=300) as server:
        for agent in ("Locator/1.0", "Locator/1.0", "Toolkit"):  # the second is answered from memory
            server.client.get(
                f"{server.url}/REST/v1/Dataflows/LoadDataSource/{job}",
                params={"key": MASTER},
                headers={"User-Agent": agent},
            )
        server.get("Dataflows/LoadDataSource/none")
        server.get(POINTS)
        server.client.get(f"{server.url}/geo/spatial/v1/public/Geodata", params={"key": MASTER})
        server.get("data")
        server.get("data/abc/Coffee", QUERY)
        server.get(f"Dataflows/LoadDataSource/{job}", QUERY)
        server.get(f"Dataflows/LoadDataSource/{job}", NOBODYS)
        server.get("nothing/here")


def test_the_end_of_the_server_writes_the_rows_of_the_contract(storage: Storage) -> None:
    ask(storage, "counts")
    rows = {row["RowKey"].partition(":")[0]: row for row in usage_rows(storage)}
    assert set(rows) == {digest(MASTER)[:16], digest(QUERY)[:16]}  # and none of a stranger's
    row, other = (rows[digest(key)[:16]] for key in (MASTER, QUERY))
    now = datetime.now(UTC)
    assert row["PartitionKey"] in {
        f"{storage.account}:{moment:%Y%m%d%H}" for moment in (now, now - timedelta(minutes=10))
    }
    assert row["RowKey"].count(":") == 3
    assert json.loads(row["Operations"]) == {
        "job_status": [4, 1, 0, 0],
        "query_bing_data": [1, 0, 0, 1],
        "query_boundaries": [1, 0, 0, 1],
        "data_sources": [1, 0, 0, 0],
    }
    assert (row["KeyName"], "KeyName" in other) == ("store locator", False)
    assert now - timedelta(minutes=5) < row["First"] <= row["Last"] <= now
    assert json.loads(other["Operations"]) == {"data_source": [1, 1, 0, 0], "job_status": [1, 0, 1, 0]}
    assert set(row) | set(other) == {"PartitionKey", "RowKey", "KeyName", "First", "Last", "Operations"}


def test_full_usage_has_agents_and_networks_and_off_has_no_row(storage: Storage) -> None:
    ask(storage, "off")
    assert usage_rows(storage) == []
    ask(storage, "full")
    (row,) = (row for row in usage_rows(storage) if row.get("KeyName"))
    agents = json.loads(row["Agents"])
    assert agents[:2] == ["Locator/1.0", "Toolkit"]
    assert json.loads(row["Networks"]) == ["127.0.0.0/24"]


def test_an_account_whose_table_may_not_be_written_costs_one_warning(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    refused = {"storage": {"connection_string": storage.connection_string.replace(EMULATOR_KEY, "c2VjcmV0")}}
    keys = {"other": {"account": "other"}}
    with start_server(storage, accounts={"other": refused}, keys=keys, usage="counts") as server:
        assert server.get("data").status_code == 200
        server.get("data", "other")
    (line,) = (record for record in caplog.records if record.message.startswith("usage:"))
    assert (line.levelname, line.__dict__["account"]) == ("WARNING", "other")
    assert len(usage_rows(storage)) == 1


@pytest.fixture
def ring(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key ring file with two keys."""
    file = tmp_path / "ring.json"
    accounts = {storage.account: {"storage": {"connection_string": storage.connection_string}}}
    file.write_text(json.dumps({"accounts": accounts, "keys": keys_of(storage)}))
    monkeypatch.delenv("PROXY_KEYRING", raising=False)
    monkeypatch.setenv("PROXY_KEYRING_FILE", str(file))
    monkeypatch.setenv("PROXY_JOBS_TABLE", storage.table_name)


@pytest.mark.usefixtures("ring")
def test_the_list_shows_hours_and_days_of_each_key_and_which_was_never_used(
    storage: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    more = {"Sources": '["Coffee"]', "Agents": '["Locator/1.0"]', "Networks": '["192.0.2.0/24"]'}
    operations = {"job_list": [3, 1, 0, 0], "query_boundaries": [2, 0, 0, 2]}
    write_usage_row(storage, f"{now:%Y%m%d%H}", f"{digest(MASTER)[:16]}:one:1:a", operations, **more)
    write_usage_row(storage, "day", f"20260101:{digest(MASTER)[:16]}", {"job_list": [5, 0, 1, 0]}, Hours=1 << 10)
    assert main(["keys", "list", "--usage"]) == 0
    used, unused = capsys.readouterr().out.splitlines()
    assert used.startswith(f"sha256:{digest(MASTER)[:12]}  store locator  {storage.account}  master  ")
    assert used.partition("  first used ")[2] == (
        "2026-01-01T10:00:00+00:00  last used 2026-01-01T10:30:00+00:00  10 requests  1 errors  1 refused"
        "  2 not served: query_boundaries  data sources Coffee  agents Locator/1.0  networks 192.0.2.0/24"
    )
    assert unused.endswith("  query  in plain text  never used")
    assert main(["keys", "list", "--usage", "--json"]) == 0
    used_json, unused_json = (json.loads(line)["usage"] for line in capsys.readouterr().out.splitlines())
    assert (used_json["first"], used_json["requests"], used_json["not_served"]) == ("2026-01-01T10:00:00+00:00", 10, 2)
    assert used_json["operations"]["job_list"] == {"requests": 8, "errors": 1, "refused": 1, "not_served": 0}
    assert (used_json["sources"], used_json["networks"]) == (["Coffee"], ["192.0.2.0/24"])
    assert (unused_json["first"], unused_json["requests"], set(unused_json)) == (None, 0, set(used_json))


@pytest.mark.usefixtures("ring")
def test_a_list_without_the_usage_of_an_account_says_so(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = storage.connection_string.replace(EMULATOR_KEY, "c2VjcmV0")
    accounts = {"other": {"storage": {"connection_string": refused}}}
    monkeypatch.delenv("PROXY_KEYRING_FILE")
    monkeypatch.setenv("PROXY_KEYRING", json.dumps({"accounts": accounts, "keys": {MASTER: {"account": "other"}}}))
    assert main(["keys", "list", "--usage"]) == 1
    shown = capsys.readouterr()
    assert shown.out.endswith("  usage not known\n")
    assert shown.err.startswith("account other: its usage can't be read: refused: HTTP 403")
