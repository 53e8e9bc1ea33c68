"""Keys from the key store, over HTTP: when a change is in force, and what a caller sees (keys contract, section 3)."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from proxy.keyring import store
from proxy.keyring.key_cache import StoreView
from proxy.keyring.store import boot_clock
from tests.conftest import StartServer
from tests.support.fault_proxy import Hop, Mode
from tests.support.key_rows import KeyRows
from tests.support.live import LiveServer, wait_for
from tests.support.storage import BUSY_SECONDS, Storage

LIST = "Dataflows/ListJobs"
REMEMBERED = {"pending_ttl": 3600, "finished_ttl": 3600}


@pytest.fixture
def keys(storage: Storage) -> Iterator[KeyRows]:
    """An empty key store."""
    with KeyRows.open(storage) as opened:
        yield opened


@pytest.fixture
def server(storage: Storage, keys: KeyRows, start_patient: StartServer) -> LiveServer:
    """A server with these keys, which remembers its answers."""
    return start_patient(storage, **keys.settings, **REMEMBERED)


def status(server: LiveServer, key: str, path: str = LIST) -> int:
    return server.get(path, key).status_code


def test_an_added_key_is_good_also_where_it_was_refused_before(server: LiveServer, keys: KeyRows) -> None:
    assert status(server, "new") == 401
    keys.write("new")
    wait_for(lambda: status(server, "new") == 200)


def test_a_revoked_key_is_as_unknown_as_any_although_its_row_cannot_be_read(server: LiveServer, keys: KeyRows) -> None:
    keys.write("odd", Role="of a newer version")
    assert status(server, "odd") == 503
    keys.revoke("odd", Role="of a newer version")
    wait_for(lambda: status(server, "odd") == 401)


def test_a_key_is_read_once_however_often_it_is_used(server: LiveServer, keys: KeyRows) -> None:
    keys.write("one", is_announced=False)
    assert [status(server, "one") for _ in range(20)] == [200] * 20
    assert keys.reads_of("one") == 1


def test_a_revoked_key_that_polls_a_remembered_job_all_the_time_is_refused(
    storage: Storage, server: LiveServer, keys: KeyRows
) -> None:
    job = storage.job(DataSourceName="Shops", OutputBlob="exports/a.xml")
    keys.write("polling")
    path = f"Dataflows/LoadDataSource/{job}"
    assert status(server, "polling", path) == 200
    storage.table.delete_entity(storage.account, job)  # so that each further answer is a remembered one
    assert [status(server, "polling", path) for _ in range(5)] == [200] * 5
    keys.revoke("polling")
    # The first look of these began after the change, and has ended when the second one begins.
    looks, answers = keys.hop.reads_of("changes") + 2, []
    while keys.hop.reads_of("changes") < looks:
        answers.append(status(server, "polling", path))
    assert [status(server, "polling", path) for _ in range(5)] == [401] * 5
    assert answers == sorted(answers)  # never good again


def test_a_changed_row_that_says_the_same_leaves_remembered_answers_good(
    storage: Storage, server: LiveServer, keys: KeyRows
) -> None:
    job = storage.job(DataSourceName="Shops", OutputBlob="exports/a.xml")
    keys.write("polling")
    path = f"Dataflows/LoadDataSource/{job}"
    first = server.json(path, "polling")["resourceSets"]
    reads = keys.reads_of("polling")
    storage.table.delete_entity(storage.account, job)
    keys.announce("polling")
    wait_for(lambda: status(server, "polling", path) == 200 and keys.reads_of("polling") > reads)
    assert server.json(path, "polling")["resourceSets"] == first
    assert keys.reads_of("polling") == reads + 1


@pytest.mark.parametrize("output", ["json", "xml"])
def test_a_revoked_key_gets_the_bytes_of_an_unknown_one(server: LiveServer, keys: KeyRows, output: str) -> None:
    def seen(key: str) -> tuple[object, ...]:
        answer = server.get(LIST, key, o=output)
        trace_id = answer.json()["traceId"] if output == "json" else answer.text.split("TraceId>")[1][:32]
        headers = {name: value for name, value in answer.headers.items() if name != "date"}
        return answer.status_code, headers, answer.text.replace(trace_id, "")

    keys.revoke("revoked", Name="store locator")
    assert seen("revoked") == seen("never was")


def test_a_key_ends_when_its_row_says(
    storage: Storage, keys: KeyRows, start_patient: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = 0
    view = partial(StoreView, wall=lambda: time.time() + hours * 3600)
    monkeypatch.setattr(store, "StoreView", view)
    server = start_patient(storage, **keys.settings, **REMEMBERED)
    keys.write("ending", ExpiresAt=datetime.now(UTC) + timedelta(hours=1))
    assert status(server, "ending") == 200
    hours = 1
    assert status(server, "ending") == 401
    assert server.json(LIST, "ending")["authenticationResultCode"] == "CredentialsExpired"


def test_a_key_that_becomes_a_query_key_may_no_longer_do_what_it_did(
    storage: Storage, server: LiveServer, keys: KeyRows
) -> None:
    path = f"Dataflows/LoadDataSource/{storage.job(DataSourceName='Shops')}"
    keys.write("changing")
    assert status(server, "changing", path) == 200
    keys.write("changing", Role="query")
    wait_for(lambda: status(server, "changing", path) == 401)
    assert server.json(path, "changing")["authenticationResultCode"] == "NotAuthorized"


def test_a_key_opens_the_data_sources_of_its_patterns_after_a_change(
    storage: Storage, server: LiveServer, keys: KeyRows
) -> None:
    for name in ("Shops", "Parks"):
        storage.job(DataSourceName=name)

    def listed() -> int:
        return len(server.json(LIST, "narrow")["resourceSets"][0]["resources"])

    keys.write("narrow")
    assert listed() == 2
    keys.write("narrow", DataSources='["shop*"]')
    wait_for(lambda: listed() == 1)


@pytest.mark.parametrize("properties", [{"Role": "owner"}, {"DataSources": "{"}, {"Account": "of another server"}])
def test_a_row_that_cannot_be_read_is_a_503_for_its_key_alone(
    server: LiveServer, keys: KeyRows, properties: dict[str, Any]
) -> None:
    keys.write("odd", **properties)
    keys.write("well")
    answer = server.get(LIST, "odd")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["authenticationResultCode"] == "ValidCredentials"
    assert status(server, "well") == 200
    keys.write("odd")
    wait_for(lambda: status(server, "odd") == 200)


@pytest.mark.parametrize(
    "mode",
    [Mode.REFUSE, pytest.param(Mode.HANG, marks=pytest.mark.slow), Mode.THROTTLE, Mode.FORBID, Mode.RESET],
)
def test_without_its_store_known_keys_are_good_and_others_a_503(
    storage: Storage, keys: KeyRows, start: StartServer, mode: Mode
) -> None:
    server = start(storage, **keys.settings, **REMEMBERED, storage_timeout=1)
    keys.write("known")
    keys.write("later", is_announced=False)
    wait_for(lambda: status(server, "known") == 200)
    keys.hop.mode = mode
    for number in range(3):
        started = time.monotonic()
        answer = server.get(LIST, f"unknown{number}")
        assert time.monotonic() - started < 1 + BUSY_SECONDS  # nobody else would end the wait
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.json()["errorDetails"] == ["Keys can't be checked at the moment. Try again."]
        assert status(server, "known") == 200
    keys.hop.mode = Mode.WELL
    wait_for(lambda: status(server, "later") == 200)
    wait_for(lambda: status(server, "unknown0") == 401)
    assert status(server, "known") == 200


def test_a_refused_key_gets_a_503_without_the_store(server: LiveServer, keys: KeyRows) -> None:
    assert status(server, "refused") == 401
    keys.hop.mode = Mode.REFUSE
    wait_for(lambda: status(server, "refused") == 503)


def test_without_its_store_for_too_long_no_key_is_good(
    storage: Storage, keys: KeyRows, start_patient: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, passed = boot_clock(), 0
    monkeypatch.setattr(store, "boot_clock", lambda: lambda: clock() + passed)
    server = start_patient(storage, **keys.settings, **REMEMBERED, key_store_stale_seconds=3600)
    path = f"Dataflows/LoadDataSource/{storage.job(DataSourceName='Shops')}"
    keys.write("known")
    assert status(server, "known", path) == 200
    keys.hop.mode = Mode.REFUSE
    passed = 3500
    assert status(server, "known", path) == 200
    passed = 3601
    assert status(server, "known", path) == 503
    keys.hop.mode = Mode.WELL
    wait_for(lambda: status(server, "known", path) == 200)


def test_a_server_starts_without_its_store_and_is_ready_after_the_first_look(
    storage: Storage, keys: KeyRows, start_patient: StartServer
) -> None:
    keys.write("known")
    keys.hop.mode = Mode.REFUSE
    server = start_patient(storage, **keys.settings)

    def ready() -> int:
        return server.client.get(f"{server.url}/readyz").status_code

    assert ready() == 503
    assert status(server, "known") == 503
    assert server.client.get(f"{server.url}/livez").status_code == 200
    keys.hop.mode = Mode.WELL
    wait_for(lambda: ready() == 200)
    assert status(server, "known") == 200
    keys.hop.mode = Mode.REFUSE
    wait_for(lambda: status(server, "unknown") == 503)
    assert ready() == 200


def test_a_missing_table_keeps_a_server_from_being_ready(storage: Storage, keys: KeyRows, start: StartServer) -> None:
    server = start(storage, **keys.settings | {"keys_table": "nosuchtable"})
    assert server.client.get(f"{server.url}/readyz").status_code == 503
    assert status(server, "any") == 503


def test_key_look_up_and_handler_share_one_deadline(storage: Storage, keys: KeyRows, start: StartServer) -> None:
    keys.write("slow")
    with Hop.before(storage) as tables:
        behind = replace(storage, connection_string=tables.connection_string)
        server = start(behind, **keys.settings, storage_timeout=2.0)
        wait_for(lambda: status(server, "other") == 401)
        keys.hop.seconds, tables.seconds = 0.9, 1.4  # each alone within the deadline, but not one after the other
        keys.hop.mode = tables.mode = Mode.DELAY
        assert status(server, "slow") == 503
