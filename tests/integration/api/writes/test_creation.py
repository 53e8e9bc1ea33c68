"""A job is created once and for all, or ended: whatever storage does, and however many processes create at once."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

import proxy.api.shielded_tasks
from proxy.wire.errors import ErrorCode
from tests.conftest import StartServer
from tests.integration.api.writes.test_loads import LOAD, XML, load, refused
from tests.support.fault_proxy import Hop, Mode
from tests.support.live import MASTER, NO_TLS, WAIT_SECONDS, LiveServer, wait_for
from tests.support.processes import ServerProcess, serving, settings_of
from tests.support.storage import BUSY_SECONDS, Storage
from tests.support.stored_jobs import ACCESS_ID, Written, source

TOO_MANY = ErrorCode.TOO_MANY_ACTIVE_JOBS.value.status


@dataclass(frozen=True)
class Faulty:
    """A server whose account's tables and queue are each behind a hop."""

    server: LiveServer
    written: Written
    tables: Hop
    queue: Hop

    def create(self, what: str) -> httpx.Response:
        """Asks for a new job."""
        match what:
            case "load":
                return load(self.server)
            case "download":
                return self.server.get(f"Dataflows/DataSourceDownload/{ACCESS_ID}/Shops")
            case _:
                return self.server.client.delete(
                    f"{self.server.url}/REST/v1/data/{ACCESS_ID}/Shops", params={"key": MASTER}
                )

    def is_given_up(self, what: str) -> bool:
        """Asks for a new job, which is refused; a busy machine may end the request before it has a row."""
        assert self.create(what).status_code == 503
        return self.statuses() != []

    def statuses(self) -> list[tuple[str, bool]]:
        """Of each job, its status and whether it is confirmed."""
        return [(row["Status"], row.get("Unconfirmed") is None) for row in self.written.jobs()]


@pytest.fixture
def deadline() -> float:
    """That of the requests: a long one, but for tests of it."""
    return BUSY_SECONDS


expires = pytest.mark.parametrize("deadline", [1.0], ids=["a second"])


@pytest.fixture
def faulty(storage: Storage, start: StartServer, deadline: float) -> Iterator[Faulty]:
    start(storage)  # makes what storage needs
    with Hop.before(storage) as tables, Hop.before(storage, "Queue") as queue:
        parts = dict(part.partition("=")[::2] for part in queue.connection_string.split(";") if part)
        text = tables.through({"QueueEndpoint": parts["QueueEndpoint"]})
        entry = {storage.account: {"storage": {"connection_string": text}}}
        server = start(storage, accounts=entry, storage_timeout=deadline)
        written = Written(storage)
        written.put(source())
        yield Faulty(server, written, tables, queue)
        tables.mode = queue.mode = Mode.WELL


CREATED = {"load": 201, "download": 201, "delete": 202}


@pytest.mark.parametrize("what", CREATED)
@pytest.mark.parametrize("methods", ["POST", "PUT"], ids=["the row", "its confirmation"])
def test_a_write_whose_answer_is_lost_is_looked_up(what: str, methods: str, faulty: Faulty) -> None:
    faulty.tables.methods, faulty.tables.times = methods, 1
    faulty.tables.mode = Mode.LOSE
    assert faulty.create(what).status_code == CREATED[what]
    assert faulty.tables.mode is Mode.WELL
    assert faulty.statuses() == [("Pending", True)]
    assert len(faulty.written.queued()) == 1
    assert len(faulty.written.uploads()) == (what == "load")


@expires
@pytest.mark.parametrize("what", CREATED)
def test_a_job_is_ended_whose_creation_took_too_long(what: str, faulty: Faulty, deadline: float) -> None:
    faulty.tables.methods, faulty.tables.seconds, faulty.tables.mode = "POST", 0.7 * deadline, Mode.DELAY
    faulty.queue.seconds, faulty.queue.mode = 0.6 * deadline, Mode.DELAY
    wait_for(lambda: faulty.is_given_up(what))
    wait_for(lambda: {status for status, _ in faulty.statuses()} == {"Aborted"})
    wait_for(lambda: faulty.written.uploads() == [])
    assert all("Create it again" in job["ErrorMessage"] for job in faulty.written.jobs())


@expires
@pytest.mark.parametrize("what", CREATED)
def test_an_unconfirmed_job_ends_when_storage_returns(what: str, faulty: Faulty) -> None:
    faulty.tables.methods, faulty.tables.times, faulty.tables.then = "POST", 1, Mode.HANG
    faulty.tables.mode = Mode.LOSE
    wait_for(lambda: faulty.is_given_up(what))
    assert faulty.statuses() == [("Pending", False)]
    # The row may be there, and refers to it.
    wait_for(lambda: len(faulty.written.uploads()) == (what == "load"))
    faulty.tables.mode = Mode.WELL
    wait_for(lambda: [status for status, _ in faulty.statuses()] == ["Aborted"])
    wait_for(lambda: faulty.written.uploads() == [])


def test_a_refused_row_leaves_no_job_and_no_upload(faulty: Faulty) -> None:
    faulty.tables.methods, faulty.tables.mode = "POST", Mode.FORBID
    assert load(faulty.server).status_code == 503
    wait_for(faulty.written.nothing)


