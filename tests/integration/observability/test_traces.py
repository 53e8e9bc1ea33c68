"""The traces of a server, as a collector gets them."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest
from azure.data.tables import TableClient

from tests.support.live import MASTER, NO_TLS
from tests.support.processes import ROOT, environment, free_port, settings_of
from tests.support.serve_command import Served, serving
from tests.support.storage import Storage
from tests.support.stub_servers import closed_port
from tests.support.trace_collector import Collector, Span, collecting

pytestmark = pytest.mark.slow

SERVER, CLIENT = 2, 3
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "50"}
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture(scope="module")
def traced(account: Storage) -> Iterator[tuple[Served, Collector]]:
    """A server that sends its traces to a collector."""
    with collecting() as collector, pytest.MonkeyPatch.context() as patch:
        # The headers are no list of names and values.
        variables = SOON | {ENDPOINT: collector.endpoint, "OTEL_EXPORTER_OTLP_HEADERS": "x-team:collector-token"}
        for name, value in variables.items():
            patch.setenv(name, value)
        with serving(account) as server:
            yield server, collector


def asked(server: Served, collector: Collector, path: str, key: str = MASTER, **headers: str) -> tuple[str, list[Span]]:
    """Asks once; gives the traceId of the answer, and the spans of that request: its own one first."""
    url = f"{server.url}/REST/v1/{path}?key={key}"
    answer = httpx.get(url, headers=headers, timeout=120, verify=NO_TLS)
    trace_id = answer.json()["traceId"]

    def own(spans: list[Span]) -> list[Span]:
        return [each for each in spans if each.attributes.get("traceId") == trace_id]

    (request,) = own(collector.until(lambda spans: bool(own(spans))))
    return trace_id, [request, *(each for each in collector.spans if each.parent == request.id)]


def test_a_request_and_each_of_its_calls_of_storage_are_spans(
    traced: tuple[Served, Collector], account: Storage
) -> None:
    job = account.job(DataSourceName="Coffee")
    trace_id, (request, *calls) = asked(*traced, f"Dataflows/LoadDataSource/{job}")
    assert (request.name, request.kind, request.failed) == ("job_status", SERVER, False)
    assert request.attributes == {
        "traceId": trace_id,
        "http.request.method": "GET",
        "http.response.status_code": "200",
        "url.path": f"/REST/v1/Dataflows/LoadDataSource/{job}?key=***",
        "account": account.account,
        "cache_hit": "False",
    }
    (call,) = calls
    assert (call.name, call.kind, call.failed) == ("table read", CLIENT, False)
    assert call.attributes == {"account": account.account, "storage.service": "table", "storage.call": "read"}
    assert call.trace == request.trace
    assert 0 < call.seconds < request.seconds


def test_a_cached_response_is_a_span_without_calls(traced: tuple[Served, Collector], account: Storage) -> None:
    path = f"Dataflows/LoadDataSource/{account.job(DataSourceName='Coffee')}"
    first, _ = asked(*traced, path)
    again, (request, *calls) = asked(*traced, path)
    assert first != again
    assert (request.name, request.attributes["cache_hit"], calls) == ("job_status", "True", [])
    assert request.seconds > 0


def test_a_request_is_part_of_its_callers_trace(traced: tuple[Served, Collector], account: Storage) -> None:
    path = f"Dataflows/LoadDataSource/{account.job(DataSourceName='Coffee')}"
    for _ in range(2):  # of storage, and from memory
        _, (request, *_) = asked(*traced, path, traceparent=PARENT)
        assert (request.trace, request.parent) == tuple(PARENT.split("-")[1:3])
    _, (other, *_) = asked(*traced, path)
    assert (other.trace, other.parent) != (PARENT.split("-")[1], PARENT.split("-")[2])
    assert other.parent == ""


@pytest.mark.parametrize("nonsense", ["", "00-zz", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "x" * 5000])
def test_a_parent_that_is_none_is_no_parent(traced: tuple[Served, Collector], nonsense: str) -> None:
    _, (request, *_) = asked(*traced, "Dataflows/ListJobs", traceparent=nonsense)
    assert request.parent == ""


def test_a_refused_request_is_a_span_with_its_error(traced: tuple[Served, Collector]) -> None:
    _, (request, *calls) = asked(*traced, "Dataflows/ListJobs", "wrong-key")
    assert (request.attributes["error.type"], request.attributes["http.response.status_code"]) == ("UNKNOWN_KEY", "401")
    assert (request.failed, calls) == (False, [])


def test_no_span_holds_a_key_a_link_or_a_url_of_storage(traced: tuple[Served, Collector], account: Storage) -> None:
    server, collector = traced
    job = account.job(DataSourceName="Coffee", OutputBlob=account.export())
    asked(server, collector, f"Dataflows/LoadDataSource/{job}")
    asked(server, collector, "Dataflows/ListJobs")
    for secret in (MASTER, "sig=", "wrong-key", "127.0.0.1", account.table_name, "AccountKey"):
        assert secret.encode() not in collector.raw
    assert collector.resource["service.name"] == "spatial-data-proxy"


def test_no_line_of_the_log_repeats_a_header(traced: tuple[Served, Collector]) -> None:
    server, _ = traced
    asked(*traced, "Dataflows/ListJobs", traceparent=PARENT, baggage="the-clients-word" * 600)
    asked(*traced, "Dataflows/ListJobs", traceparent=PARENT, baggage="the-clients-word", tracestate="the-clients-word")
    assert "the-clients-word" not in server.log()
    assert "collector-token" not in server.log()


def test_a_failing_call_of_storage_is_marked(account: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        for name, value in (SOON | {ENDPOINT: collector.endpoint, "OTEL_SERVICE_NAME": "maps"}).items():
            monkeypatch.setenv(name, value)
        missing = f"{account.table_name}no"
        with serving(account, jobs_table=missing) as server:
            with TableClient.from_connection_string(account.connection_string, missing) as table:
                table.delete_table()
            _, (request, call, *_) = asked(server, collector, f"Dataflows/LoadDataSource/{'0' * 31}1")
    assert (request.failed, request.attributes["error.type"]) == (True, "STORAGE_UNAVAILABLE")
    assert (call.failed, call.attributes["error.type"]) == (True, "no table")
    assert collector.resource["service.name"] == "maps"


def test_a_collector_that_is_away_holds_up_nobody(account: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    with closed_port() as port:
        for name, value in (SOON | {ENDPOINT: f"http://127.0.0.1:{port}"}).items():
            monkeypatch.setenv(name, value)
        with serving(account) as server:
            for _ in range(3):
                assert server.get("Dataflows/ListJobs").status_code == 200
            time.sleep(0.3)
            began = time.monotonic()
        assert time.monotonic() - began < 30  # the exporter alone would try for a minute
    assert MASTER not in server.log()
    assert re.search("Traceback", server.log()) is None


def test_a_variable_that_its_import_does_not_take_ends_the_start_with_one_line(account: Storage) -> None:
    variables = environment(**settings_of(account) | {"port": free_port()})
    run = subprocess.run(
        [sys.executable, "-m", "proxy", "serve"],
        check=False,
        cwd=ROOT,
        env=variables | {"OTEL_PROPAGATORS": "b3", ENDPOINT: "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 1
    assert "OTEL_" in run.stderr.splitlines()[-1]
    assert "Traceback" not in run.stderr
