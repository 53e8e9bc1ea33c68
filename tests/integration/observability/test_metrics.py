"""The metrics of a server as Prometheus gets them, from one process and from several."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from proxy.demo.azurite import Emulator
from proxy.observability.metrics.catalog import METRICS, MetricType
from tests.support.fault_proxy import Mode
from tests.support.live import MASTER, NO_TLS
from tests.support.processes import ROOT, environment, settings_of
from tests.support.processes import serving as process_serving
from tests.support.scrape import Metrics, scrape, scrape_until
from tests.support.serve_command import Served, free_port, serving
from tests.support.storage import Storage
from tests.support.two_accounts import SICK, TwoAccounts

SUFFIXES = {MetricType.COUNTER: {"_total"}, MetricType.GAUGE: {""}, MetricType.HISTOGRAM: {"_bucket", "_sum", "_count"}}
EXPIRED, EXPIRING = "expired-key", "expiring-key"


@dataclass(frozen=True)
class Asked:
    """A server that has been asked some things, and what its metrics then said."""

    server: Served
    metrics: Metrics
    job: str
    account: str


@contextmanager
def asked(storage: Storage, folder: Path, workers: int) -> Iterator[Asked]:
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
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TMPDIR", str(folder))
            server = stack.enter_context(serving(storage, keyring_file=file, metrics_port=port, workers=workers))
        while workers > 1 and len(list(folder.glob("metrics-*/counter_*.db"))) < workers:
            time.sleep(0.05)  # a process that begins with a broken ring does not begin
        status = f"Dataflows/LoadDataSource/{job}"
        for _ in range(10):
            assert server.get(status).status_code == 200
        assert server.get(f"Dataflows/LoadDataSource/{'0' * 32}").status_code == 404
        assert server.get("Dataflows/ListJobs").status_code == 200
        for key in ("wrong", EXPIRED):
            assert server.get("Dataflows/ListJobs", key).status_code == 401
        assert server.get("Nowhere").status_code == 404
        file.write_text("{")

        def complete(found: Metrics) -> bool:
            return (
                found.value("ring_reloads_total", outcome="refused") == workers
                and found.value("jobs", account=storage.account) == 2
            )

        yield Asked(server, scrape_until(port, complete), job, storage.account)


@pytest.fixture(scope="module", params=[1, 2], ids=["one process", "two processes"])
def seen(
    request: pytest.FixtureRequest, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Asked]:
    """Such a server, of one process and of two."""
    with (
        Storage.open(emulator, f"account-{uuid4().hex[:12]}") as storage,
        asked(storage, tmp_path_factory.mktemp("ring"), request.param) as found,
    ):
        yield found


def test_requests_are_counted_by_operation_status_and_account(seen: Asked) -> None:
    value = seen.metrics.value
    assert value("requests_total", operation="job status", status="200", account=seen.account) == 10
    assert value("requests_total", operation="job status", status="404", account=seen.account) == 1
    assert value("requests_total", operation="job list", status="401", account="none") == 2
    assert value("requests_total", operation="none", status="404", account="none") == 1
    assert value("request_seconds_count", operation="job status") == 11


def test_reads_are_remembered_or_of_storage(seen: Asked) -> None:
    value = seen.metrics.value
    # Each process reads the job once, and so does the census the list.
    assert value("reads_total", account=seen.account, source="remembered") >= 8
    assert value("reads_total", account=seen.account, source="storage") >= 2
    assert value("storage_calls_total", account=seen.account, service="table", call="read") >= 3
    assert value("storage_calls_total", account=seen.account, service="table", call="list") >= 1
    assert value("storage_call_seconds_count", service="table") >= 4
    assert value("storage_errors_total") == 0


def test_refused_keys_links_rows_and_rings_are_counted(seen: Asked) -> None:
    value = seen.metrics.value
    assert value("authentication_failures_total", code="InvalidCredentials") == 1
    assert value("authentication_failures_total", code="CredentialsExpired") == 1
    assert value("authentication_failures_total", code="NoCredentials") == 0
    assert 1 <= value("signed_links_total", account=seen.account) <= 2
    assert 1 <= value("malformed_rows_total", account=seen.account) <= 2
    assert value("ring_reloads_total", outcome="taken") == 0


def test_jobs_keys_and_queues_are_counted(seen: Asked) -> None:
    value = seen.metrics.value
    assert value("jobs", account=seen.account, state="Completed", age="1d") == 1
    assert value("jobs", account=seen.account, state="Pending", age="1d") == 1
    assert value("jobs", account=seen.account, state="Aborted") == 0
    assert 3000 < value("oldest_pending_job_seconds", account=seen.account) < 4000
    assert value("keys", account=seen.account, state="valid") == 2
    assert value("keys", account=seen.account, state="expired") == 1
    assert value("next_key_end_timestamp_seconds", account=seen.account) == 7_226_582_400
    assert value("account_broken", account=seen.account) == 0
    assert value("queue_messages", account=seen.account) == 0
    assert abs(time.time() - value("census_timestamp_seconds", account=seen.account)) < 60


def test_what_is_shown_is_the_table_and_all_of_it(seen: Asked) -> None:
    table = {
        each.name + suffix: frozenset(each.labels) | ({"le"} if suffix == "_bucket" else set())
        for each in METRICS
        if not each.worker
        for suffix in SUFFIXES[each.kind]
    }
    shown = {name: labels for name, labels in seen.metrics.labels().items() if name.startswith("spatial_proxy_")}
    # No fault has been met yet, and the needs of loads are looked at after a minute for the first time.
    later = {"spatial_proxy_storage_errors_total", "spatial_proxy_load_need"}
    at_once = {name: {labels} for name, labels in table.items() if name not in later}
    assert {name: labels for name, labels in shown.items() if name not in later} == at_once


def test_no_label_holds_a_path_an_id_or_a_key(seen: Asked) -> None:
    words = " ".join(seen.metrics.words())
    for secret in (seen.job, MASTER, EXPIRED, "wrong", "Coffee", "/", "AccountKey"):
        assert secret not in words


def test_storage_errors_are_counted_by_account_and_kind(account: Storage) -> None:
    port = free_port()
    settings = {"metrics_port": port, "storage_timeout": 1, "pending_ttl": 0}
    with TwoAccounts.open(account) as two:
        with process_serving(**two.settings | settings) as server:
            server.wait_until_ready()
            two.hop.mode = Mode.FORBID
            url = f"{server.url}/REST/v1/{two.paths[0]}?key={SICK}"
            assert {httpx.get(url, verify=NO_TLS).status_code for _ in range(8)} == {503}
            found = scrape(port)
        assert found.value("storage_errors_total", account=two.sick.account, service="table", kind="refused") >= 5
        assert found.value("storage_errors_total", account=two.sick.account, kind="held back") >= 1
        assert found.value("storage_errors_total", account=two.well.account) == 0
        assert found.value("requests_total", account=two.sick.account, status="503") == 8


def test_without_a_port_nothing_of_metrics_or_traces_is_imported(account: Storage) -> None:
    code = (
        "import sys\nfrom proxy.server.app import app_from_environment\napp_from_environment()\n"
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


def test_a_port_that_is_taken_ends_the_start_with_one_line(account: Storage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for command in ("serve", "worker"):
            settings = settings_of(account) | {"host": "127.0.0.1", "port": free_port(), "metrics_port": port}
            run = subprocess.run(
                [sys.executable, "-m", "proxy", command],
                check=False,
                cwd=ROOT,
                env=environment(**settings),
                capture_output=True,
                text=True,
                timeout=30,
            )
            assert run.returncode == 1
            assert run.stderr.splitlines()[-1].startswith("PROXY_HOST, PROXY_METRICS_PORT: can't listen on 127.0.0.1:")
            assert "Traceback" not in run.stderr


def test_counts_outlive_a_process_and_their_folder_goes_with_the_server(
    account: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with serving(account, metrics_port=port, workers=2) as server:
        for _ in range(6):
            server.get("Dataflows/ListJobs")
        assert scrape(port).value("requests_total", operation="job list") == 6
        (folder,) = tmp_path.glob("metrics-*")
        process = int(next(folder.glob("counter_*.db")).stem.split("_")[1])
        os.kill(process, signal.SIGKILL)
        assert server.get("Dataflows/ListJobs").status_code == 200
        assert scrape(port).value("requests_total", operation="job list") == 7
    assert list(tmp_path.glob("metrics-*")) == []