def test_denied_writes_hold_up_no_reads(faulty: Faulty) -> None:
    faulty.tables.methods, faulty.tables.mode = "POST", Mode.FORBID
    for _ in range(8):  # more than it takes to open a circuit breaker
        assert load(faulty.server).status_code == 503
        assert faulty.server.get("Dataflows/ListJobs").status_code == 200
        assert faulty.server.get("data").status_code == 200


# Creations at once.


@contextmanager
def processes(storage: Storage, **settings: object) -> Iterator[list[ServerProcess]]:
    """Two servers in processes of their own in front of one account."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(**settings_of(storage) | settings)) for _ in range(2)]
        for server in servers:
            server.wait_until_ready()
        yield servers
        for server in servers:
            server.terminate()
            assert server.end()[0] == 0


def loads(urls: list[str], count: int, names: list[str]) -> list[int]:
    """The statuses of so many loads at once, at each server in turn, of these data sources in turn."""

    def one(number: int) -> int:
        url = f"{urls[number % len(urls)]}/REST/v1/Dataflows/LoadDataSource"
        asked = LOAD | {"dataSourceName": names[number % len(names)], "key": MASTER}
        return httpx.post(url, params=asked, content=XML, timeout=2 * WAIT_SECONDS, verify=NO_TLS).status_code

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


LIMIT, AT_ONCE = 4, 24


@pytest.mark.slow
def test_a_quota_holds_over_two_processes(storage: Storage) -> None:
    with processes(storage, storage_timeout=WAIT_SECONDS, max_active_jobs=LIMIT) as servers:
        assert_limited(storage, loads([each.url for each in servers], AT_ONCE, ["Shops"]))


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"max_active_jobs": LIMIT, "max_jobs_per_day": 1000}, ["Shops"]),
        ({"max_active_jobs": 1000, "max_jobs_per_day": LIMIT}, ["Shops"]),
        ({"max_active_jobs": 1000, "max_data_sources": LIMIT}, [f"Shops{number}" for number in range(AT_ONCE)]),
    ],
    ids=["unfinished jobs", "jobs of a day", "data sources"],
)
def test_quotas_hold_over_two_servers(
    settings: dict[str, int], names: list[str], storage: Storage, start: StartServer
) -> None:
    """They share nothing but storage, as processes do."""
    servers = [start(storage, storage_timeout=WAIT_SECONDS, **settings) for _ in range(2)]
    assert_limited(storage, loads([each.url for each in servers], AT_ONCE, names))


def assert_limited(storage: Storage, statuses: list[int]) -> None:
    """As many jobs are created as the limit says, or one less: two that meet may both be refused."""
    rows = Written(storage).jobs()
    assert len(rows) == statuses.count(201)
    assert LIMIT - 1 <= len(rows) <= LIMIT
    assert {row["Status"] for row in rows} == {"Pending"}
    wait_for(lambda: len(Written(storage).uploads()) == len(rows))


# Uploads under way.


@contextmanager
def stalled(server: LiveServer, key: str = MASTER, sent: bytes = XML) -> Iterator[socket.socket]:
    """An upload that has sent something and waits."""
    query = "&".join(f"{name}={value}" for name, value in (LOAD | {"key": key}).items())
    head = f"POST /REST/v1/Dataflows/LoadDataSource?{query} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) as connected:
        connected.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        assert connected.recv(65536).startswith(b"HTTP/1.1 100 ")  # its body is asked for: it counts by now
        connected.sendall(b"%x\r\n%b\r\n" % (len(sent), sent))
        yield connected


def finish(connected: socket.socket) -> bytes:
    """Ends an upload; gives the first bytes of its answer."""
    connected.sendall(b"0\r\n\r\n")
    return connected.recv(65536)


def load_is(server: LiveServer, status: int, **parameters: Any) -> bool:
    return load(server, **parameters).status_code == status


def test_uploads_count_as_unfinished_jobs(storage: Storage, start: StartServer) -> None:
    server = start(storage, max_active_jobs=2)
    Written(storage).put(source())
    with stalled(server) as one, stalled(server):
        assert load_is(server, TOO_MANY)
        assert refused(server.get(f"Dataflows/DataSourceDownload/{ACCESS_ID}/Shops"))[0] == TOO_MANY
        assert finish(one).startswith(b"HTTP/1.1 201 ")
        assert load_is(server, TOO_MANY)  # one has a row now, the other is still under way
    wait_for(lambda: load_is(server, 201))
    assert len(Written(storage).jobs()) == 2
    wait_for(lambda: len(Written(storage).uploads()) == 2)


def test_a_process_takes_so_many_uploads_of_all_accounts(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy.api.shielded_tasks, "MAX_UPLOADS", 1)
    other = {"other": {"storage": {"connection_string": storage.connection_string}}}
    server = start(storage, accounts=other, keys={"other-key": {"account": "other"}})
    with stalled(server):
        assert load_is(server, TOO_MANY, key="other-key")
    wait_for(lambda: load_is(server, 201, key="other-key"))


def test_the_limits_row_shows_in_no_list(server: LiveServer, written: Written) -> None:
    assert load(server).status_code == 201
    (row,) = (row for row in written.storage.table.list_entities() if row["RowKey"].startswith("~"))
    assert row["JobId"] == written.job()["RowKey"]
    resources = server.json("Dataflows/ListJobs")["resourceSets"][0]["resources"]
    assert [each["id"] for each in resources] == [row["JobId"]]
