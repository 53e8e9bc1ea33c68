"""`migrate` copies an account whole, compares both sides, and a second run copies only what changed."""

import io
import json
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from lxml import etree

from proxy.cli.main import main
from proxy.demo.azurite import Emulator
from proxy.migration.query_keys import digest_of
from proxy.migration.target_account import TargetAccount
from proxy.version import SERVER_HEADER, VERSION
from tests.support.audited_changes import changes
from tests.support.live import MASTER, LiveServer, start_server
from tests.support.migrate_command import MigrateCommand, Outcome
from tests.support.migration_service import OUTPUT, Service
from tests.support.processes import environment, settings_of
from tests.support.storage import Storage
from tests.support.worker_desk import shops


def versions(server: LiveServer) -> list[bytes]:
    """All published and staged versions as a server lists them, without the ids that name them."""
    listed = server.xml("data", showAllVersions="true").iterfind("{*}workspace")
    found = []
    for workspace in listed:
        flags = {etree.QName(str(name)).localname: value for name, value in workspace.attrib.items()}
        for job_id in workspace.findall("{*}jobId"):
            workspace.remove(job_id)
        if flags["isActive"] == "true" or flags["isStagingDataSource"] == "true":
            found.append(etree.tostring(workspace, method="c14n"))
    return found


def jobs(server: LiveServer) -> list[dict[str, object]]:
    """The job list, without links, whose signatures differ."""
    listed = server.json("Dataflows/ListJobs")["resourceSets"][0]["resources"]
    return [{name: value for name, value in job.items() if name != "links"} for job in listed]


@dataclass(frozen=True)
class Moved:
    """An account that was moved: the run, what a second run can use, and a server in front of it."""

    outcome: Outcome
    migrate: MigrateCommand
    here: LiveServer


@pytest.fixture(scope="module")
def moved(filled: Service, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    """One move that several tests look at."""
    with Storage.open(emulator, f"ours-{uuid4().hex[:12]}") as storage, start_server(storage) as here:
        migrate = MigrateCommand(storage, tmp_path_factory.mktemp("moved"))
        yield Moved(migrate(filled, "--reports", str(migrate.folder / "reports")), migrate, here)


def test_both_sides_answer_alike(filled: Service, moved: Moved) -> None:
    assert moved.outcome.status == 0, moved.outcome
    assert len(versions(moved.here)) == 3
    assert versions(moved.here) == versions(filled.server)
    assert jobs(moved.here) == jobs(filled.server)


def test_a_move_is_noted_with_its_origin(filled: Service, moved: Moved) -> None:
    (who, what, on), *others = changes(moved.migrate.storage)
    assert (what, on) == ("migrate", f"from {filled.server.url}")
    assert "@" in who
    assert {each[1] for each in others} <= {"migrate"}  # other tests move again


def test_compare_finds_no_difference(
    filled: Service,
    moved: Moved,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(MASTER + "\n"))
    words = ["--left", filled.server.url, "--right", moved.here.url, "--key", "-", "--queries", "5"]
    words += ["--reports", str(tmp_path)]
    status = main(["compare", *words])
    assert (status, "0 different" in (out := capsys.readouterr().out)) == (0, True), out


def test_descriptions_and_outputs_come_along(moved: Moved) -> None:
    listed = {str(job["description"]): str(job["id"]) for job in jobs(moved.here)}
    staged = moved.here.job(f"Dataflows/LoadDataSource/{listed['DataSourceCompleteStaging']}")
    assert staged["description"] == "summer prices"
    link = moved.here.job(f"Dataflows/Geocode/{listed['Geocode']}")["links"][1]["url"]
    assert moved.here.client.get(link).content == OUTPUT


def test_only_the_owner_reads_what_a_run_leaves_and_no_key_is_in_it(moved: Moved) -> None:
    state, reports = moved.migrate.state, moved.migrate.folder / "reports"
    left = [*state.rglob("*"), *reports.rglob("*")]
    assert {file.name for file in state.iterdir()} >= {"lock", "state.json"}
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in left} == {0o600}
    assert not any(MASTER.encode() in file.read_bytes() for file in left)
    (report,) = reports.iterdir()
    assert re.fullmatch(r"migrate-\d{8}T\d{6}Z\.json", report.name)
    assert json.loads(report.read_text(encoding="utf-8"))["same"] is True


