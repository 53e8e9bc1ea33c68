"""`jobs show`, `jobs retry`, `jobs abort`, and what `jobs list` leaves out."""

import io
import json

import pytest

from adapters.model.jobs import JobRecord
from adapters.tables.job_store import JobStore
from proxy.cli.main import main
from tests.integration.cli.conftest import Outcome, Run
from tests.support.audited_changes import changes
from tests.support.storage import Storage, ago, date
from tests.support.worker_desk import Desk, play, shops

WORK = {
    "operation": "complete",
    "input": "csv",
    "location": "https://u:p@a.example/b.csv?sig=secret#s",
    "master_key": "x",
}


def lines(outcome: Outcome) -> list[dict[str, object]]:
    assert (outcome.status, outcome.err) == (0, "")
    return [json.loads(line) for line in outcome.out.splitlines()]


def test_a_job_is_shown_with_its_attempts_and_without_secrets(run: Run, storage: Storage) -> None:
    job = storage.job(
        status="Failed",
        ErrorMessage="No.",
        Work=json.dumps(WORK),
        Worker="host:7:a1b2c3",
        Attempts=3,
        StartedDate=date("2026-01-02T03:04:05.0000006Z"),
    )
    outcome = run("jobs", "show", job.upper())
    (shown,) = lines(outcome)
    assert (shown["Worker"], shown["Attempts"]) == ("host:7:a1b2c3", 3)
    assert shown["StartedDate"] == "2026-01-02T03:04:05.0000006Z"
    assert shown["Request"] == {"operation": "complete", "input": "csv", "location": "https://a.example/b.csv?..."}
    assert shown["CanRetry"] is True
    assert "secret" not in outcome.out


def test_a_job_is_found_by_the_id_that_it_had_at_bing(run: Run, storage: Storage) -> None:
    job = storage.job("Geocode", LegacyId="AbC")
    storage.alias("alias:id:abc", job)
    (shown,) = lines(run("jobs", "show", "aBc"))
    assert (shown["RowKey"], shown["CanRetry"]) == (
        job,
        "The job is Completed. Only an Aborted job can be tried again.",
    )


@pytest.mark.parametrize("command", ["show", "retry", "abort"])
def test_a_job_that_is_not_there_is_one_line(run: Run, command: str) -> None:
    outcome = run("jobs", command, "f" * 32)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == f"There is no job '{'f' * 32}'. A job's id has 32 hex digits; `jobs list` shows it.\n"


def test_several_accounts_are_searched_and_two_jobs_of_one_id_need_a_name(
    run: Run, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"storage": {"connection_string": storage.connection_string}}
    ring = {
        "accounts": {storage.account: entry, "other": entry, "bad": {"storage": {"connection_string": "no"}}},
        "keys": {},
    }
    monkeypatch.setenv("PROXY_KEYRING", json.dumps(ring))
    job = storage.job("Geocode")
    outcome = run("jobs", "show", job)
    assert json.loads(outcome.out)["RowKey"] == job
    assert outcome.err.startswith("the account bad can't be opened: ")
    storage.job("Geocode", RowKey=job, PartitionKey="other")
    outcome = run("jobs", "show", job)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.endswith(f"Several accounts have a job '{job}': {storage.account}, other. Name one of them.\n")
    assert json.loads(run("jobs", "show", "--account", "other", job).out)["PartitionKey"] == "other"


