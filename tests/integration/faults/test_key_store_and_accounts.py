"""A key store and an account's storage that fail: neither holds the other up (keys contract, section 3)."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import StartServer
from tests.support.fault_proxy import Mode
from tests.support.flaky_storage import FlakyHop
from tests.support.key_rows import KeyRows
from tests.support.live import LiveServer
from tests.support.storage import Storage
from tests.support.two_accounts import SICK, TwoAccounts

LIST = "Dataflows/ListJobs"
WELL = "key-of-the-well"
IN_FORCE_SECONDS = 7.0
TIMEOUT = 2.0


@pytest.fixture
def keys(storage: Storage) -> Iterator[KeyRows]:
    """A key store with storage of its own."""
    with KeyRows.open(storage) as opened:
        yield opened


@pytest.fixture
def two(storage: Storage) -> Iterator[TwoAccounts]:
    """Two accounts, of which one can fail."""
    with TwoAccounts.open(storage) as opened:
        yield opened


@pytest.fixture
def server(storage: Storage, keys: KeyRows, two: TwoAccounts, start: StartServer) -> LiveServer:
    """A server in front of all three, that knows a key of each account."""
    running = start(storage, **keys.settings, accounts=two.accounts, storage_timeout=TIMEOUT)
    keys.write(WELL)
    keys.write(SICK, Account=two.sick.account)
    assert running.get(LIST, WELL).status_code == running.get(LIST, SICK).status_code == 200
    return running


def until(server: LiveServer, key: str, status: int) -> None:
    end = time.monotonic() + IN_FORCE_SECONDS
    while server.get(LIST, key).status_code != status:
        assert time.monotonic() < end


@pytest.mark.parametrize("mode", [Mode.HANG, Mode.REFUSE, Mode.THROTTLE])
def test_no_key_is_held_back_by_an_account_whose_storage_fails(
    server: LiveServer, keys: KeyRows, two: TwoAccounts, mode: Mode
) -> None:
    two.hop.mode = mode
    with ThreadPoolExecutor(20) as threads:
        waiting = [threads.submit(server.get, path, SICK) for path in two.paths * 4]
        keys.write("added", Account=two.sick.account)
        keys.write("added to the well")
        keys.revoke(SICK)
        until(server, "added to the well", 200)
        until(server, SICK, 401)
        started = time.monotonic()
        assert server.get(LIST, "never was").status_code == 401
        assert time.monotonic() - started < TIMEOUT
        # The account's storage is what fails, and its answer says so.
        texts = server.json(LIST, "added")["errorDetails"]
        assert texts == ["The storage of the account does not answer. Try again."]
        assert {each.result().status_code for each in waiting} <= {503, 401}


@pytest.mark.parametrize("mode", [Mode.HANG, Mode.REFUSE, Mode.THROTTLE])
def test_no_account_is_held_back_by_a_key_store_that_fails(
    storage: Storage, server: LiveServer, keys: KeyRows, mode: Mode
) -> None:
    keys.hop.mode = mode
    with ThreadPoolExecutor(10) as threads:
        waiting = [threads.submit(server.get, LIST, f"unknown{number}") for number in range(10)]
        for _ in range(10):
            job = storage.job(DataSourceName="Shops")
            started = time.monotonic()
            assert server.get(f"Dataflows/LoadDataSource/{job}", WELL).status_code == 200
            assert time.monotonic() - started < TIMEOUT
        assert {each.result().status_code for each in waiting} == {503}


@pytest.mark.slow
def test_a_flaky_key_store_answers_no_key_wrongly(storage: Storage, start: StartServer) -> None:
    with KeyRows.open(storage, FlakyHop) as keys:
        assert isinstance(keys.hop, FlakyHop)
        keys.hop.is_flaky = False
        server = start(storage, **keys.settings, storage_timeout=TIMEOUT)
        keys.write("known")
        keys.revoke("revoked")
        assert server.get(LIST, "known").status_code == 200
        keys.hop.is_flaky = True
        known, revoked, unknown, end = set[int](), set[int](), set[int](), time.monotonic() + 8
        number = 0
        while time.monotonic() < end:
            number += 1
            known.add(server.get(LIST, "known").status_code)
            revoked.add(server.get(LIST, "revoked").status_code)
            unknown.add(server.get(LIST, f"unknown{number}").status_code)
        assert known == {200}
        assert revoked <= {401, 503}
        assert unknown <= {401, 503}
        assert sum(keys.hop.done.values()) > 10
        keys.hop.is_flaky = False
        until(server, "revoked", 401)
