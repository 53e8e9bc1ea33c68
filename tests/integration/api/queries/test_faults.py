"""Storage that fails, rows that can't be read, and queries that take long, beside those that do not."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from proxy.api import query
from proxy.query import shapes
from tests.integration.api.queries.conftest import StartQuerying
from tests.support.fault_proxy import Hop, Mode
from tests.support.live import WAIT_SECONDS, LiveServer, wait_for
from tests.support.processes import serving, settings_of
from tests.support.queries import SHOPS, Queries, load, stores
from tests.support.storage import BUSY_SECONDS, Storage

TIMEOUT = 1.0


def through(hop: Hop, storage: Storage) -> dict[str, Any]:
    return {"accounts": {storage.account: {"storage": {"connection_string": hop.connection_string}}}}


def is_answered(server: LiveServer, job: str, queries: Queries) -> bool:
    """Whether a poll of a job and a query of a small source are."""
    is_polled = server.get(f"Dataflows/LoadDataSource/{job}").status_code == 200
    return is_polled and queries.read("Stores").ids == ["small"]


@pytest.mark.parametrize("service", ["Table", "Blob"])
@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.HANG, Mode.RESET, Mode.FORBID, Mode.GARBLE, Mode.CUT_OFF])
def test_storage_that_fails_is_a_503_in_time(
    service: str, mode: Mode, storage: Storage, querying: StartQuerying
) -> None:
    load(storage, stores("a"))
    with Hop.before(storage, service) as hop:
        server = querying(storage, storage_timeout=TIMEOUT, **through(hop, storage))
        hop.mode = mode
        started = time.monotonic()
        answer = Queries(server).ask("Stores?$format=json")
        assert time.monotonic() - started < TIMEOUT + BUSY_SECONDS  # nobody else would end the wait
        damaged = {500} if (service, mode) == ("Blob", Mode.GARBLE) else set()
        assert answer.status in {503} | damaged
        assert answer.envelope["statusCode"] == answer.status
        assert answer.status == 500 or int(answer.headers["retry-after"]) > 0


def test_a_version_that_was_read_is_answered_while_blobs_are_away(storage: Storage, querying: StartQuerying) -> None:
    load(storage, stores("a"))
    with Hop.before(storage, "Blob") as hop:
        queries = Queries(querying(storage, **through(hop, storage)))
        assert queries.read("Stores").ids == ["a"]
        hop.mode = Mode.REFUSE
        assert queries.read("Stores").ids == ["a"]


def test_a_slow_first_fetch_is_shared_and_holds_up_nobody_else(storage: Storage, querying: StartQuerying) -> None:
    load(storage, stores("a"))
    load(storage, stores("small"), "Small")
    with Hop.before(storage, "Blob") as hop, ThreadPoolExecutor(12) as pool:
        server = querying(storage, storage_timeout=2 * WAIT_SECONDS, **through(hop, storage))
        small, job = Queries(server, "Small"), storage.job()
        assert small.read("Stores").ids == ["small"]
        fetched = hop.reads_of(".parquet")
        hop.mode = Mode.HOLD
        asked = [pool.submit(Queries(server).read, "Stores('a')") for _ in range(12)]
        wait_for(lambda: hop.reads_of(".parquet") > fetched)
        assert all(is_answered(server, job, small) for _ in range(4))
        assert not any(each.done() for each in asked)
        hop.mode = Mode.WELL
        assert [each.result().ids for each in asked] == [["a"]] * 12
        assert hop.reads_of(f"/{SHOPS.lower()}/") == hop.reads_of(".parquet") - fetched == 1


def test_a_caller_that_gives_up_leaves_the_fetch_to_the_next(storage: Storage, querying: StartQuerying) -> None:
    load(storage, stores("a"))
    with Hop.before(storage, "Blob") as hop:
        queries = Queries(querying(storage, storage_timeout=TIMEOUT, **through(hop, storage)))
        hop.mode = Mode.HOLD
        # On a busy machine a query may end before it asks for the blob.
        wait_for(lambda: queries.ask("Stores").status == 503 and hop.reads_of(".parquet") > 0)
        hop.mode = Mode.WELL
        wait_for(lambda: queries.ask("Stores").status == 200)
        assert hop.reads_of(".parquet") == 1


def test_a_query_that_takes_long_is_cut_and_holds_up_nobody_else(
    storage: Storage, querying: StartQuerying, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(storage, stores(count=2_000))
    load(storage, stores("small"), "Small")
    server = querying(storage)
    small, queries, job = Queries(server, "Small"), Queries(server), storage.job()
    assert small.read("Stores").ids == ["small"]
    assert queries.read("Stores?$top=1").ids
    meet = shapes._meet  # noqa: SLF001 - the work between two looks at the deadline
    begun, gate = list[object](), threading.Event()

    def meet_slowly(*of: Any) -> Any:
        begun.append(of)
        gate.wait(WAIT_SECONDS)
        return meet(*of)

    monkeypatch.setattr(shapes, "_meet", meet_slowly)
    monkeypatch.setattr(shapes, "_CHUNK_ROWS", 4)
    world = "POLYGON((-180 -90,180 -90,180 89,-180 90,-180 -90))"
    with ThreadPoolExecutor(3) as pool:
        text = f"Stores?$inlinecount=allpages&spatialFilter=intersects('{world}')"
        asked = [pool.submit(queries.ask, text) for _ in range(3)]
        wait_for(lambda: len(begun) == 3)
        assert all(is_answered(server, job, small) for _ in range(4))
        # Their deadline passes while they work; each has 500 chunks to look at.
        monkeypatch.setattr(query, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + BUSY_SECONDS))
        gate.set()
        answers = [each.result() for each in asked]
    assert len(begun) == 3
    for answer in answers:
        assert answer.status == 503
        assert "takes too long" in answer.envelope["errorDetails"][0]
        assert int(answer.headers["retry-after"]) > 0


MALFORMED: dict[str, dict[str, Any]] = {
    "version no JSON": {"Published": "{"},
    "version without a blob": {"Published": "{}"},
    "blob without a container": {"blob": "nowhere"},
    "schema no JSON": {"PublishedSchema": "nonsense"},
    "schema a list": {"PublishedSchema": "[]"},
    "schema a number": {"PublishedSchema": "7"},
    "schema null": {"PublishedSchema": "null"},
    "schema without properties": {"PublishedSchema": '{"name":"Stores","key":"Id"}'},
    "schema of an unknown type": {"PublishedSchema": '{"name":"Stores","key":"Id","properties":{"Id":"Guid"}}'},
    "schema without its key": {"PublishedSchema": '{"name":"Stores","key":"Id","properties":{"A":"String"}}'},
    "schema without a place": {"PublishedSchema": '{"name":"Stores","key":"Id","properties":{"Id":"String"}}'},
    "schema of another blob": {"schema": "Other"},
    "access id a number": {"AccessId": 7},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_row_that_cannot_be_read_is_a_500_with_its_trace_id(
    name: str, storage: Storage, querying: StartQuerying, caplog: pytest.LogCaptureFixture
) -> None:
    load(storage, stores("a"))
    load(storage, stores("small"), "Small")
    server = querying(storage)
    row = dict(storage.data_source(SHOPS.lower()))
    change = dict(MALFORMED[name])
    if blob := change.pop("blob", None):
        change["Published"] = json.dumps(json.loads(row["Published"]) | {"blob": blob})
    if other := change.pop("schema", None):
        change["PublishedSchema"] = row["PublishedSchema"].replace("Note", other)
    with storage.datasources() as table:
        table.upsert_entity(row | change)
    answer = Queries(server).ask("Stores?$filter=Id eq 'secret-street'&$format=json")
    assert (answer.status, answer.envelope["statusCode"]) == (500, 500)
    assert any(getattr(each, "trace_id", "") == answer.envelope["traceId"] for each in caplog.records)
    assert "unforeseen" not in caplog.text
    assert "secret-street" not in caplog.text
    assert Queries(server, "Small").read("Stores").ids == ["small"]


@pytest.mark.slow
def test_a_query_that_runs_at_sigterm_is_answered(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(storage, stores("a"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with (
        Hop.before(storage, "Blob") as hop,
        ThreadPoolExecutor(1) as pool,
        serving(**settings_of(storage, hop.connection_string)) as server,
    ):
        server.wait_until_ready()
        hop.seconds, hop.mode = 1.0, Mode.DELAY
        url = f"{server.url}/REST/v1/data/{Queries.access_id}/{SHOPS}/Stores('a')?key=master-key"
        asked = pool.submit(httpx.get, url, timeout=WAIT_SECONDS)
        wait_for(lambda: hop.reads_of(".parquet") > 0)
        server.terminate()
        assert asked.result().status_code == 200
        assert server.end()[0] == 0
