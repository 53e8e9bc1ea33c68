"""The metrics of a server as Prometheus gets them."""

import json
import math
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from proxy.demo.azurite import Emulator
from proxy.version import VERSION
from tests.support.fault_proxy import Mode
from tests.support.live import MASTER, NO_TLS
from tests.support.metric_table import METRICS, SUFFIXES
from tests.support.processes import ROOT, environment, free_port, settings_of
from tests.support.processes import serving as process_serving
from tests.support.scrape import Metrics, scrape, scrape_until
from tests.support.serve_command import Served, serving
from tests.support.storage import Storage
from tests.support.two_accounts import SICK, TwoAccounts

pytestmark = pytest.mark.slow

EXPIRED, EXPIRING = "expired-key", "expiring-key"


@dataclass(frozen=True)
class Scenario:
    """A server that has answered some requests, and its metrics afterwards."""

    server: Served
    metrics: Metrics
    job: str
    account: str
    scraped_at: float


@contextmanager
def run_scenario(storage: Storage, folder: Path) -> Iterator[Scenario]:
    """Asks a server in front of some jobs for what there is, and for what there is not."""
    job = storage.job(DataSourceName="Coffee", AccessId="a" * 32, OutputBlob="exports/coffee.xml")
    storage.job(status="Running", DataSourceName="Coffee")
    storage.job("NoSuchType", DataSourceName="Coffee")
    ring = {
        "accounts": {storage.account: {"storage": {"connection_string": storage.connection_string}}},
        "keys": {
            MASTER: {"account": storage.account},
            EXPIRED: {"account": storage.account, "expires": "2020-01-01T00:00:00Z"},
            EXPIRING: {"account": storage.account, "expires": "2199-01-01T00:00:00Z"},
        },
    }
    file, port = folder / "ring.json", free_port()
    file.write_text(json.dumps(ring))
    with serving(storage, keyring_file=file, metrics_port=port) as server:
        for _ in range(10):
            assert server.get(f"Dataflows/LoadDataSource/{job}").status_code == 200
        assert server.get(f"Dataflows/LoadDataSource/{'0' * 32}").status_code == 404
        assert server.get("Dataflows/ListJobs").status_code == 200
        for key in ("wrong", EXPIRED):
            assert server.get("Dataflows/ListJobs", key).status_code == 401
        assert server.get("Nowhere").status_code == 404
        (folder / "broken").write_text("{")
        (folder / "broken").replace(file)  # in one step: an empty file would be another broken one

        def is_complete(found: Metrics) -> bool:
            refused = found.value("keyring_reloads_total", result="failure")
            has_inventory = "spatial_proxy_maps_day_share" in found.labels()  # its last gauge
            return refused == 1 and has_inventory and found.value("jobs", account=storage.account) == 2

        yield Scenario(server, scrape_until(port, is_complete), job, storage.account, time.time())


