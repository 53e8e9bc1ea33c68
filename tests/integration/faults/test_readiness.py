"""Whether a process is ready while a part of storage fails, and what that costs storage."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import pytest

from tests.conftest import StartServer
from tests.support.fault_proxy import Mode
from tests.support.live import MASTER, LiveServer, wait_for
from tests.support.storage import Storage
from tests.support.stub_servers import closed_port, connection_string, listening, saying
from tests.support.two_accounts import SICK, TwoAccounts


def readiness(server: LiveServer) -> tuple[int, dict[str, str]]:
    answer = server.client.get(server.url + "/readyz")
    return answer.status_code, answer.json()


READY, NOT_READY = (200, {"status": "ready"}), (503, {"status": "not ready"})


def test_one_healthy_account_keeps_the_process_ready(
    storage: Storage, start: StartServer, caplog: pytest.LogCaptureFixture
) -> None:
    def lines() -> list[logging.LogRecord]:
        """What was said of the second account; a stall of the machine may break the first for a moment."""
        said = [line for line in caplog.records if line.name == "proxy.api.health"]
        return [line for line in said if vars(line)["account"] == two.sick.account]

    def says(message: str) -> bool:
        return [line.getMessage() for line in lines()[-1:]] == [message]

    with TwoAccounts.open(storage) as two, caplog.at_level(logging.INFO, "proxy.api.health"):
        server = start(storage, accounts=two.accounts, keys=two.keys)
        two.hop.mode = Mode.FORBID
        assert server.get(two.paths[0], SICK).status_code == 503
        wait_for(lambda: says("the account is broken: refused: HTTP 403, AuthorizationFailure"))
        assert "credential" in vars(lines()[-1])["hint"]
        wait_for(lambda: readiness(server) == READY)
        two.hop.mode = Mode.WELL
        wait_for(lambda: says("the account is well again"))


@pytest.mark.slow
def test_readiness_requests_do_not_reach_storage(storage: Storage, start: StartServer) -> None:
    with TwoAccounts.open(storage) as two:
        accounts = {storage.account: {"storage": {"connection_string": two.hop.connection_string}}}
        server = start(storage, accounts=accounts)
        wait_for(lambda: readiness(server) == READY)
        two.hop.mode = Mode.FORBID
        assert server.get("Dataflows/ListJobs").status_code == 503  # sooner than the next probe
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
        account = {storage.account: {"storage": {"connection_string": text}}}
        server = start(storage, accounts=account, storage_timeout=20)
        storage.job(DataSourceName="Shops")
        load = server.url + "/REST/v1/Dataflows/LoadDataSource"
        asked = {"dataSourceName": "A", "loadOperation": "complete", "input": "xml", "key": MASTER}
        location = {"dataLocation": f"http://127.0.0.1:{port}/devstoreaccount1/a/b.xml"}
        with ThreadPoolExecutor(8) as threads:  # more than it takes to open a circuit breaker
            posted = [threads.submit(server.client.post, load, params=asked | location) for _ in range(8)]
            assert {each.result().status_code for each in posted} == {503}
        assert server.get("Dataflows/ListJobs").status_code == 200
        wait_for(lambda: readiness(server) == READY)


def test_a_process_without_a_working_account_is_not_ready(storage: Storage, start: StartServer) -> None:
    with listening(saying("403 Forbidden", b"")) as port:
        broken = {storage.account: {"storage": {"connection_string": connection_string(port)}}}
        server = start(storage, accounts=broken)
        assert readiness(server) == NOT_READY
        assert server.client.get(server.url + "/livez").json() == {
            "status": "ok",
            "version": version("spatial-data-proxy"),
        }
