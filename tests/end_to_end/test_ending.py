"""The end of a process that clients still send requests to."""

import time

import httpx
import pytest

from benchmarks.soak.ending import ending
from proxy.server.graceful_shutdown import DRAIN_SECONDS, SETTLE_SECONDS
from proxy.server.run import uvicorn_config
from proxy.settings import load_settings
from tests.support.live import MASTER, NO_TLS
from tests.support.processes import ServerProcess, serving, settings_of
from tests.support.storage import Storage

SECONDS = 20


def ask(server: ServerProcess, target: str) -> httpx.Response:
    return httpx.get(server.url + target, timeout=SECONDS, verify=NO_TLS)


@pytest.mark.slow
def test_after_a_readiness_probe_a_server_drains_before_it_ends(storage: Storage) -> None:
    """Where the machine stops for as long as a server drains, the end shows nothing, and another one is looked at."""
    job_id = storage.job()
    while True:
        with serving(**settings_of(storage) | {"storage_timeout": SECONDS}) as server:
            server.wait_until_ready()
            assert ask(server, "/readyz").status_code == 200
            server.terminate()
            server.terminate()  # as a signal to a process group does
            terminated = time.monotonic()
            try:
                while (answer := ask(server, "/readyz")).status_code == 200:
                    time.sleep(0.05)
                assert answer.json() == {"status": "not ready"}
                answer = ask(server, f"/REST/v1/Dataflows/LoadDataSource/{job_id}?key={MASTER}")
            except httpx.TransportError:
                assert time.monotonic() > terminated + DRAIN_SECONDS - 0.5
                continue
            assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
            assert server.end()[0] == 0
            return


@pytest.mark.slow
def test_a_signal_that_comes_while_a_server_starts_ends_it(storage: Storage) -> None:
    with serving(**settings_of(storage)) as server:
        assert server.process.stderr is not None
        assert "listening on" in server.process.stderr.readline()  # uvicorn's own handlers are not there yet
        server.terminate()
        assert server.end()[0] == 0


@pytest.mark.slow
def test_sigterm_under_load_loses_no_request(storage: Storage) -> None:
    figures = list(ending(storage, times=1, clients=16, seconds=0.5, timeout=20, ends_within=60))
    assert [figure.line() for figure in figures if not figure.kept] == []


def test_the_waits_of_an_end_sum_to_less_than_ten_seconds() -> None:
    graceful = uvicorn_config("none:none", load_settings(keyring="{}")).timeout_graceful_shutdown
    assert graceful is not None
    ticks = 0.5
    assert DRAIN_SECONDS + SETTLE_SECONDS + graceful + ticks < 9.5
