"""`sources list`, `show`, `query`, `publish`, `rollback`, `set-public` and `delete`, and `workers list`."""

import io
import json
import tempfile
from pathlib import Path

import pytest

from adapters.model.jobs import JobStatus
from adapters.tables.worker_rows import WorkerRow
from proxy.worker.job import now
from tests.integration.cli.conftest import Run
from tests.integration.cli.test_job_operations import lines
from tests.support.audited_changes import changes
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops


def work(storage: Storage) -> None:
    """Does all jobs."""
    play(storage, lambda desk: desk.work())


@pytest.fixture
def versions(storage: Storage) -> list[str]:
    """A data source with an earlier, a published and a staged version: the ids of their jobs."""
    jobs = list[str]()

    async def load(desk: Desk) -> None:
        for ids, operation in (("a", "complete"), ("bcd", "complete"), ("e", "completeStaging")):
            record = await desk.done(desk.load(shops(*ids), operation))
            assert record.status is JobStatus.COMPLETED
            jobs.append(record.row_key)

    play(storage, load)
    return jobs


def test_data_sources_are_listed_and_shown_with_their_versions(
    run: Run, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (listed,) = lines(run("sources", "list"))
    assert (listed["Name"], listed["AccessId"], listed["IsPublic"]) == ("Shops", "acc", False)
    (shown,) = lines(run("sources", "show", "shops"))
    found = shown["Versions"]
    assert isinstance(found, list)
    assert [(each["State"], each["Id"], each["Entities"]) for each in found] == [
        ("published", versions[1], 3),
        ("staged", versions[2], 1),
        ("earlier", versions[0], 1),
    ]
    assert found[0]["Schema"]["properties"]["Latitude"] == "Double"
    head, line = run("sources", "list", "--table").out.splitlines()
    assert (head.split()[1], line.split()[1]) == ("NAME", "Shops")
    monkeypatch.setattr("proxy.cli.output.is_terminal", lambda: True)
    monkeypatch.setattr("proxy.cli.source_views.is_terminal", lambda: True)
    assert versions[0] in run("sources", "show", "Shops").out.splitlines()[-1]


def test_entities_are_queried_by_the_engine_of_requests(
    run: Run, versions: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert versions
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    shop = {"Id": "b", "Note": "", "Latitude": 1, "Longitude": 2}
    assert lines(run("sources", "query", "SHOPS"))[0] == shop
    assert lines(run("sources", "query", "Shops", "--filter", "Id ge 'c'", "--select", "Id")) == [
        {"Id": "c"},
        {"Id": "d"},
    ]
    assert len(lines(run("sources", "query", "Shops", "--top", "2"))) == 2
    assert len(lines(run("sources", "query", "Shops", "--near", "1,2.01,5"))) == 3
    assert lines(run("sources", "query", "Shops", "--near", "1,3,5")) == []
    assert lines(run("sources", "query", "Shops", "--bbox=-5,-5,0,0")) == []
    assert run("sources", "query", "Shops", "--filter", "Nope eq 1").err.startswith(
        "The parameter $filter names 'Nope'"
    )
    assert run("sources", "query", "Coffee").err.startswith("The account account-")


@pytest.mark.parametrize(
    ("option", "text"), [("--near", "1,2"), ("--bbox", "1,2,3,nan"), ("--top", "0"), ("--top", "x")]
)
def test_numbers_that_are_none_are_wrong_arguments(run: Run, option: str, text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run("sources", "query", "Shops", option, text)
    assert ended.value.code == 2


def test_a_data_source_is_published_rolled_back_opened_and_deleted(
    run: Run, storage: Storage, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROXY_OPERATOR", "amy")
    for command, job_type in (
        (("publish", "shops"), "DataSourcePublishFromStaged"),
        (("rollback", "Shops"), "DataSourceRollback"),
        (("rollback", "Shops", versions[0].upper()), "DataSourceRollback"),
        (("set-public", "Shops", "true"), "DataSourceAccess"),
    ):
        (created,) = lines(run("sources", *command))
        assert (created["JobType"], created["Status"], created["DataSourceName"]) == (job_type, "Pending", "Shops")
        work(storage)
    (shown,) = lines(run("sources", "show", "Shops"))
    assert shown["IsPublic"] is True
    assert isinstance(shown["Versions"], list)
    assert (shown["Versions"][0]["Id"], len(shown["Versions"])) == (versions[0], 3)
    assert run("sources", "publish", "Shops").err.count("\n") == 1  # nothing is staged any more
    (created,) = lines(run("sources", "delete", "Shops", "--yes", "Shops"))
    assert run("sources", "set-public", "Shops", "false").err.startswith(
        "The data source of this name is being deleted."
    )
    work(storage)
    assert lines(run("sources", "list")) == []
    assert [each[:2] for each in changes(storage)] == [
        ("amy", "sources publish"),
        ("amy", "sources rollback"),
        ("amy", "sources rollback"),
        ("amy", "sources set-public"),
        ("amy", "sources delete"),
    ]


def test_a_deletion_needs_the_name_once_more(run: Run, versions: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert versions
    outcome = run("sources", "delete", "shops")
    assert outcome.err == "nothing was deleted: no terminal can ask for the name; add --yes Shops\n"
    assert (
        run("sources", "delete", "shops", "--yes", "shop").err
        == "nothing was deleted: 'shop' is not the name 'Shops'\n"
    )

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for typed, status in (("x\n", 1), ("", 1), ("Shops\n", 0)):
        monkeypatch.setattr("sys.stdin", Terminal(typed))
        outcome = run("sources", "delete", "shops", "--staging")
        assert (outcome.status, "Type its name to go on: " in outcome.err) == (status, True)
    assert json.loads(outcome.out)["JobType"] == "DataSourceDelete"


def test_a_data_source_without_an_earlier_version_is_not_rolled_back(run: Run, storage: Storage) -> None:

    async def load(desk: Desk) -> None:
        await desk.done(desk.load(shops("a")))

    play(storage, load)
    assert run("sources", "rollback", "Shops").err == "The data source Shops has no earlier version to roll back to.\n"
    assert run("sources", "rollback", "Shops", "0" * 32).status == 1
    assert changes(storage) == []


def test_workers_are_listed_with_their_sign_of_life(
    run: Run, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = WorkerRow("host:7:a1b2c3", now(), "0.1.0", ("0" * 32,))
    play(storage, lambda desk: desk.account.workers.write(row))
    (listed,) = lines(run("workers", "list"))
    assert (listed["Name"], listed["IsLive"], listed["Jobs"]) == (row.name, True, ["0" * 32])
    monkeypatch.setattr("proxy.operations.worker_views.LIVE_SECONDS", -1)
    assert run("workers", "list", "--table").out.splitlines()[1].split()[1:3] == [row.name, "gone"]


def test_an_account_without_data_sources_has_none(run: Run, storage: Storage) -> None:
    assert lines(run("sources", "list")) == []
    outcome = run("sources", "show", "x" * 100)
    named = "x" * 60
    told = f"The account {storage.account} has no data source '{named}'. `sources list` shows them.\n"
    assert (outcome.status, outcome.err) == (1, told)


def test_a_missing_table_has_no_data_source(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.account.TABLE", "nosuchtable")
    assert lines(run("sources", "list")) == []
    assert run("sources", "show", "Shops").err.startswith("The account account-")


def test_rows_that_others_wrote_are_one_line(
    run: Run, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    play(storage, lambda desk: desk.account.data_sources.create_table())
    storage.data_source_row("broken", Name="Broken")
    assert (
        run("sources", "show", "Broken").err.splitlines()[-1].startswith("The data source can't be shown: row broken")
    )
    assert run("sources", "query", "Broken").status == 1
    version = {"job": "0" * 32, "blob": f"datasources/{storage.account}/x.parquet", "entityType": "Shop", "entities": 1}
    text = json.dumps(version | {"updated": "2026-01-02T03:04:05Z"})
    storage.data_source_row("odd", **storage.OF_A_DATA_SOURCE, Published=text, PublishedSchema="{")
    (shown,) = lines(run("sources", "show", "odd"))
    assert isinstance(shown["Versions"], list)
    assert shown["Versions"][0]["Schema"] is None
    assert run("sources", "query", "odd").err.startswith("The version can't be read: its stored schema is ")
    schema = {"name": "Shop", "key": "Id", "properties": {"Id": "String", "Latitude": "Double", "Longitude": "Double"}}
    storage.data_source_row("gone", **storage.OF_A_DATA_SOURCE, Published=text, PublishedSchema=json.dumps(schema))
    assert run("sources", "query", "gone").err == "The version's entities were deleted meanwhile. Query again.\n"
    storage.data_source_row("bare", **storage.OF_A_DATA_SOURCE)
    assert run("sources", "query", "bare").err == "The data source Shops has no published version.\n"