@pytest.mark.parametrize(
    "what", ["1 earlier version of Shops: the first version here", "the master key of each data source: here every"]
)
def test_what_cannot_be_taken_along_is_listed_with_what_to_do(moved: Moved, what: str) -> None:
    assert f"not taken along: {what}" in moved.outcome.out


def test_a_second_run_asks_for_no_download_and_loads_nothing(
    filled: Service, moved: Moved, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = moved.migrate.sources()
    monkeypatch.setattr("proxy.migration.source_account.SourceAccount.create_download", None)
    outcome = moved.migrate(filled)
    assert outcome.status == 0
    assert outcome.out.count("unchanged") == 3
    planned = json.loads(moved.migrate(filled, "--dry-run", "--json").out)["data_sources"]
    assert [(row["result"], row["entities"]) for row in planned] == [("unchanged", each) for each in (2, 3, 1)]
    assert " 0 written, 0 outputs" in outcome.out
    assert moved.migrate.sources() == before


def test_query_keys_come_from_a_file(filled: Service, moved: Moved, tmp_path: Path) -> None:
    assert "warning: Shops is open to every key of the account" in moved.outcome.out
    assert "the line `Shops,KEY`" in moved.outcome.out
    assert "Open-Shops is open" not in moved.outcome.out
    file = tmp_path / "keys.csv"
    file.write_text("data_source,key\nshops,QueryKey1\nAbsent,QueryKey2\n", encoding="utf-8")
    given = moved.migrate(filled, "--query-keys", str(file))
    assert "is open to every key" not in given.out
    assert "--query-keys: absent is none of the data sources" in given.out
    assert "QueryKey" not in given.out + given.err
    assert moved.migrate.sources()["Shops"].query_key == digest_of("QueryKey1")


def test_a_dry_run_counts_and_changes_nothing(filled: Service, migrate: MigrateCommand) -> None:
    downloads = filled.storage.table.query_entities("JobType eq 'DataSourceDownload'")
    before = len(list(downloads))
    outcome = migrate(filled, "--dry-run", "--json")
    report = json.loads(outcome.out)
    planned = {(row["name"], row["staged"]): row["entities"] for row in report["data_sources"]}
    assert planned == {("Open-Shops", False): 2, ("Shops", False): 3, ("Shops", True): 1}
    assert all(row["bytes"] > 0 and row["result"] == "to copy" for row in report["data_sources"])
    assert (outcome.status, report["jobs"]["written"]) == (0, 5)
    assert migrate.sources() == {}
    assert len(list(filled.storage.table.query_entities("JobType eq 'DataSourceDownload'"))) == before


def test_only_what_the_pattern_names_is_copied(filled: Service, migrate: MigrateCommand) -> None:
    assert migrate(filled, "--data-sources", "open*").status == 0
    assert list(migrate.sources()) == ["Open-Shops"]
    none = migrate(filled, "--data-sources", "Bars*")
    assert none.status == 1
    assert "--data-sources: none of the 2 data sources matches 'Bars*'" in none.err


@pytest.mark.parametrize("path", ["/REST/v1/data", "/REST/v1/nowhere", "/livez", "/"])
def test_each_answer_says_that_this_program_gave_it(filled: Service, path: str) -> None:
    answer = filled.server.client.get(f"{filled.server.url}{path}")
    assert answer.headers[SERVER_HEADER] == VERSION


def test_this_program_is_refused_as_the_service(filled: Service, migrate: MigrateCommand) -> None:
    outcome = migrate(filled, from_proxy=False)
    assert outcome.status == 1
    assert "is answered by this program" in outcome.err
    assert "--connect-to" in outcome.err
    assert migrate.sources() == {}


def test_a_data_source_that_changed_is_copied_anew_and_no_other(service: Service, migrate: MigrateCommand) -> None:
    service.load("Changed")
    service.load("Repeated")
    service.load("Stays")
    migrate(service)
    service.load("Changed", shops("1", "2", "9"))
    service.load("Repeated")
    outcome = migrate(service)
    assert outcome.status == 0
    rows = dict(re.findall(r"^(\S+) .* (same|unchanged)$", outcome.out, re.MULTILINE))
    assert rows == {"Changed": "same", "Repeated": "unchanged", "Stays": "unchanged"}
    assert migrate.loads() == {"Changed": 2, "Repeated": 1, "Stays": 1}
    assert migrate.published("Changed")[1] == 3


def test_a_data_source_that_changes_while_it_is_copied_is_copied_again(
    service: Service, migrate: MigrateCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.load()
    load, again = TargetAccount.load, iter([True])

    async def load_late(self: TargetAccount, *arguments: Any) -> None:
        if next(again, False):
            service.load(data=shops("1", "2", "3", "4"))
        await load(self, *arguments)

    monkeypatch.setattr(TargetAccount, "load", load_late)
    assert migrate(service).status == 0
    assert migrate.published()[1] == 4


def test_a_staged_version_that_was_published_at_the_service_is_staged_no_more(
    service: Service, migrate: MigrateCommand
) -> None:
    service.load()
    service.load(data=shops("7"), loadOperation="completeStaging")
    migrate(service)
    assert migrate.sources()["Shops"].staged is not None
    access_id = migrate.sources()["Shops"].access_id
    service.publish(access_id)
    assert migrate(service).status == 0
    source = migrate.sources()["Shops"]
    assert source.staged is None
    assert source.published is not None
    assert source.published.entities == 1


def test_a_data_source_that_was_loaded_here_since_stays_as_it_is(
    service: Service, storage: Storage, migrate: MigrateCommand
) -> None:
    service.load()
    migrate(service)
    own = Service(storage, service.server).load_directly(shops("own"))
    service.load(data=shops("5", "6"))
    outcome = migrate(service)
    assert outcome.status == 1
    assert "not copied: it was loaded here since the last run" in outcome.out
    assert migrate.published()[0] == own


def test_a_data_source_of_another_access_id_stays_as_it_is(
    service: Service, storage: Storage, migrate: MigrateCommand
) -> None:
    service.load()
    own = Service(storage, service.server).load_directly(shops("own"))
    for arguments in (["--dry-run"], []):
        outcome = migrate(service, *arguments)
        assert outcome.status == 1
        assert "it is loaded here under the access id acc," in outcome.out
    assert migrate.published()[0] == own


def test_pending_jobs_are_followed_by_the_next_run(service: Service, storage: Storage, migrate: MigrateCommand) -> None:
    job_id = service.storage.job("Geocode", "Pending")
    assert "1 pending, which the next run follows" in migrate(service).out
    service.finish(job_id)
    outcome = migrate(service)
    assert outcome.status == 0
    assert "1 written, 1 outputs" in outcome.out
    rows = list(storage.table.query_entities(f"LegacyId eq '{job_id}'"))
    assert [(row["Status"], row["OutputBlob"].endswith("/succeeded.xml")) for row in rows] == [("Completed", True)]


@pytest.mark.slow
def test_the_command_as_a_process(filled: Service, storage: Storage, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "proxy", "migrate", "--from", filled.server.url, "--from-proxy", "--key", "-"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment(**settings_of(storage)),
        input=MASTER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("  same\n") == 3
    assert "data sources: 3\n" in done.stderr
    assert (tmp_path / "migrate-state" / "state.json").exists()