@pytest.fixture(scope="module")
def scenario(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """One such server for all tests of this file."""
    with (
        Storage.open(emulator, f"account-{uuid4().hex[:12]}") as storage,
        run_scenario(storage, tmp_path_factory.mktemp("ring")) as found,
    ):
        yield found


def test_requests_are_counted_by_operation_status_and_account(scenario: Scenario) -> None:
    value = scenario.metrics.value
    assert value("requests_total", operation="job_status", status="200", account=scenario.account) == 10
    assert value("requests_total", operation="job_status", status="404", account=scenario.account) == 1
    assert value("requests_total", operation="job_list", status="401", account="none") == 2
    assert value("requests_total", operation="none", status="404", account="none") == 1
    assert value("request_duration_seconds_count", operation="job_status") == 11
    assert value("build_info", version=VERSION) == 1


def test_cache_lookups_and_storage_requests_are_counted(scenario: Scenario) -> None:
    value = scenario.metrics.value
    assert value("job_cache_lookups_total", account=scenario.account, result="hit") >= 8
    assert value("job_cache_lookups_total", account=scenario.account, result="miss") >= 2
    assert value("storage_requests_total", account=scenario.account, service="table", call="read") >= 3
    assert value("storage_requests_total", account=scenario.account, service="table", call="list") >= 1
    assert value("storage_call_duration_seconds_count", service="table") >= 4
    assert value("storage_errors_total") == 0


def test_a_server_without_a_key_store_shows_no_age_of_it(scenario: Scenario) -> None:
    assert math.isnan(scenario.metrics.value("key_store_age_seconds"))
    assert math.isnan(scenario.metrics.value("key_cache_entries"))


def test_refused_keys_links_rows_and_rings_are_counted(scenario: Scenario) -> None:
    value = scenario.metrics.value
    assert value("authentication_failures_total", code="InvalidCredentials") == 1
    assert value("authentication_failures_total", code="CredentialsExpired") == 1
    assert value("authentication_failures_total", code="NoCredentials") == 0
    assert value("signed_links_total", account=scenario.account) == 1
    assert value("malformed_rows_total", account=scenario.account) == 1
    assert value("keyring_reloads_total", result="success") == 0


def test_jobs_keys_and_queues_are_counted(scenario: Scenario) -> None:
    value = scenario.metrics.value
    assert value("jobs", account=scenario.account, state="Completed", age="1d") == 1
    assert value("jobs", account=scenario.account, state="Pending", age="1d") == 1
    assert value("keys", account=scenario.account, state="expired") == 1
    assert value("next_key_expiry_timestamp_seconds", account=scenario.account) == 7_226_582_400
    assert value("account_up", account=scenario.account) == 1
    assert value("queue_messages", account=scenario.account) == 0
    assert 0 <= scenario.scraped_at - value("inventory_last_success_timestamp_seconds", account=scenario.account) < 600


def test_the_port_shows_the_whole_table_and_nothing_else(scenario: Scenario) -> None:
    table = {
        each.name + suffix: {frozenset(each.labels) | ({"le"} if suffix == "_bucket" else set())}
        for each in METRICS
        if not each.is_workers
        for suffix in SUFFIXES[each.type]
    }
    shown = {name: labels for name, labels in scenario.metrics.labels().items() if name.startswith("spatial_proxy_")}
    # No fault has been met yet, the needs of loads are probed after a minute for the first time, nothing geocodes, and
    # there is no shadow.
    geocoding = {name for name in table if name.startswith("spatial_proxy_maps_")} - {"spatial_proxy_maps_day_share"}
    for later in (
        "spatial_proxy_storage_errors_total",
        "spatial_proxy_load_need",
        "spatial_proxy_shadows_total",
        *geocoding,
    ):
        shown.pop(later, None)
        del table[later]
    assert shown == table


def test_no_label_holds_a_path_an_id_or_a_key(scenario: Scenario) -> None:
    words = " ".join(scenario.metrics.words())
    for secret in (scenario.job, MASTER, EXPIRED, "wrong", "Coffee", "/", "AccountKey"):
        assert secret not in words


def test_storage_errors_are_counted_by_account_and_reason(account: Storage) -> None:
    port = free_port()
    settings = {"metrics_port": port, "storage_timeout": 20, "pending_ttl": 0}
    with TwoAccounts.open(account) as two:
        with process_serving(**two.settings | settings) as server:
            server.wait_until_ready()
            two.hop.mode = Mode.FORBID
            url = f"{server.url}/REST/v1/{two.paths[0]}?key={SICK}"
            asked = 0

            def is_rejected(found: Metrics) -> bool:
                nonlocal asked
                asked += 1
                assert httpx.get(url, verify=NO_TLS, timeout=60).status_code == 503
                return found.value("storage_errors_total", account=two.sick.account, reason="rejected") >= 1

            scrape_until(port, is_rejected)
            found = scrape(port)
        sick = {"account": two.sick.account, "service": "table"}
        assert found.value("storage_errors_total", **sick, reason="access_denied") >= 5
        assert found.value("storage_errors_total", **sick, reason="rejected") >= 1
        assert found.value("storage_errors_total", account=two.well.account) == 0
        assert found.value("requests_total", account=two.sick.account, status="503") == asked


def test_without_a_port_nothing_of_metrics_or_traces_is_imported(account: Storage) -> None:
    code = (
        "import sys\nimport proxy.cli.worker, proxy.server.run\n"
        "from proxy.observability.setup import build_telemetry\nfrom proxy.settings import load_settings\n"
        "build_telemetry(load_settings())\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('prometheus_client', 'opentelemetry')])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=ROOT,
        env=environment(**settings_of(account)),
        capture_output=True,
        text=True,
    )
    assert run.stdout == "[]\n", run.stderr


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_port_that_is_taken_ends_the_start_with_one_line(command: str, account: Storage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = settings_of(account) | {"port": free_port(), "metrics_port": taken.getsockname()[1]}
        run = subprocess.run(
            [sys.executable, "-m", "proxy", command],
            check=False,
            cwd=ROOT,
            env=environment(**settings),
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith("PROXY_HOST, PROXY_METRICS_PORT: can't listen on 127.0.0.1:")
    assert "Traceback" not in run.stderr
