"""A run that ends at any moment: the next one finishes, loads nothing twice, and nothing half loaded is visible."""

import asyncio
import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from adapters.blobs.store import BlobStore
from adapters.errors import StorageError, StorageErrorCode
from adapters.tables.data_source_store import DataSourceStore
from adapters.tables.job_store import JobStore
from proxy.cli.interrupts import INTERRUPTED
from proxy.comparison.connection import TransportError
from proxy.migration.source_account import SourceAccount
from proxy.migration.state import MigrationState
from proxy.migration.target_account import TargetAccount
from tests.support.migrate_command import MigrateCommand
from tests.support.migration_service import Service
from tests.support.worker_desk import shops


class KilledError(BaseException):
    """The end of a process: nothing that handles errors sees it."""


# A task group shows it in a group.
KILLED = KilledError, BaseExceptionGroup

# Methods that the service's worker uses too, in the same process: its outputs go to another container.
EXPORT = "BlobPath(container='exports'"


@contextmanager
def ends_at(owner: type, name: str, error: BaseException, *, after: bool = False, call: int = 1) -> Iterator[None]:
    """Makes a call of a method fail, before or after its work."""
    method, calls = getattr(owner, name), iter(range(1, 1000))

    async def fail_once(*arguments: Any, **options: Any) -> Any:
        is_due = EXPORT not in repr(arguments) and next(calls) == call
        if is_due and not after:
            raise error
        result = await method(*arguments, **options)
        if is_due:
            raise error
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, fail_once)
        yield


MOMENTS = [
    (SourceAccount, "create_download", True),
    (SourceAccount, "fetch", True),
    (TargetAccount, "load", False),
    (BlobStore, "upload_file", True),
    (DataSourceStore, "change", True),
    (JobStore, "upsert", False),
    (TargetAccount, "digest_version", False),
]


