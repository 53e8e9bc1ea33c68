"""Storage that fails, rows that can't be read, and queries that take long, beside those that do not."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from proxy.query import shapes
from tests.integration.api.queries.conftest import StartQuerying
from tests.support.fault_proxy import Hop, Mode
from tests.support.live import LiveServer, wait_for
from tests.support.processes import serving, settings_of
from tests.support.queries import SHOPS, Queries, load, stores
from tests.support.storage import Storage

TIMEOUT = 1.0
BUSY_SECONDS = 5.0
"""What a busy machine may take beside a deadline."""


def through(hop: Hop, storage: Storage) -> dict[str, Any]:
    return {"accounts": {storage.account: {"storage": {"connection_string": hop.connection_string}}}}


class Beside:
    """Polls a job and queries a small source all the time that a block takes."""

    def __init__(self, server: LiveServer, job: str, queries: Queries) -> None:
        self.slowest = 0.0
        self.answers = 0
        self._server, self._job, self._queries = server, job, queries
        self._ended = threading.Event()

    @contextmanager
    def running(self) -> Iterator["Beside"]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join(30)

    def _run(self) -> None:
        while not self._ended.is_set():
            started = time.monotonic()
            assert self._server.get(f"Dataflows/LoadDataSource/{self._job}").status_code == 200
            assert self._queries.read("Stores").ids == ["small"]
            self.slowest = max(self.slowest, time.monotonic() - started)
            self.answers += 1


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
        assert time.monotonic() - started < TIMEOUT + BUSY_SECONDS
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
    load(storage, stores(count=5_000))
    load(storage, stores("small"), "Small")
    with Hop.before(storage, "Blob") as hop, ThreadPoolExecutor(12) as pool:
        server = querying(storage, storage_timeout=20, **through(hop, storage))
        small = Queries(server, "Small")
        assert small.read("Stores").ids == ["small"]
        fetched = hop.reads_of(".parquet")
        hop.seconds, hop.mode = 2.0, Mode.DELAY
        with Beside(server, storage.job(), small).running() as beside:
            found = list(pool.map(lambda _: Queries(server).read("Stores('s004999')").ids, range(12)))
        assert found == [["s004999"]] * 12
        assert hop.reads_of(f"/{SHOPS.lower()}/") == hop.reads_of(".parquet") - fetched == 1
        assert beside.answers > 3
        assert beside.slowest < hop.seconds


def test_a_caller_that_gives_up_leaves_the_fetch_to_the_next(storage: Storage, querying: StartQuerying) -> None:
    load(storage, stores("a"))
    with Hop.before(storage, "Blob") as hop:
        queries = Queries(querying(storage, storage_timeout=TIMEOUT, **through(hop, storage)))
        hop.seconds, hop.mode = 2 * TIMEOUT, Mode.DELAY
        assert queries.ask("Stores").status == 503
        wait_for(lambda: queries.ask("Stores").status == 200)
        assert hop.reads_of(".parquet") == 1


def test_a_query_that_takes_long_is_cut_and_holds_up_nobody_else(
    storage: Storage, querying: StartQuerying, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(storage, stores(count=2_000))
    load(storage, stores("small"), "Small")
    server = querying(storage, storage_timeout=3 * TIMEOUT)
    small, queries = Queries(server, "Small"), Queries(server)
    assert small.read("Stores").ids == ["small"]
    assert queries.read("Stores?$top=1").ids
    meet = shapes._meet  # noqa: SLF001 - the work between two looks at the deadline

    def meet_slowly(*of: Any) -> Any:
        time.sleep(0.05)
        return meet(*of)

    monkeypatch.setattr(shapes, "_meet", meet_slowly)
    monkeypatch.setattr(shapes, "_CHUNK_ROWS", 4)
    world = "POLYGON((-180 -90,180 -90,180 89,-180 90,-180 -90))"
    with Beside(server, storage.job(), small).running() as beside, ThreadPoolExecutor(3) as pool:
        started = time.monotonic()
        answers = list(pool.map(queries.ask, [f"Stores?$inlinecount=allpages&spatialFilter=intersects('{world}')"] * 3))
        assert time.monotonic() - started < 3 * TIMEOUT + BUSY_SECONDS
    for answer in answers:
        assert answer.status == 503
        assert "takes too long" in answer.envelope["errorDetails"][0]
        assert int(answer.headers["retry-after"]) > 0
    assert beside.answers > 3
    assert beside.slowest < 3 * TIMEOUT


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
        serving(**settings_of(storage, hop.connection_string), storage_timeout=20) as server,
    ):
        server.wait_until_ready()
        hop.seconds, hop.mode = 1.0, Mode.DELAY
        url = f"{server.url}/REST/v1/data/{Queries.access_id}/{SHOPS}/Stores('a')?key=master-key"
        asked = pool.submit(httpx.get, url, timeout=20)
        wait_for(lambda: hop.reads_of(".parquet") > 0)
        server.terminate()
        assert asked.result().status_code == 200
        assert server.end()[0] == 0
