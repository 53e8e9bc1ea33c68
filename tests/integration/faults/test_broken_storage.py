"""A storage account that hangs, refuses or talks nonsense, beside one that is well."""

import itertools
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from uuid import uuid4

import pytest
from lxml import etree

from proxy.wire import parameters
from tests.conftest import StartServer
from tests.support.fault_proxy import FAULTS, Hop, Mode
from tests.support.live import MASTER, LiveServer, start_server, wait_for
from tests.support.storage import Storage
from tests.support.stub_servers import closed_port, connection_string, listening, saying
from tests.support.two_accounts import DATA_SOURCE, SICK, TwoAccounts

TIMEOUT = 0.5
IN_TIME = TIMEOUT + 0.5
TTL = 0.2
RECOVERY = 2.0

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
    yield shared
    _, two = shared
    two.hop.mode = Mode.WELL
    assert _recovered(*shared) < RECOVERY


def _recovered(server: LiveServer, two: TwoAccounts) -> float:
    started = time.monotonic()
    while server.get(two.paths[0], SICK).status_code != 200:
        assert time.monotonic() - started < 10
        time.sleep(0.02)
    return time.monotonic() - started


def _assert_503(server: LiveServer, path: str, form: str) -> None:
    started = time.monotonic()
    answer = server.get(path, SICK, o=form)
    assert time.monotonic() - started < IN_TIME
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    if form == "xml":
        root = etree.fromstring(answer.content)
        assert (root.findtext("{*}StatusCode"), len(root.findall("{*}ResourceSets/*"))) == ("503", 0)
    else:
        envelope = answer.json()
        assert (envelope["statusCode"], envelope["resourceSets"]) == (503, [])
        assert envelope["authenticationResultCode"] == "ValidCredentials"


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
    other = two.well.job(status="Pending")
    assert server.get(finished, SICK).status_code == 200
    two.hop.mode = mode
    time.sleep(TTL)
    with ThreadPoolExecutor(10) as threads:
        asked = [
            threads.submit(_assert_503, server, path, form)
            for path, form in itertools.product(two.paths, ["json", "xml"])
        ]
        started = time.monotonic()
        assert server.get(f"Dataflows/LoadDataSource/{other}").status_code == 200
        assert time.monotonic() - started < 0.5
        for each in asked:
            each.result()
    for form in ("json", "xml"):
        started = time.monotonic()
        assert server.get(finished, SICK, o=form).status_code == 200
        assert time.monotonic() - started < IN_TIME
    _assert_probed(server, two)
    two.hop.mode = Mode.WELL
    assert _recovered(server, two) < RECOVERY