@pytest.mark.parametrize(("owner", "name", "after"), MOMENTS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_the_run_after_a_kill_finishes_and_loads_nothing_twice(
    service: Service, migrate: MigrateCommand, owner: type, name: str, *, after: bool
) -> None:
    service.load()
    call = 2 if owner is DataSourceStore else 1  # the first one only looks for a row that was prepared
    with ends_at(owner, name, KilledError(), after=after, call=call), pytest.raises(KILLED):
        migrate(service)
    for source in migrate.sources().values():  # what is visible is whole
        assert source.published is None or source.published.entities == 2
    outcome = migrate(service)
    assert outcome.status == 0, outcome
    assert migrate.loads() == {"Shops": 1}
    # A job whose creation was answered, and not noted yet, is created again.
    assert len(service.downloads()) == (2 if name == "create_download" else 1)


def test_ctrl_c_says_how_to_go_on(service: Service, migrate: MigrateCommand) -> None:
    service.load()
    with ends_at(TargetAccount, "load", KeyboardInterrupt()):
        outcome = migrate(service)
    assert outcome.status == INTERRUPTED
    assert outcome.err.endswith("interrupted; the same command goes on there\n")
    assert migrate.sources() == {}


def test_a_kill_before_a_change_at_the_service_costs_nothing(service: Service, migrate: MigrateCommand) -> None:
    service.load()
    with ends_at(TargetAccount, "digest_version", KilledError()), pytest.raises(KILLED):
        migrate(service)
    service.load(data=shops("5"))
    assert migrate(service).status == 0
    assert migrate.loads() == {"Shops": 2}
    assert migrate.published()[1] == 1


STOPS: list[tuple[type, str, Exception, str]] = [
    (
        SourceAccount,
        "fetch",
        OSError(errno.ENOSPC, "No space left on device"),
        "this machine's disk can't be used: No space left on device; --state",
    ),
    (
        BlobStore,
        "upload_file",
        StorageError(StorageErrorCode.UNREACHABLE, "no route"),
        "storage: unreachable: no route (check the endpoint",
    ),
    (
        JobStore,
        "upsert",
        StorageError(StorageErrorCode.THROTTLED, "HTTP 503"),
        "storage: throttled: HTTP 503 (the storage account is at its limits",
    ),
]


@pytest.mark.parametrize(("owner", "name", "error", "words"), STOPS, ids=["disk", "blobs", "rows"])
def test_what_stops_a_run_is_one_line_and_the_next_run_goes_on(
    service: Service, migrate: MigrateCommand, owner: type, name: str, error: Exception, words: str
) -> None:
    service.load()
    with ends_at(owner, name, error):
        outcome = migrate(service, "--json")
    assert outcome.status == 1
    (line,) = (line for line in outcome.err.splitlines() if "Stopped" in line)
    assert line.startswith(words)
    assert line.endswith("Stopped: 0 of 1 data sources and 0 jobs are here; the same command goes on there")
    assert json.loads(outcome.out)["stopped"] == line
    assert migrate(service).status == 0
    assert migrate.loads() == {"Shops": 1}


def test_the_service_at_its_limit_ends_a_run_that_is_not_to_wait(service: Service, migrate: MigrateCommand) -> None:
    service.load("One")
    service.load("Two")
    for _ in range(48):
        service.storage.job("Geocode")
    outcome = migrate(service, "--no-wait")
    assert outcome.status == 1
    assert "JobUsageQuota: Account has already submitted 50 jobs in the past 24 hours.), and --no-wait" in outcome.err
    assert migrate.sources() == {}
    service.forget_jobs()
    assert migrate(service).status == 0
    assert sorted(migrate.loads()) == ["One", "Two"]


def test_a_data_source_that_is_deleted_at_the_service_is_left_here_and_named(
    service: Service, migrate: MigrateCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.load()
    migrate(service)
    list_data_sources = SourceAccount.list_data_sources

    async def list_then_delete(self: SourceAccount) -> Any:
        listed = await list_data_sources(self)
        await asyncio.to_thread(service.clear)
        return listed

    monkeypatch.setattr(SourceAccount, "list_data_sources", list_then_delete)
    meanwhile = migrate(service)
    assert meanwhile.status == 1
    assert "not copied: the service creates no download: HTTP 404" in meanwhile.out
    monkeypatch.undo()
    later = migrate(service)
    assert "shops was copied earlier and is not at the service any more: delete it here" in later.out
    assert sorted(migrate.loads()) == ["Shops"]


BROKEN = [
    (b"<html>Sign in</html>", "its file can't be read: "),
    (b"", "its file can't be read: "),
]


@pytest.mark.parametrize(("body", "words"), BROKEN, ids=["html", "empty"])
def test_a_file_that_is_no_data_source_is_not_loaded(
    service: Service, migrate: MigrateCommand, monkeypatch: pytest.MonkeyPatch, body: bytes, words: str
) -> None:
    service.load("Good")
    service.load("Broken")
    fetch = SourceAccount.fetch

    async def fetch_broken(self: SourceAccount, url: str, file: Any) -> int | None:
        size = await fetch(self, url, file)
        if b"Broken" in file.read_bytes():
            file.write_bytes(body)
        return size

    monkeypatch.setattr(SourceAccount, "fetch", fetch_broken)
    outcome = migrate(service)
    assert outcome.status == 1
    assert f"not copied: {words}" in outcome.out
    assert sorted(migrate.loads()) == ["Good"]
    monkeypatch.undo()
    assert migrate(service).status == 0


def test_an_entity_that_breaks_a_rule_is_a_difference(
    service: Service, migrate: MigrateCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.load()
    fetch = SourceAccount.fetch

    async def fetch_changed(self: SourceAccount, url: str, file: Any) -> int | None:
        await fetch(self, url, file)
        content = file.read_bytes().replace(b"<Latitude>1</Latitude>", b"<Latitude>95</Latitude>", 1)
        return int(file.write_bytes(content))

    monkeypatch.setattr(SourceAccount, "fetch", fetch_changed)
    outcome = migrate(service)
    assert outcome.status == 1
    assert "different: 1 entities break a rule of loads: see output/failed of the job" in outcome.out
    assert migrate.published()[1] == 1


def test_a_download_that_always_breaks_off_leaves_the_others_alone(
    service: Service, migrate: MigrateCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.load()

    def break_off(*_: object) -> None:
        raise TransportError("its answer breaks off")

    monkeypatch.setattr(SourceAccount, "_fetch", break_off)
    outcome = migrate(service)
    assert "not copied: its output could not be fetched in 4 tries: its answer breaks off" in outcome.out
    monkeypatch.undo()
    assert migrate(service).status == 0
    assert len(service.downloads()) == 1


def test_the_state_is_on_the_disk_before_each_step(
    service: Service, migrate: MigrateCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, Any]] = []
    save = MigrationState.save

    def note(self: MigrationState) -> None:
        save(self)
        seen.append(json.loads((self.folder / "state.json").read_text(encoding="utf-8"))["copies"].get("shops", {}))

    monkeypatch.setattr(MigrationState, "save", note)
    service.load()
    migrate(service)
    steps = [("download_job", "bytes"), ("bytes", "load_job"), ("load_job", "version")]
    for first, then in steps:
        assert any(state.get(first) and not state.get(then) for state in seen)
