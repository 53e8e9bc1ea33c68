"""A job is created whole or not at all, whatever storage does meanwhile."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import httpx
import pytest

import proxy.api.shielded_tasks
from adapters.errors import StorageError, StorageErrorCode
from adapters.tables import job_store as jobs
from proxy.api.shielded_tasks import ShieldedTasks
from proxy.operations import job_creation
from tests.conftest import StartServer
from tests.integration.api.writes.test_loads import XML, load
from tests.support.live import LiveServer, wait_for
from tests.support.storage import Storage
from tests.support.stored_jobs import ACCESS_ID, Written, source
from tests.support.stub_servers import closed_port, connection_string, listening, saying

CREATING = (f"Dataflows/DataSourceDownload/{ACCESS_ID}/Shops", f"data/{ACCESS_ID}/Shops/$updatedatasource")


def with_endpoint(storage: Storage, service: str, port: int) -> dict[str, object]:
    """The storage, with one of its services said to be at this port."""
    parts = dict(part.partition("=")[::2] for part in storage.connection_string.split(";") if part)
    parts[f"{service}Endpoint"] = f"http://127.0.0.1:{port}/devstoreaccount1"
    return {"storage": {"connection_string": ";".join(f"{name}={value}" for name, value in parts.items())}}


@contextmanager
def serving_without(storage: Storage, start: StartServer, service: str) -> Iterator[LiveServer]:
    """A server whose account has lost a service; the usual one has made its tables and its queue before."""
    start(storage)
    with closed_port() as port:
        entry = with_endpoint(storage, service, port)
        yield start(storage, accounts={storage.account: entry}, storage_timeout=1)


def refused_with_a_row(storage: Storage, create: Callable[[], httpx.Response]) -> httpx.Response:
    """A refused request whose job has a row: a busy machine may miss the short deadline before that."""
    before = len(Written(storage).jobs())
    while (answer := create()).status_code == 503 and len(Written(storage).jobs()) == before:
        pass
    return answer


@pytest.mark.slow
def test_a_job_that_can_not_be_queued_is_aborted(storage: Storage, start: StartServer) -> None:
    with serving_without(storage, start, "Queue") as server:
        Written(storage).put(source())
        creations = [partial(load, server), *(partial(server.get, path, setPublic="1") for path in CREATING)]
        answers = [refused_with_a_row(storage, create) for create in creations]
    for answer in answers:
        assert (answer.status_code, answer.json()["authenticationResultCode"]) == (503, "ValidCredentials")
        assert answer.headers["retry-after"]
    wait_for(lambda: {job["Status"] for job in Written(storage).jobs()} == {"Aborted"})
    rows = Written(storage).jobs()
    assert {row["JobType"] for row in rows} == {"DataSourceComplete", "DataSourceDownload", "DataSourceAccess"}
    assert all("CompletedDate" in row and "worker" in row["ErrorMessage"] for row in rows)
    wait_for(lambda: Written(storage).uploads() == [])


@pytest.mark.slow
def test_data_that_can_not_be_stored_makes_no_job(storage: Storage, start: StartServer) -> None:
    with serving_without(storage, start, "Blob") as server:
        assert load(server, [XML] * 3).status_code == 503
    wait_for(Written(storage).nothing)


def test_an_account_whose_rows_can_not_be_read_creates_nothing(storage: Storage, start: StartServer) -> None:
    with ExitStack() as stack:
        port = stack.enter_context(listening(saying("403 Forbidden", b"")))
        other = {"storage": {"connection_string": connection_string(port)}}
        server = start(storage, accounts={"refusing": other}, keys={"refusing-key": {"account": "refusing"}})
        paths = ("data", f"data/{ACCESS_ID}/Shops", f"data/{ACCESS_ID}/Shops/$metadata", *CREATING)
        answers = [server.get(path, "refusing-key", setPublic="1") for path in paths]
        answers.append(load(server, key="refusing-key"))
        assert {answer.status_code for answer in answers} == {503}
        # What can be judged without storage is judged first.
        assert load(server, key="refusing-key", input="pdf").status_code == 400
        assert server.get(CREATING[1], "refusing-key", setPublic="2").status_code == 400
        assert server.get("data", "refusing-key", **{"$format": "pdf"}).status_code == 400


def test_parameters_are_checked_before_the_account(storage: Storage, start: StartServer) -> None:
    closed = {"storage": {"connection_string_env": "NO_SUCH_VARIABLE"}}
    server = start(storage, accounts={"closed": closed}, keys={"closed-key": {"account": "closed"}})
    assert load(server, key="closed-key").status_code == 503
    assert load(server, key="closed-key", loadOperation="x").status_code == 400
    assert load(server, b"", key="closed-key").status_code == 400


def test_a_lost_write_race_is_retried(storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start(storage, data_location_hosts="data.example.net")
    Written(storage).put(source())
    monkeypatch.setattr(jobs, "CHANGE_ATTEMPTS", 0)  # as if all had been in vain
    monkeypatch.setattr(job_creation, "CHANGE_ATTEMPTS", 1)
    assert server.get(CREATING[0]).status_code == 503
    assert load(server, b"", dataLocation="https://data.example.net/a").status_code == 503
    assert load(server).status_code == 503
    wait_for(Written(storage).nothing)


def test_shielded_tasks_are_drained_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proxy.api.shielded_tasks, "DRAIN_SECONDS", 0.5)
    done: list[str] = []

    async def work(name: str, seconds: float = 0.1) -> None:
        await asyncio.sleep(seconds)
        done.append(name)
        if name == "ill":
            raise StorageError(StorageErrorCode.SERVER_ERROR)

    async def ask() -> None:
        under_way = ShieldedTasks()
        for begun in (work("well"), work("ill"), work("endless", 3600)):
            under_way.start(begun)
        await under_way.drain()
        await asyncio.sleep(0)
        await under_way.drain()

    asyncio.run(ask())
    assert sorted(done) == ["ill", "well"]


def test_an_upload_that_meets_a_limit_in_the_end_is_discarded(storage: Storage, start: StartServer) -> None:
    server, other = start(storage, max_active_jobs=1), start(storage, max_active_jobs=1)

    def late() -> Iterator[bytes]:
        yield XML
        # While this one still sends, another is quicker, at a process that does not know of it.
        assert load(other).is_success
        yield XML

    response = load(server, late())
    assert (response.status_code, "JobUsageQuota" in response.json()["errorDetails"][0]) == (503, True)
    assert len(Written(storage).jobs()) == 1
    wait_for(lambda: len(Written(storage).uploads()) == 1)


@pytest.mark.parametrize("path", CREATING)
def test_a_malformed_row_is_logged(path: str, server: LiveServer, written: Written) -> None:
    written.put(source(access_id=""))
    assert server.get(path, setPublic="1").status_code == 500
    assert load(server).status_code == 500
    assert written.nothing()
