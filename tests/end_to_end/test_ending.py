"""The end of a process that others still send requests to."""

import time
from pathlib import Path

import httpx
import pytest

from benchmarks.soak.ending import ending
from benchmarks.soak.rolling import rolling
from proxy.server.graceful_shutdown import DRAIN_SECONDS, SETTLE_SECONDS
from proxy.server.run import configuration
from proxy.settings import load_settings
from tests.support.live import MASTER
from tests.support.processes import serving, settings_of
from tests.support.storage import Storage


def test_who_was_only_asked_whether_it_is_ready_goes_on_answering_for_a_while(storage: Storage) -> None:
    job_id = storage.job()
    with serving(**settings_of(storage)) as server:
        server.wait_until_ready()
        assert httpx.get(server.url + "/readyz").status_code == 200
        server.terminate()
        server.terminate()  # as who ends a process group does
        time.sleep(0.5)
        assert httpx.get(server.url + "/readyz").json() == {"status": "not ready"}
        answer = httpx.get(f"{server.url}/REST/v1/Dataflows/LoadDataSource/{job_id}?key={MASTER}")
        assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
        assert server.end()[0] == 0


def test_no_request_is_lost_when_processes_that_share_a_port_are_told_to_end(storage: Storage) -> None:
    figures = list(ending(storage, workers=2, times=1, clients=16, seconds=0.5))
    assert [figure.line() for figure in figures if not figure.kept] == []


SLOW_TO_LOAD = """
import os, sys, time

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "proxy.server.app" and "--multiprocessing-fork" in sys.orig_argv:
            try:
                os.close(os.open(os.environ["FIRST_TO_LOAD"], os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                time.sleep(60)

sys.meta_path.insert(0, Slow())
"""


def test_no_request_is_lost_when_one_of_the_processes_still_loads(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW_TO_LOAD)
    monkeypatch.setenv("FIRST_TO_LOAD", str(tmp_path / "first"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    figures = list(ending(storage, workers=2, times=1, clients=16, seconds=0.5))
    assert (tmp_path / "first").exists()
    assert [figure.line() for figure in figures if not figure.kept] == []


def test_no_request_is_lost_when_servers_behind_a_load_balancer_are_restarted_in_turn(storage: Storage) -> None:
    figures = list(rolling(storage, requests=1_500))
    assert [figure.line() for figure in figures if not figure.kept] == []


def test_all_that_an_end_may_wait_for_takes_less_than_ten_seconds() -> None:
    waits = configuration("none:none", load_settings(keyring="{}")).timeout_graceful_shutdown
    assert waits is not None
    supervisor, ticks = 0.5, 0.5
    assert supervisor + DRAIN_SECONDS + SETTLE_SECONDS + waits + ticks < 9.5
