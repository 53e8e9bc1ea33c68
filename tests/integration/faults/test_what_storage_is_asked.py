"""What polling costs storage, counted where its requests pass."""

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import StartServer
from tests.support.fault_proxy import Mode
from tests.support.live import LiveServer, wait_for
from tests.support.storage import Storage
from tests.support.two_accounts import SICK, TwoAccounts

TTL = 0.5


@pytest.fixture
def two(storage: Storage) -> Iterator[TwoAccounts]:
    with TwoAccounts.open(storage) as opened:
        yield opened


def _server(storage: Storage, two: TwoAccounts, start: StartServer, **settings: float) -> LiveServer:
    # By default no read is repeated because the machine stalls.
    return start(storage, accounts=two.accounts, keys=two.keys, **{"storage_timeout": 20} | settings)


def test_a_pending_job_is_read_once_per_lifetime(storage: Storage, two: TwoAccounts, start: StartServer) -> None:
    server = _server(storage, two, start, pending_ttl=TTL)
    started, ended = time.monotonic(), threading.Event()

    def poll(form: str) -> int:
        polls = 0
        while not ended.is_set():
            assert server.get(f"Dataflows/LoadDataSource/{two.pending}", SICK, o=form).status_code == 200
            polls += 1
        return polls

    with ThreadPoolExecutor(16) as threads:
        polling = [threads.submit(poll, form) for form in ["json", "xml"] * 8]
        try:
            wait_for(lambda: two.hop.reads_of(two.pending) >= 4)
        finally:
            ended.set()
        polls = sum(each.result() for each in polling)
    lifetimes = (time.monotonic() - started) / TTL
    # The first read and one for each lifetime, which ends a twentieth early for a record in use.
    assert two.hop.reads_of(two.pending) <= 1 + lifetimes / 0.95
    assert polls > two.hop.reads_of(two.pending)


def test_concurrent_callers_share_one_read(storage: Storage, two: TwoAccounts, start: StartServer) -> None:
    server = _server(storage, two, start, pending_ttl=60)
    two.hop.seconds, two.hop.mode = 0.4, Mode.DELAY
    paths = (f"Dataflows/LoadDataSource/{two.pending}", f"dataflows/LOADDATASOURCE/{two.pending.upper()}")
    with ThreadPoolExecutor(20) as threads:
        asked = [threads.submit(server.get, path, SICK, o=form) for path in paths for form in ["json", "xml"] * 5]
        assert {answer.result().status_code for answer in asked} == {200}
    assert two.hop.reads_of(two.pending) == 1


def test_a_missing_job_is_read_each_time(storage: Storage, two: TwoAccounts, start: StartServer) -> None:
    server = _server(storage, two, start, pending_ttl=60, finished_ttl=60)
    missing = "019c0000000070008000000000000001"
    for _ in range(3):
        assert server.get(f"Dataflows/LoadDataSource/{missing}", SICK).status_code == 404
    assert two.hop.reads_of(f"RowKey='{missing}'") >= 3


def test_the_job_list_is_one_range_of_row_keys_in_one_partition(
    storage: Storage, two: TwoAccounts, start: StartServer
) -> None:
    server = _server(storage, two, start, pending_ttl=60)
    for form in ("json", "xml", "json"):
        assert server.get("Dataflows/ListJobs", SICK, o=form).status_code == 200
    (query,) = [asked for asked in two.hop.asked if "$filter" in asked.target]
    found = re.search(r"/(\w+)\(\)\?\$filter=([^&]*)", query.target)
    assert found is not None
    assert found[1] == storage.table_name
    key_range = rf"PartitionKey eq '{two.sick.account}' and RowKey ge '[0-9a-f]{{32}}' and RowKey lt 'alias:'"
    assert re.fullmatch(key_range, found[2])


def test_a_read_on_a_dead_connection_is_retried_within_the_deadline(
    storage: Storage, two: TwoAccounts, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.tables.reader.SOCKET_TIMEOUT_FRACTION", 0.05)
    server = _server(storage, two, start, pending_ttl=0)
    path = f"Dataflows/LoadDataSource/{two.pending}"
    with ThreadPoolExecutor(2) as threads:
        two.hop.mode = Mode.HANG
        waiting = [threads.submit(server.get, path, SICK) for _ in range(2)]
        wait_for(lambda: two.hop.reads_of(two.pending) > 0)
        two.hop.mode = Mode.WELL
        assert [answer.result().status_code for answer in waiting] == [200, 200]
    assert two.hop.reads_of(two.pending) >= 2


def test_a_slow_answer_within_the_deadline_counts(storage: Storage, two: TwoAccounts, start: StartServer) -> None:
    server = _server(storage, two, start, storage_timeout=10)
    two.hop.seconds, two.hop.mode = 1.2, Mode.DELAY
    assert server.get(f"Dataflows/LoadDataSource/{two.pending}", SICK).status_code == 200
    assert two.hop.reads_of(two.pending) == 1
