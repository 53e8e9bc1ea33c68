"""Queries as their operator sees them: log lines, metrics and traces, without a value of a query in any."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from proxy.demo.maps.stand_in import KEY, start_stand_in
from tests.support.geocoding import KEY_VARIABLE, maps_account
from tests.support.live import MASTER, NO_TLS
from tests.support.processes import free_port
from tests.support.queries import SHOPS, load, stores
from tests.support.scrape import Metrics, scrape
from tests.support.serve_command import Served, serving
from tests.support.storage import BUSY_SECONDS, Storage
from tests.support.stored_jobs import ACCESS_ID
from tests.support.trace_collector import Span, collecting

# Each is personal data where a page sends the place or the name of its visitor.
SECRETS = ("12.3456", "54.3210", "Baker Street", "Yliopistonkatu", KEY, "visitor-7", "cbvisitor", "state-of-visitor")
OPERATION = "query_data_source"
REQUESTS = [
    ("Stores?spatialFilter=nearby(12.3456,54.3210,5)", 200),
    ("Stores?spatialFilter=nearby('221B Baker Street',5)", 400),
    ("Stores?spatialFilter=nearby('55 Yliopistonkatu',5)", 200),
    ("Stores?spatialFilter=intersects('POINT(12.3456 54.3210)')&$format=json&jsonp=cbvisitor", 200),
    ("Stores?$select=intersection('POINT(12.3456 Baker Street')", 400),
    ("Stores?$filter=Note eq 'visitor-7'&jsonp=cbvisitor&jsonso=state-of-visitor", 200),
    ("Stores?$filter=visitor-7 eq", 400),
    ("Stores('visitor-7')", 404),
    ("visitor-7", 404),
]


@dataclass(frozen=True)
class Seen:
    """What a server showed of some queries."""

    log: str
    metrics: Metrics
    spans: list[Span]
    account: str

    def lines(self) -> list[dict[str, object]]:
        """The lines of requests."""
        lines = [json.loads(line) for line in self.log.splitlines()]
        return [line for line in lines if line.get("operation") == OPERATION and "status" in line]


def ask(server: Served, request: str) -> int:
    path = quote(f"/REST/v1/data/{ACCESS_ID}/{SHOPS}/{request}", safe="/?&=$'(),")
    return httpx.get(
        f"{server.url}{path}{'&' if '?' in path else '?'}key={MASTER}", timeout=30, verify=NO_TLS
    ).status_code


@pytest.fixture(scope="module")
def seen(shared_storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """The log, the metrics and the traces of a server that answered REQUESTS."""
    load(shared_storage, stores("a"))
    port = free_port()
    with collecting() as collector, start_stand_in() as maps, pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, KEY)
        accounts = {shared_storage.account: maps_account(shared_storage, maps.url)}
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("observed")))
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        chosen: dict[str, Any] = {"metrics_port": port, "log_level": "debug", "storage_timeout": BUSY_SECONDS}
        with serving(shared_storage, accounts=accounts, **chosen) as server:
            assert [ask(server, request) for request, _ in REQUESTS] == [status for _, status in REQUESTS]
            metrics = scrape(port)
            spans = collector.until(lambda found: queries_in(found) == len(REQUESTS))
        yield Seen(server.log(), metrics, spans, shared_storage.account)


def queries_in(spans: list[Span]) -> int:
    return sum(span.name == OPERATION for span in spans)


@pytest.mark.slow
def test_each_query_has_a_line_with_its_operation_and_its_storage_calls(seen: Seen) -> None:
    lines = seen.lines()
    assert [line["status"] for line in lines] == [status for _, status in REQUESTS]
    paths = {str(line["path"]) for line in lines}
    assert paths == {f"/REST/v1/data/{ACCESS_ID}/.../...?key=***"}
    assert all(line["account"] == seen.account and line["storage_calls"] for line in lines)


@pytest.mark.slow
def test_no_value_of_a_query_is_logged_counted_or_traced(seen: Seen) -> None:
    shown = [seen.log, *seen.metrics.words(), *(f"{span.name} {span.attributes}" for span in seen.spans)]
    for secret in (*SECRETS, MASTER):
        assert not [text for text in shown if secret in text]


@pytest.mark.slow
def test_queries_and_fetches_are_counted(seen: Seen) -> None:
    value = seen.metrics.value
    for status in (200, 400, 404):
        expected = sum(each == status for _, each in REQUESTS)
        counted = value("requests_total", operation=OPERATION, status=str(status), account=seen.account)
        assert counted == expected
    assert value("request_duration_seconds_count", operation=OPERATION) == len(REQUESTS)
    assert value("query_version_fetch_duration_seconds_count") == 1
    assert value("query_version_fetch_duration_seconds_sum") > 0
    assert value("maps_items_total", account=seen.account, outcome="asked") == 2
    assert value("maps_items_total", account=seen.account, outcome="answered") == 2
    assert value("maps_call_duration_seconds_count", operation="geocode") == 2
    assert value("storage_requests_total", account=seen.account, service="blob", call="read") >= 1


@pytest.mark.slow
def test_the_span_of_a_query_has_its_storage_calls(seen: Seen) -> None:
    first, *others = [span for span in seen.spans if span.name == OPERATION]
    calls = [span.name for span in seen.spans if span.parent == first.id]
    assert sorted({*calls}) == ["blob read", "table read"]
    for other in others:
        assert [span.name for span in seen.spans if span.parent == other.id] == ["table read"]


def libraries(server: Served) -> set[str]:
    """Which of the engine's libraries a process has in memory."""
    maps = Path(f"/proc/{server.process.pid}/maps").read_text(encoding="utf-8")
    return {name for name in ("pyarrow", "shapely", "numpy") if f"/{name}" in maps}


@pytest.mark.slow
def test_a_server_that_never_queries_loads_no_engine(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(storage, stores("a"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with serving(storage, storage_timeout=BUSY_SECONDS) as server:
        for path in ("Dataflows/ListJobs", f"Dataflows/LoadDataSource/{storage.job()}", "data", f"data/{ACCESS_ID}"):
            assert server.get(path).status_code in {200, 404}
        assert server.get(f"data/{ACCESS_ID}/{SHOPS}/Stores", "unheard-of").status_code == 401
        assert libraries(server) == set()
        assert not list(tmp_path.iterdir())
        assert server.get(f"data/{ACCESS_ID}/{SHOPS}/Stores").status_code == 200
        assert libraries(server) == {"pyarrow", "shapely", "numpy"}