def test_the_log_has_a_hint_for_denied_storage(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    server, two = pair
    two.hop.mode = Mode.FORBID
    time.sleep(TTL)
    with caplog.at_level(logging.WARNING):
        answer = server.get(two.paths[0], SICK)
    assert answer.status_code == 503
    (line,) = [each for each in caplog.records if getattr(each, "trace_id", "") == answer.json()["traceId"]]
    assert line.getMessage() == "storage: refused: HTTP 403, AuthorizationFailure"
    told = vars(line)
    assert told["account"] == two.sick.account
    assert told["hint"] == "check this account's credential, its roles, and the storage firewall"


@pytest.mark.parametrize("mode", [Mode.HANG_UP, Mode.RESET, Mode.CUT_OFF], ids=lambda mode: mode.value)
def test_a_broken_read_is_retried_within_the_deadline(
    storage: Storage, start: StartServer, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    with TwoAccounts.open(storage) as two:
        server = start(storage, accounts=two.accounts, keys=two.keys, storage_timeout=TIMEOUT)
        two.hop.mode = mode
        with caplog.at_level(logging.WARNING):
            assert server.get(two.paths[0], SICK).status_code == 503
        assert two.hop.reads_of(two.pending) >= 3
        assert "storage: unreachable" in caplog.text


def test_a_finished_download_survives_a_storage_fault(pair: Pair) -> None:
    server, two = pair
    path = f"Dataflows/DataSourceDownload/{DATA_SOURCE}"
    assert server.get(path, SICK).status_code == 200
    two.hop.mode = Mode.FORBID
    assert server.get(path, SICK).status_code == 200


def test_a_hanging_account_starves_no_other(pair: Pair) -> None:
    server, two = pair
    job_id = two.well.job(status="Pending")
    two.hop.mode = Mode.HANG
    time.sleep(TTL)
    with ThreadPoolExecutor(50) as threads:
        paths = [f"Dataflows/LoadDataSource/{number:032x}" for number in range(400)]
        waiting = [threads.submit(server.get, path, SICK) for path in paths]
        took = []
        for _ in range(10):
            started = time.monotonic()
            assert server.get(f"Dataflows/LoadDataSource/{job_id}").status_code == 200
            took.append(time.monotonic() - started)
        # Clients and server share a process here: on a slow machine one may be late, but not half of them.
        assert sorted(took)[4] < TIMEOUT
        assert {answer.result().status_code for answer in waiting} == {503}


def readiness(server: LiveServer) -> tuple[int, dict[str, str]]:
    answer = server.client.get(server.url + "/readyz")
    return answer.status_code, answer.json()


READY, NOT_READY = (200, {"status": "ready"}), (503, {"status": "not ready"})


def test_one_healthy_account_keeps_the_process_ready(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    server, two = pair
    said: list[logging.LogRecord] = []

    def says(message: str) -> bool:
        said[:] = [line for line in caplog.records if line.name == "proxy.api.health"]
        return bool(said) and said[-1].getMessage() == message

    with caplog.at_level(logging.INFO, "proxy.api.health"):
        two.hop.mode = Mode.FORBID
        time.sleep(TTL)
        assert server.get(two.paths[0], SICK).status_code == 503
        wait_for(lambda: says("the account is broken: refused: HTTP 403, AuthorizationFailure"))
        assert readiness(server) == READY
        broken = said[-1]
        two.hop.mode = Mode.WELL
        wait_for(lambda: says("the account is well again"))
    assert {vars(line)["account"] for line in said} == {two.sick.account}
    assert "credential" in vars(broken)["hint"]


@pytest.mark.slow
def test_readiness_requests_do_not_reach_storage(storage: Storage, start: StartServer) -> None:
    with TwoAccounts.open(storage) as two:
        accounts = {storage.account: {"storage": {"connection_string": two.hop.connection_string}}}
        server = start(storage, accounts=accounts, storage_timeout=TIMEOUT)
        assert readiness(server) == READY
        two.hop.mode = Mode.FORBID
        wait_for(lambda: readiness(server) == NOT_READY)
        before, started = len(two.hop.asked), time.monotonic()
        for _ in range(200):
            assert readiness(server) == NOT_READY
        looks = 1 + (time.monotonic() - started) / 0.4
        assert len(two.hop.asked) - before <= 3 * looks
        two.hop.mode = Mode.WELL
        wait_for(lambda: readiness(server) == READY)


@pytest.mark.slow
def test_readiness_ignores_queue_and_blobs(storage: Storage, start: StartServer) -> None:
    with closed_port() as port:
        parts = dict(part.partition("=")[::2] for part in storage.connection_string.split(";") if part)
        parts |= {f"{service}Endpoint": f"http://127.0.0.1:{port}/devstoreaccount1" for service in ("Queue", "Blob")}
        text = ";".join(f"{name}={value}" for name, value in parts.items())
        server = start(storage, accounts={storage.account: {"storage": {"connection_string": text}}})
        storage.job(DataSourceName="Shops")
        load = server.url + "/REST/v1/Dataflows/LoadDataSource"
        asked = {"dataSourceName": "A", "loadOperation": "complete", "input": "xml", "key": MASTER}
        location = {"dataLocation": f"http://127.0.0.1:{port}/devstoreaccount1/a/b.xml"}
        for _ in range(8):  # more than it takes to open a circuit breaker
            assert server.client.post(load, params=asked | location).status_code == 503
            assert server.get("Dataflows/ListJobs").status_code == 200
        assert readiness(server) == READY


def test_a_process_without_a_working_account_is_not_ready(storage: Storage, start: StartServer) -> None:
    with listening(saying("403 Forbidden", b"")) as port:
        broken = {storage.account: {"storage": {"connection_string": connection_string(port)}}}
        server = start(storage, accounts=broken)
        assert readiness(server) == NOT_READY
        assert server.client.get(server.url + "/livez").json() == {
            "status": "ok",
            "version": version("spatial-data-proxy"),
        }


def test_what_storage_refuses_of_a_caller_is_the_callers_mistake(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(storage)
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
    assert readiness(server) == READY
    assert server.client.post(url, params=asked | {"dataLocation": f"{storage.blobs.url}c/a"}).status_code == 201


def test_tables_are_created_when_storage_returns(storage: Storage, start: StartServer) -> None:
    with Hop.before(storage) as hop:
        entry = {storage.account: {"storage": {"connection_string": hop.connection_string}}}
        hop.mode = Mode.REFUSE
        server = start(storage, accounts=entry, jobs_table=f"late{uuid4().hex[:12]}")
        assert server.get("Dataflows/ListJobs").status_code == 503
        hop.mode = Mode.WELL
        wait_for(lambda: server.get("Dataflows/ListJobs").status_code == 200)
        assert readiness(server) == READY
