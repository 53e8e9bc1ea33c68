"""A storage account that hangs, refuses or talks nonsense, beside one that is well."""

import itertools
import logging
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from lxml import etree

from proxy.wire import parameters
from tests.conftest import StartServer
from tests.support.fault_proxy import FAULTS, Hop, Mode
from tests.support.live import MASTER, LiveServer, start_server, wait_for
from tests.support.stalls import assert_within
from tests.support.storage import Storage
from tests.support.two_accounts import DATA_SOURCE, SICK, TwoAccounts

TIMEOUT = 0.5
IN_TIME = TIMEOUT + 0.5
TTL = 0.2
RECOVERY = 2.0

BUSY = 20.0
"""A deadline that no stall of the machine reaches, where it is no test of deadlines."""

Pair = tuple[LiveServer, TwoAccounts]


@pytest.fixture(scope="module")
def shared(account: Storage) -> Iterator[Pair]:
    """A server in front of two accounts."""
    with (
        TwoAccounts.open(account) as two,
        start_server(
            account,
            accounts=two.accounts,
            keys=two.keys,
            storage_timeout=TIMEOUT,
            pending_ttl=TTL,
            finished_ttl=TTL,
        ) as server,
    ):
        yield server, two


@pytest.fixture
def pair(shared: Pair) -> Iterator[Pair]:
    """The same, its second account well before each test and after it."""
    wait_until_well(*shared)
    yield shared
    _, two = shared
    two.hop.mode = Mode.WELL
    wait_until_well(*shared)


def wait_until_well(server: LiveServer, two: TwoAccounts) -> None:
    wait_for(lambda: server.get(two.paths[0], SICK).status_code == 200)


def seconds_of_503(server: LiveServer, path: str, form: str) -> float:
    started = time.monotonic()
    answer = server.get(path, SICK, o=form)
    seconds = time.monotonic() - started
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    if form == "xml":
        root = etree.fromstring(answer.content)
        assert (root.findtext("{*}StatusCode"), len(root.findall("{*}ResourceSets/*"))) == ("503", 0)
    else:
        envelope = answer.json()
        assert (envelope["statusCode"], envelope["resourceSets"]) == (503, [])
        assert envelope["authenticationResultCode"] == "ValidCredentials"
    return seconds


def seconds_of_200(server: LiveServer, path: str, key: str = MASTER, **parameters: str) -> float:
    """How long an answer takes; for ever where it is an error, as a stall of the machine makes one of it."""
    started = time.monotonic()
    status = server.get(path, key, **parameters).status_code
    return time.monotonic() - started if status == 200 else math.inf


def _assert_probed(server: LiveServer, two: TwoAccounts) -> None:
    """The account is probed now and then, and not hammered."""
    before, started = len(two.hop.asked), time.monotonic()
    for number in range(200):
        assert server.get(two.paths[number % 4], SICK).status_code == 503
    probes = 1 + (time.monotonic() - started) / 0.4
    # Each read is tried three times at the most, and aiohttp asks once more by itself where a connection ended.
    assert len(two.hop.asked) - before <= 6 * probes


@pytest.mark.parametrize("mode", FAULTS, ids=lambda mode: mode.value)
def test_a_fault_is_reported_in_time_and_recovers(pair: Pair, mode: Mode) -> None:
    server, two = pair
    finished = f"data/jobs/{two.finished}/$getstatus"
    other = f"Dataflows/LoadDataSource/{two.well.job(status='Pending')}"

    def report() -> float:
        """The longest that one of many answers takes; the account is well before."""
        two.hop.mode = Mode.WELL
        wait_until_well(server, two)
        wait_for(lambda: server.get(finished, SICK).status_code == 200)
        two.hop.mode = mode
        time.sleep(TTL)
        with ThreadPoolExecutor(10) as threads:
            asked = [
                threads.submit(seconds_of_503, server, path, form)
                for path, form in itertools.product(two.paths, ["json", "xml"])
            ]
            of_others = seconds_of_200(server, other)
            return max(
                of_others,
                *(each.result() for each in asked),
                *(seconds_of_200(server, finished, SICK, o=form) for form in ("json", "xml")),
            )

    def recover() -> float:
        """How long the account's answers are errors after its storage is well again."""
        two.hop.mode = mode
        for _ in range(6):  # more than it takes to open the circuit breaker
            assert server.get(two.paths[0], SICK).status_code == 503
        two.hop.mode = Mode.WELL
        started = time.monotonic()
        wait_until_well(server, two)
        return time.monotonic() - started

    assert_within(IN_TIME, report)
    _assert_probed(server, two)
    assert_within(RECOVERY, recover)


