"""`jobs import`: a job list saved from Bing becomes rows, ids kept."""

import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from adapters.model.job_ids import is_job_id
from tests.integration.cli.conftest import Run
from tests.support.live import LiveServer
from tests.support.storage import Storage

EXAMPLES = Path(__file__).parents[2] / "documented" / "examples"
JSON_LIST, XML_LIST = EXAMPLES / "get-job-list.json", EXAMPLES / "get-job-list.xml"
ACCESS_JOB = "9a25a8b26e9c4d569ebfee76ea940160"


def listed(run: Run) -> dict[str, dict[str, Any]]:
    return {job["LegacyId"]: job for job in map(json.loads, run("jobs", "list").out.splitlines())}


@pytest.mark.parametrize("file", [JSON_LIST, XML_LIST], ids=["json", "xml"])
def test_the_documented_list_is_imported_with_its_ids(run: Run, server: LiveServer, file: Path) -> None:
    assert run("jobs", "import", str(file)).out == "5 jobs written, 0 already there\n"
    jobs = listed(run)
    assert all(is_job_id(job["RowKey"]) for job in jobs.values())
    access = jobs[ACCESS_JOB]
    assert (access["JobType"], access["DataSourceName"]) == ("DataSourceAccess", "SetDataSourcePublicOrPrivate")
    assert access["AccessId"].startswith("c589f4fb424048428d602ff6cd0a")
    shown = server.job(f"data/jobs/{ACCESS_JOB.upper()}/$getstatus")
    assert (shown["id"], shown["status"]) == (ACCESS_JOB, "Completed")


def test_the_xml_form_keeps_every_tick(run: Run) -> None:
    run("jobs", "import", str(XML_LIST))
    job = listed(run)["28217d5f12744c33be7d09f6bce76eb3"]
    assert job["CreatedDate"] == "2013-01-03T23:21:58.2262338Z"
    assert job["CompletedDate"] == "2013-01-03T23:22:15.7979398Z"


def test_a_second_import_changes_nothing(run: Run, storage: Storage) -> None:
    def rows() -> list[tuple[str, object]]:
        return sorted((row["RowKey"], row.metadata["timestamp"]) for row in storage.table.list_entities())

    run("jobs", "import", str(XML_LIST))
    before = rows()
    assert run("jobs", "import", str(XML_LIST)).out == "0 jobs written, 5 already there\n"
    # The JSON form has other dates, without ticks: still the same jobs.
    assert run("jobs", "import", str(JSON_LIST)).out == "0 jobs written, 5 already there\n"
    assert rows() == before


def test_a_job_that_has_finished_since_is_brought_up_to_date(run: Run, tmp_path: Path) -> None:
    run("jobs", "import", str(JSON_LIST))
    newer = json.loads(JSON_LIST.read_bytes())
    pending = newer["resourceSets"][0]["resources"][0]
    pending |= {"status": "Completed", "completedDate": "Fri, 04 Jan 2013 01:07:00 GMT"}
    file = tmp_path / "newer.json"
    file.write_text(json.dumps(newer), encoding="utf-16")  # as a Windows shell saves it
    assert run("jobs", "import", str(file)).out == "1 jobs written, 4 already there\n"
    assert listed(run)[pending["id"]]["Status"] == "Completed"
    assert len(run("jobs", "list").out.splitlines()) == 5


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "not a job answer in JSON"),
        ("[]", "not a job answer in JSON"),
        ("<html></html>", "not a job answer in XML"),
        ("<html>", "not a job answer in XML"),
        ('<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/hostname">]><Response>&e;</Response>', "not a job answer in XML"),
        ('{"resourceSets":[],"statusCode":401,"errorDetails":["No key."]}', "no job list but an error 401 No key."),
        ('{"resourceSets":[{"resources":[{}]}]}', "not a job answer in JSON"),
    ],
)
def test_what_is_no_job_list_is_reported_in_one_line(run: Run, tmp_path: Path, content: str, reason: str) -> None:
    file = tmp_path / "saved"
    file.write_text(content, encoding="utf-8")
    outcome = run("jobs", "import", str(file))
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith(f"{file}: {reason}")
    assert outcome.err.count("\n") == 1


def test_a_job_of_a_name_with_hyphens_is_imported(run: Run, server: LiveServer, tmp_path: Path) -> None:
    answer = json.loads(JSON_LIST.read_bytes())
    job = answer["resourceSets"][0]["resources"][0] | {"name": "Fourth-Coffee-1", "description": "DataSourceComplete"}
    answer["resourceSets"][0]["resources"] = [job]
    file = tmp_path / "saved.json"
    file.write_text(json.dumps(answer), encoding="utf-8")
    assert run("jobs", "import", str(file)).out == "1 jobs written, 0 already there\n"
    assert listed(run)[job["id"]]["DataSourceName"] == "Fourth-Coffee-1"
    assert server.job(f"Dataflows/LoadDataSource/{job['id']}")["id"] == job["id"]
    # What was listed can be put again.
    lines = tmp_path / "jobs.jsonl"
    lines.write_text(run("jobs", "list").out, encoding="utf-8")
    assert run("jobs", "put", str(lines)).status == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"description": "My stores"}, "job 1: its description is no job type"),
        ({"status": "Resting"}, "job 1: its status is not known"),
        ({"id": "a/b"}, "job 1: its id can't be kept"),
    ],
)
def test_a_job_that_cannot_be_imported_is_named(run: Run, tmp_path: Path, change: Any, reason: str) -> None:
    answer = json.loads(JSON_LIST.read_bytes())
    answer["resourceSets"][0]["resources"][0] |= change
    file = tmp_path / "saved"
    file.write_text(json.dumps(answer), encoding="utf-8")
    outcome = run("jobs", "import", str(file))
    assert outcome.err.startswith(f"{file}: {reason}")
    assert run("jobs", "list").out == ""


def test_several_accounts_need_a_choice(run: Run, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"storage": {"connection_string": storage.connection_string}}
    monkeypatch.setenv("PROXY_KEYRING", json.dumps({"accounts": {"one": entry, "two": entry}, "keys": {}}))
    assert run("jobs", "import", str(JSON_LIST)).err == "--account must name one account: one, two\n"
    assert run("jobs", "import", "--account", "two", str(JSON_LIST)).status == 0
    assert {json.loads(line)["PartitionKey"] for line in run("jobs", "list").out.splitlines()} == {"two"}


@pytest.mark.slow
def test_progress_is_shown_on_a_terminal_and_not_in_a_pipe(run: Run) -> None:
    piped = run("jobs", "import", str(JSON_LIST))
    assert (piped.out, piped.err) == ("5 jobs written, 0 already there\n", "")
    command = [sys.executable, "-m", "proxy", "jobs", "import", str(JSON_LIST)]
    terminal, other_end = pty.openpty()
    termios.tcsetwinsize(other_end, (25, 80))  # a terminal without a size has no room for progress
    shown = subprocess.run(command, stdout=subprocess.PIPE, stderr=other_end, check=True, text=True)
    os.close(other_end)
    assert "looking up" in os.read(terminal, 65536).decode()
    os.close(terminal)
    assert shown.stdout == "0 jobs written, 5 already there\n"