def test_an_aborted_job_is_retried_and_a_pending_one_is_ended(
    run: Run, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROXY_OPERATOR", "amy")
    jobs = list[str]()

    async def load(desk: Desk) -> None:
        jobs.append(await desk.load(shops("a")))

    play(storage, load)
    (job,) = jobs
    (ended,) = lines(run("jobs", "abort", job))
    assert (ended["Status"], ended["ErrorMessage"]) == ("Aborted", "Ended by the operator.")
    assert run("jobs", "abort", job).err == "The job has ended already: it is Aborted.\n"
    (retried,) = lines(run("jobs", "retry", job))
    assert (retried["Status"], "ErrorMessage" in retried) == ("Pending", False)
    assert run("jobs", "retry", job).err == "The job is Pending. Only an Aborted job can be tried again.\n"
    assert changes(storage) == [("amy", "jobs abort", job), ("amy", "jobs retry", job)]

    async def work(desk: Desk) -> None:
        await desk.work()
        assert await desk.published() == {"a": None}

    play(storage, work)
    assert run("jobs", "retry", job).err == "The job is Completed. Only an Aborted job can be tried again.\n"


def test_a_retry_may_wait_for_the_end(run: Run, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    job = storage.job("DataSourceAccess", "Failed", DataSourceName="Shops", Work='{"public": true}')
    play(storage, lambda desk: desk.account.queue.create())
    get, calls = JobStore.get, list[str]()

    async def end_at_last(self: JobStore, job_id: str) -> JobRecord | None:
        """Does what a worker does while the command waits."""
        calls.append(job_id)
        if len(calls) == 4:
            storage.row(job, Status="Aborted", ErrorMessage="Again.")
        return await get(self, job_id)

    monkeypatch.setattr(JobStore, "get", end_at_last)
    monkeypatch.setattr("proxy.operations.job_changes.WAIT_SECONDS", 0.01)
    outcome = run("jobs", "retry", job, "--wait")
    assert (outcome.status, json.loads(outcome.out)["ErrorMessage"]) == (1, "Again.")


def test_a_list_has_only_what_is_asked_for(run: Run, storage: Storage) -> None:
    old = storage.job("Geocode", CreatedDate=ago(days=3))
    coffee = storage.job("DataSourceDelete", "Failed", DataSourceName="Coffee")
    pending = storage.job("DataSourcePublishFromStaged", "Running", DataSourceName="Tea")
    wanted = {
        (): [old, coffee, pending],
        ("--status", "aborted", "--status", "Pending"): [coffee, pending],
        ("--type", "geocode"): [old],
        ("--data-source", "coffee"): [coffee],
        ("--since", "2d"): [coffee, pending],
        ("--since", ago(days=4)): [old, coffee, pending],
        ("--since", "30m"): [],
        ("--since", "2d", "--status", "Aborted", "--data-source", "Tea"): [],
    }
    for options, found in wanted.items():
        assert [each["RowKey"] for each in lines(run("jobs", "list", *options))] == found, options


@pytest.mark.parametrize(
    ("option", "word", "told"),
    [
        ("--status", "done", "'done' is none of Pending, Completed, Aborted"),
        ("--type", "Load", "'Load' is none of Geocode, DataSourceComplete, "),
        ("--since", "soon", "'soon' is no time; allowed are texts like 30m, 24h, 7d, "),
        ("--since", "999999d", "'999999d' is no time"),
    ],
)
def test_a_word_that_is_none_is_told_with_those_that_are(
    run: Run, capsys: pytest.CaptureFixture[str], option: str, word: str, told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        run("jobs", "list", option, word)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.usefixtures("run")
def test_characters_that_a_terminal_lacks_end_no_list(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.job("Geocode", Description="\u00e9\u4e2d")
    for encoding, told in (("ascii", "\\u4e2d"), ("utf-8", "\u4e2d")):
        written = io.BytesIO()
        out = io.TextIOWrapper(written, encoding=encoding)
        monkeypatch.setattr("sys.stdout", out)
        assert (main(["jobs", "list"]), main(["jobs", "list", "--table"])) == (0, 0)
        assert told.encode(encoding) in written.getvalue()


def test_a_table_has_one_line_a_job_whatever_its_texts_are(run: Run, storage: Storage) -> None:
    storage.job("DataSourceAccess", "Failed", DataSourceName="Coffee", ErrorMessage="\x1b[2J\nx" + "y" * 100)
    head, line = run("jobs", "list", "--table").out.splitlines()
    assert head.split()[:5] == ["CREATED", "ACCOUNT", "ID", "TYPE", "STATUS"]
    told = line.rpartition("  ")[2]
    assert (told[:6], told[-4:], len(told)) == ("?[2J?x", "y...", 60)
    assert line.index("Coffee") == head.index("DATA SOURCE")


def test_a_terminal_gets_texts_in_place_of_json(run: Run, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.cli.output.is_terminal", lambda: True)
    monkeypatch.setattr("proxy.cli.job_operations.is_terminal", lambda: True)
    job = storage.job("Geocode", "Running", Description="\x1b[2J")
    assert run("jobs", "list").out.startswith("CREATED")
    shown = run("jobs", "show", job).out.splitlines()
    assert [line.split() for line in shown][1] == ["RowKey", job]
    assert f"Description{' ' * 11}?[2J" in shown
    assert run("jobs", "abort", job).out == f"{job}  Geocode is Aborted: Ended by the operator.\n"


def test_rows_that_others_wrote_are_shown_or_are_one_line(run: Run, storage: Storage) -> None:
    (shown,) = lines(run("jobs", "show", storage.job(status="Failed", Work="[[[")))
    assert "Request" not in shown
    work = json.dumps({"location": "https://[bad/x?sig=secret", "upload": "nonsense"})
    (shown,) = lines(run("jobs", "show", storage.job(status="Failed", Work=work)))
    assert shown["Request"] == {"upload": "nonsense", "location": "..."}
    assert shown["CanRetry"] == "The data that was sent for the job is not there any more. Create the job again."
    outcome = run("jobs", "show", storage.job("Nonsense"))
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.splitlines()[-1].startswith("The job can't be shown: row ")


def test_an_account_that_can_not_be_read_is_told_where_no_other_has_the_job(
    run: Run, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a"
    ring = {
        "accounts": {
            "away": {"storage": {"connection_string": away}},
            storage.account: {"storage": {"connection_string": storage.connection_string}},
        },
        "keys": {},
    }
    monkeypatch.setenv("PROXY_KEYRING", json.dumps(ring))
    job = storage.job("Geocode")
    assert lines(run("jobs", "show", job))[0]["RowKey"] == job
    outcome = run("jobs", "show", "f" * 32)
    assert (outcome.status, outcome.err.startswith("storage: unreachable: ")) == (1, True)


def test_an_operator_without_a_name_is_the_user_and_the_host(
    run: Run, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "desk")
    for user in ("amy", ""):
        monkeypatch.setenv("LOGNAME", user)
        for name in ("USER", "LNAME", "USERNAME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)  # as in a container whose user has no name
        assert run("jobs", "abort", storage.job("Geocode", "Running")).status == 0
    assert [each[0] for each in changes(storage)] == ["amy@desk", "unknown@desk"]
