"""A key store and an account's storage that fail: neither holds the other up (keys contract, section 3)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count

import httpx
import pytest

from tests.conftest import StartServer
from tests.support.fault_proxy import Mode
from tests.support.flaky_storage import FlakyHop
from tests.support.key_rows import KeyRows
from tests.support.live import LiveServer, wait_for
from tests.support.storage import Storage
from tests.support.two_accounts import SICK, TwoAccounts

LIST = "Dataflows/ListJobs"
WELL = "key-of-the-well"

TIMEOUT = 20.0
"""A deadline that no stall of the machine reaches: who waits for a hanging storage waits longer than all others."""

FAULTS = 8


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
    for key in (WELL, SICK):
        until(running, key, 200)
    return running


def until(server: LiveServer, key: str, status: int) -> None:
    wait_for(lambda: server.get(LIST, key).status_code == status)


def is_refused(server: LiveServer, key: str) -> bool:
    """Whether a key is refused, where it would else wait for storage."""
    with suppress(httpx.ReadTimeout):
        url = f"{server.url}/REST/v1/{LIST}"
        return server.client.get(url, params={"key": key}, timeout=1).status_code == 401
    return False


@pytest.mark.parametrize("mode", [Mode.HANG, Mode.REFUSE, Mode.THROTTLE])
def test_no_key_is_held_back_by_an_account_whose_storage_fails(
    server: LiveServer, keys: KeyRows, two: TwoAccounts, mode: Mode
) -> None:
    two.hop.mode = mode
    with ThreadPoolExecutor(20) as threads:
        waiting = [threads.submit(server.get, path, SICK) for path in two.paths * 4]
        if mode is Mode.HANG:
            wait_for(lambda: two.hop.reads_of(two.pending) > 0)
        keys.write("added", Account=two.sick.account)
        keys.write("added to the well")
        until(server, "added to the well", 200)
        until(server, "never was", 401)
        assert mode is not Mode.HANG or not any(each.done() for each in waiting)
        keys.revoke(SICK)
        wait_for(lambda: is_refused(server, SICK))
        two.hop.mode = Mode.REFUSE if mode is Mode.HANG else mode
        # The account's storage is what fails, and its answer says so.
        texts = server.json(LIST, "added")["errorDetails"]
        assert texts == ["The storage of the account does not answer. Try again."]
        assert {each.result().status_code for each in waiting} <= {503, 401}


@pytest.mark.parametrize("mode", [Mode.HANG, Mode.REFUSE, Mode.THROTTLE])
def test_no_account_is_held_back_by_a_key_store_that_fails(
    storage: Storage, server: LiveServer, keys: KeyRows, mode: Mode
) -> None:
    before = keys.key_reads
    keys.hop.mode = mode
    with ThreadPoolExecutor(10) as threads:
        waiting = [threads.submit(server.get, LIST, f"unknown{number}") for number in range(10)]
        if mode is Mode.HANG:
            wait_for(lambda: keys.key_reads > before)
        for _ in range(10):
            job = storage.job(DataSourceName="Shops")
            assert server.get(f"Dataflows/LoadDataSource/{job}", WELL).status_code == 200
        assert mode is not Mode.HANG or not all(each.done() for each in waiting)
        keys.hop.mode = Mode.REFUSE if mode is Mode.HANG else mode
        assert {each.result().status_code for each in waiting} == {503}


@pytest.mark.slow
def test_a_flaky_key_store_answers_no_key_wrongly(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.flaky_storage.QUIET", 0.2)  # ten reads a second find no key
    with KeyRows.open(storage, FlakyHop) as keys:
        assert isinstance(keys.hop, FlakyHop)
        done = keys.hop.done
        keys.hop.is_flaky = False
        server = start(storage, **keys.settings, storage_timeout=TIMEOUT)
        keys.write("known")
        keys.revoke("revoked")
        until(server, "known", 200)
        keys.hop.is_flaky = True
        known, revoked, unknown = set[int](), set[int](), set[int]()
        numbers = count()

        def ask() -> bool:
            known.add(server.get(LIST, "known").status_code)
            revoked.add(server.get(LIST, "revoked").status_code)
            unknown.add(server.get(LIST, f"unknown{next(numbers)}").status_code)
            return done.total() - done[Mode.WELL.value] >= FAULTS

        wait_for(ask)
        assert known == {200}
        assert revoked <= {401, 503}
        assert unknown <= {401, 503}
        keys.hop.is_flaky = False
        until(server, "revoked", 401)
