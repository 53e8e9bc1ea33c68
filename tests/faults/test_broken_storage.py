"""A storage account that hangs, refuses or talks nonsense, beside one that is well."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from tests.conftest import StartServer
from tests.contract.stand_ins import Serve, Wire, connection_string, hang, hang_up, listening, saying
from tests.live import LiveServer
from tests.storage import Storage

TIMEOUT = 1.0

FAULTS: dict[str, Serve] = {
    "hangs": hang,
    "hangs up": hang_up,
    "throttles": saying("503 Server Busy", b"", "Retry-After: 30"),
    "forbids": saying("403 Forbidden", b""),
    "garbles": saying("200 OK", b"\x00\xff not JSON"),
    "cuts short": saying("200 OK", b'{"RowKey":"0', cut=50),
}
JOB = "Dataflows/LoadDataSource/019c0000000070008000000000000001"


@contextmanager
def _beside(storage: Storage, start: StartServer, serve: Serve) -> Iterator[tuple[LiveServer, list[float]]]:
    connections: list[float] = []

    def counted(connected: object) -> None:
        connections.append(time.monotonic())
        serve(connected)  # type: ignore[arg-type]  # the socket that it was given

    with listening(counted) as port:
        broken = {"storage": {"connection_string": connection_string(port)}}
        yield (
            start(
                storage,
                accounts={"broken": broken},
                keys={"broken-key": {"account": "broken"}},
                storage_timeout=TIMEOUT,
            ),
            connections,
        )


@pytest.mark.parametrize("fault", FAULTS)
def test_each_request_is_answered_in_time_and_the_other_account_does_not_notice(
    storage: Storage, start: StartServer, fault: str
) -> None:
    job_id = storage.job(status="Pending")
    with _beside(storage, start, FAULTS[fault]) as (server, connections):
        for _ in range(8):
            started = time.monotonic()
            answer = server.get(JOB, "broken-key")
            assert time.monotonic() - started < TIMEOUT + 0.5
            assert (answer.status_code, answer.headers["Retry-After"], answer.json()["resourceSets"]) == (503, "2", [])
        started = time.monotonic()
        assert server.get(f"Dataflows/LoadDataSource/{job_id}").status_code == 200
        assert time.monotonic() - started < 0.5
        before = len(connections)
        for _ in range(100):
            assert server.get(JOB, "broken-key").status_code == 503
        assert len(connections) - before < 20  # probed, not hammered


def test_a_finished_job_that_is_remembered_outlives_a_fault_and_what_ends_with_it_is_noticed_soon(
    storage: Storage, start: StartServer
) -> None:
    wire, job_id = Wire(storage, "Table"), storage.job()
    pending = storage.job(status="Pending")
    with wire.connection_string() as text:
        entry = {storage.account: {"storage": {"connection_string": text}}}
        server = start(storage, accounts=entry, storage_timeout=TIMEOUT, finished_ttl=0.2, pending_ttl=0.2)
        path = f"Dataflows/LoadDataSource/{job_id}"
        assert [server.get(each).status_code for each in (path, f"Dataflows/LoadDataSource/{pending}")] == [200, 200]
        time.sleep(0.3)
        wire.delay = 3
        for _ in range(6):
            started = time.monotonic()
            assert server.get(f"Dataflows/LoadDataSource/{pending}").status_code == 503
            assert server.get(path).status_code == 200
            assert time.monotonic() - started < 2 * (TIMEOUT + 0.5)
        wire.delay = 0
        started = time.monotonic()
        while server.get(f"Dataflows/LoadDataSource/{pending}").status_code != 200:
            assert time.monotonic() - started < 2
            time.sleep(0.05)


def test_many_who_wait_for_an_account_that_hangs_starve_nobody(storage: Storage, start: StartServer) -> None:
    job_id = storage.job(status="Pending")
    with _beside(storage, start, hang) as (server, _), ThreadPoolExecutor(50) as threads:
        waiting = [threads.submit(server.get, f"{JOB[:-3]}{number:03}", "broken-key") for number in range(400)]
        for _ in range(10):
            started = time.monotonic()
            assert server.get(f"Dataflows/LoadDataSource/{job_id}").status_code == 200
            assert time.monotonic() - started < 0.5
        assert {answer.result().status_code for answer in waiting} == {503}


def test_readiness_names_the_account_that_is_broken_and_stays_while_another_is_well(
    storage: Storage, start: StartServer
) -> None:
    with ExitStack() as stack:
        server, _ = stack.enter_context(_beside(storage, start, FAULTS["forbids"]))
        answer = server.client.get(server.url + "/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "ready")
        told = answer.json()["accounts"]
        assert told[storage.account] == "ok"
        assert told["broken"].startswith("refused: HTTP 403")
        assert "AccountKey" not in answer.text


def test_nobody_is_ready_whose_only_account_is_broken(storage: Storage, start: StartServer) -> None:
    with listening(FAULTS["forbids"]) as port:
        broken = {storage.account: {"storage": {"connection_string": connection_string(port)}}}
        server = start(storage, accounts=broken)
        answer = server.client.get(server.url + "/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
