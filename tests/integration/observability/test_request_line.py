"""The line that each request has in the log: all that it says, and the figures of what it asked of storage."""

import json
from pathlib import Path

from tests.support.serve_command import serving
from tests.support.storage import Storage
from tests.support.usage_table import usage_rows

MEMBERS = ["time", "level", "logger", "message", "traceId", "operation", "method", "path", "account", "status"]
CLIENT = ["agent", "network"]
FIGURES = ["duration_ms", "storage_calls", "storage_ms", "cache_hit"]


def test_a_line_has_the_request_and_its_storage_figures(storage: Storage) -> None:
    job = storage.job(DataSourceName="Coffee", OutputBlob="exports/coffee.xml")
    other = storage.job("DataSourcePublishFromStaged", DataSourceName="Coffee")
    path = f"Dataflows/LoadDataSource/{job}"
    with serving(storage) as server:
        answers = [server.get(path).json() for _ in range(2)] + [server.get(path, "wrong").json()]
        answers.append(server.get(f"data/jobs/{other}/$getstatus").json())
        answers.append(server.get(f"data/jobs/{other.upper()}/$getstatus").json())
    lines = {line["traceId"]: line for line in map(json.loads, server.log().splitlines()) if "traceId" in line}
    read, remembered, refused, _, in_another_form = (lines[answer["traceId"]] for answer in answers)
    assert (in_another_form["storage_calls"], in_another_form["cache_hit"]) == (0, True)
    assert list(read) == MEMBERS + CLIENT + FIGURES == list(remembered)
    assert (read["operation"], read["account"], read["status"]) == ("job_status", storage.account, 200)
    assert (read["storage_calls"], read["cache_hit"]) == (1, False)
    assert 0 < read["storage_ms"] <= read["duration_ms"]
    assert (remembered["storage_calls"], remembered["storage_ms"], remembered["cache_hit"]) == (0, 0.0, True)
    assert (refused["status"], refused["storage_calls"], refused["cache_hit"]) == (401, 0, False)
    assert (refused["error"], "account" in refused) == ("UNKNOWN_KEY", False)


def test_a_line_has_the_name_of_the_key_and_never_the_key(storage: Storage, tmp_path: Path) -> None:
    file = tmp_path / "ring.json"
    names = {"first-secret": {"name": "store locator"}, "second-secret": {"name": 'Ä "CRM"'}, "third-secret": {}}
    ring = {
        "accounts": {storage.account: {"storage": {"connection_string": storage.connection_string}}},
        "keys": {key: {"account": storage.account} | entry for key, entry in names.items()},
    }
    file.write_text(json.dumps(ring))
    job = storage.job(DataSourceName="Coffee")
    with serving(storage, keyring_file=file) as server:
        for key in (*names, *names, "nobodys"):
            server.get(f"Dataflows/LoadDataSource/{job}", key)
    lines = [line for line in map(json.loads, server.log().splitlines()) if "traceId" in line]
    assert [line.get("key") for line in lines] == ["store locator", 'Ä "CRM"', None] * 2 + [None]
    assert list(lines[0]) == [*MEMBERS[:9], "key", *MEMBERS[9:], *CLIENT, *FIGURES]
    assert "secret" not in server.log()
    # SIGTERM has ended the server, which wrote what it had counted.
    assert {row.get("KeyName") for row in usage_rows(storage)} == {"store locator", 'Ä "CRM"', None}


def test_a_line_for_people_says_each_thing_once(storage: Storage) -> None:
    with serving(storage, log_format="text") as server:
        trace_id = server.get(f"Dataflows/LoadDataSource/{'0' * 32}").json()["traceId"]
    (line,) = (line for line in server.log().splitlines() if trace_id in line)
    assert f"info    job_status 404 traceId={trace_id} method=GET path=" in line
    assert " storage_calls=2 storage_ms=" in line
    assert line.endswith("cache_hit=False")
    assert line.count("job_status") == line.count("404") == 1
