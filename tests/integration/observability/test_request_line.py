"""The line that each request has in the log: all that it says, and the figures of what it asked of storage."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.live import MASTER
from tests.support.serve_command import serving
from tests.support.storage import Storage
from tests.support.usage_table import usage_rows

pytestmark = pytest.mark.slow

NAMES: dict[str, dict[str, str]] = {
    "first-secret": {"name": "store locator"},
    "second-secret": {"name": 'Ä "CRM"'},
    "third-secret": {},
}
MEMBERS = ["time", "level", "logger", "message", "traceId", "operation", "method", "path", "account", "status"]
CLIENT = ["agent", "network"]
FIGURES = ["duration_ms", "storage_calls", "storage_ms", "cache_hit"]


@dataclass(frozen=True)
class Lines:
    """The lines of the requests to a server that has ended, by what was asked; and its whole log."""

    storage: Storage
    log: str
    of_answers: dict[str, dict[str, Any]]
    of_keys: list[dict[str, Any]]


@pytest.fixture(scope="module")
def lines(account: Storage, tmp_path_factory: pytest.TempPathFactory) -> Lines:
    """Asks one server for all that the tests look at."""
    ring = {
        "accounts": {account.account: {"storage": {"connection_string": account.connection_string}}},
        "keys": {key: {"account": account.account} | entry for key, entry in (NAMES | {MASTER: {}}).items()},
    }
    file = tmp_path_factory.mktemp("ring") / "ring.json"
    file.write_text(json.dumps(ring))
    job = account.job(DataSourceName="Coffee", OutputBlob="exports/coffee.xml")
    other = account.job("DataSourcePublishFromStaged", DataSourceName="Coffee")
    path, of_publish = f"Dataflows/LoadDataSource/{job}", "data/jobs/{}/$getstatus"
    with serving(account, keyring_file=file) as server:
        answers = {
            "read": server.get(path),
            "remembered": server.get(path),
            "refused": server.get(path, "wrong"),
            "other": server.get(of_publish.format(other)),
            "other form": server.get(of_publish.format(other.upper())),
        }
        for key in (*NAMES, *NAMES, "nobodys"):
            server.get(path, key)
    found = [line for line in map(json.loads, server.log().splitlines()) if "traceId" in line]
    by_id = {line["traceId"]: line for line in found}
    of_answers = {what: by_id[answer.json()["traceId"]] for what, answer in answers.items()}
    return Lines(account, server.log(), of_answers, found[len(answers) :])


def test_a_line_has_the_request_and_its_storage_figures(lines: Lines) -> None:
    read, remembered, refused, _, in_another_form = lines.of_answers.values()
    assert (in_another_form["storage_calls"], in_another_form["cache_hit"]) == (0, True)
    assert list(read) == MEMBERS + CLIENT + FIGURES == list(remembered)
    assert (read["operation"], read["account"], read["status"]) == ("job_status", lines.storage.account, 200)
    assert (read["storage_calls"], read["cache_hit"]) == (1, False)
    assert 0 < read["storage_ms"] <= read["duration_ms"]
    assert (remembered["storage_calls"], remembered["storage_ms"], remembered["cache_hit"]) == (0, 0.0, True)
    assert (refused["status"], refused["storage_calls"], refused["cache_hit"]) == (401, 0, False)
    assert (refused["error"], "account" in refused) == ("UNKNOWN_KEY", False)


def test_a_line_has_the_name_of_the_key_and_never_the_key(lines: Lines) -> None:
    assert [line.get("key") for line in lines.of_keys] == ["store locator", 'Ä "CRM"', None] * 2 + [None]
    assert list(lines.of_keys[0]) == [*MEMBERS[:9], "key", *MEMBERS[9:], *CLIENT, *FIGURES]
    assert "secret" not in lines.log
    # SIGTERM has ended the server, which wrote what it had counted.
    assert {row.get("KeyName") for row in usage_rows(lines.storage)} == {"store locator", 'Ä "CRM"', None}


def test_a_line_for_people_says_each_thing_once(storage: Storage) -> None:
    with serving(storage, log_format="text") as server:
        trace_id = server.get(f"Dataflows/LoadDataSource/{'0' * 32}").json()["traceId"]
    (line,) = (line for line in server.log().splitlines() if trace_id in line)
    assert f"info    job_status 404 traceId={trace_id} method=GET path=" in line
    assert " storage_calls=2 storage_ms=" in line
    assert line.endswith("cache_hit=False")
    assert line.count("job_status") == line.count("404") == 1