def test_the_log_has_a_hint_for_denied_storage(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    server, two = pair
    two.hop.mode = Mode.FORBID
    time.sleep(TTL)
    refused: list[logging.LogRecord] = []

    def is_refused() -> bool:
        answer = server.get(two.paths[0], SICK)
        assert answer.status_code == 503
        (line,) = [each for each in caplog.records if getattr(each, "trace_id", "") == answer.json()["traceId"]]
        refused.append(line)
        return line.getMessage() == "storage: refused: HTTP 403, AuthorizationFailure"

    with caplog.at_level(logging.WARNING):
        wait_for(is_refused)
    said = vars(refused[-1])
    assert said["account"] == two.sick.account
    assert said["hint"] == "check this account's credential, its roles, and the storage firewall"


@pytest.mark.parametrize("mode", [Mode.HANG_UP, Mode.RESET, Mode.CUT_OFF], ids=lambda mode: mode.value)
def test_a_broken_read_is_retried_within_the_deadline(
    storage: Storage, start: StartServer, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    with TwoAccounts.open(storage) as two:
        server = start(storage, accounts=two.accounts, keys=two.keys, storage_timeout=BUSY)
        two.hop.mode = mode
        with caplog.at_level(logging.WARNING):
            assert server.get(two.paths[0], SICK).status_code == 503
        assert two.hop.reads_of(two.pending) >= 3
        assert "storage: unreachable" in caplog.text


def test_a_finished_download_survives_a_storage_fault(pair: Pair) -> None:
    server, two = pair
    path = f"Dataflows/DataSourceDownload/{DATA_SOURCE}"
    wait_for(lambda: server.get(path, SICK).status_code == 200)
    two.hop.mode = Mode.FORBID
    wait_for(lambda: server.get(two.paths[0], SICK).status_code == 503)
    wait_for(lambda: server.get(path, SICK).status_code == 200)


def test_a_hanging_account_starves_no_other(storage: Storage, start: StartServer) -> None:
    with TwoAccounts.open(storage) as two:
        server = start(storage, accounts=two.accounts, keys=two.keys, storage_timeout=BUSY)
        job_id = two.well.job(status="Pending")
        two.hop.mode = Mode.HANG
        with ThreadPoolExecutor(50) as threads:
            paths = [f"Dataflows/LoadDataSource/{number:032x}" for number in range(50)]
            waiting = [threads.submit(server.get, path, SICK) for path in paths]
            wait_for(lambda: two.hop.reads_of("RowKey='00000") >= len(paths))
            for _ in range(10):
                assert server.get(f"Dataflows/LoadDataSource/{job_id}").status_code == 200
            assert not any(each.done() for each in waiting)
            two.hop.mode = Mode.REFUSE
            assert {each.result().status_code for each in waiting} == {503}


def test_what_storage_refuses_of_a_caller_is_the_callers_mistake(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(storage, storage_timeout=BUSY)
    asked = {"dataSourceName": "A", "loadOperation": "complete", "input": "xml", "key": MASTER}
    location = f"{storage.blobs.url}c/{'x' * 40_000}"
    url = f"{server.url}/REST/v1/Dataflows/LoadDataSource"
    answer = server.client.post(url, params=asked | {"dataLocation": location})
    assert (answer.status_code, "8,000" in answer.json()["errorDetails"][0]) == (400, True)
    # Should a text without a bound be left somewhere, storage refuses it: nobody else notices.
    monkeypatch.setattr(parameters, "MAX_LOCATION", 100_000)
    for _ in range(8):  # more than it takes to open a circuit breaker
        answer = server.client.post(url, params=asked | {"dataLocation": location})
        assert (answer.status_code, answer.json()["authenticationResultCode"]) == (400, "ValidCredentials")
        assert server.get("Dataflows/ListJobs").status_code == 200
        assert server.get("data").status_code == 200
    wait_for(lambda: server.client.get(server.url + "/readyz").status_code == 200)
    assert server.client.post(url, params=asked | {"dataLocation": f"{storage.blobs.url}c/a"}).status_code == 201


@pytest.mark.slow
def test_tables_are_created_when_storage_returns(storage: Storage, start: StartServer) -> None:
    with Hop.before(storage) as hop:
        entry = {storage.account: {"storage": {"connection_string": hop.connection_string}}}
        hop.mode = Mode.REFUSE
        server = start(storage, accounts=entry, jobs_table=f"late{uuid4().hex[:12]}")
        assert server.get("Dataflows/ListJobs").status_code == 503
        hop.mode = Mode.WELL
        wait_for(lambda: server.get("Dataflows/ListJobs").status_code == 200)
        wait_for(lambda: server.client.get(server.url + "/readyz").status_code == 200)
