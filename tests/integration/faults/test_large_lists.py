"""A list of many jobs: it holds up nobody, is rendered once, and comes also where reading it takes long."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partialmethod

import pytest
from starlette.responses import Response

from adapters.tables.reader import TableReader
from benchmarks.rows import write_jobs
from proxy.api.responses import JobsResult, ResponseFactory
from proxy.wire.request import Format
from tests.conftest import StartServer
from tests.support.fault_proxy import Hop, Mode
from tests.support.live import wait_for
from tests.support.storage import Storage

TIMEOUT = 1.0


class Slow:
    """Renders as `ResponseFactory.from_result` does; a large answer when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rendered: list[int] = []
        self.begun, self.go_on = threading.Event(), threading.Event()
        found = ResponseFactory.from_result

        def render(answers: ResponseFactory, answer: JobsResult, form: Format, trace_id: str) -> Response:
            self.rendered.append(answer.size)
            if answer.size > 1:
                self.begun.set()
                assert self.go_on.wait(60)
            return found(answers, answer, form, trace_id)

        monkeypatch.setattr(ResponseFactory, "from_result", render)


def test_a_large_list_is_rendered_once_beside_others(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_jobs(storage, 200, newest_hours=1)
    job_id = storage.job()
    slow = Slow(monkeypatch)
    server = start(storage, pending_ttl=60, finished_ttl=60, storage_timeout=20)
    with ThreadPoolExecutor(8) as threads:
        lists = [threads.submit(server.get, "Dataflows/ListJobs", x=str(number)) for number in range(8)]
        assert slow.begun.wait(60)
        assert server.client.get(server.url + "/livez").json()["status"] == "ok"
        assert server.get(f"Dataflows/LoadDataSource/{job_id}").status_code == 200
        assert not any(each.done() for each in lists)
        slow.go_on.set()
        answers = [each.result().json() for each in lists]
    assert {len(answer["resourceSets"][0]["resources"]) for answer in answers} == {201}
    assert len({answer["traceId"] for answer in answers}) == 8
    assert sorted(slow.rendered) == [1, 201]


@pytest.mark.parametrize("path", ["Dataflows/ListJobs", "Dataflows/LoadDataSource/{}"])
def test_ignored_parameters_hit_the_cache(
    path: str, storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = path.format(storage.job(DataSourceName="Shops"))
    slow = Slow(monkeypatch)
    server = start(storage, pending_ttl=60, finished_ttl=60, storage_timeout=20)
    answers = [server.json(path, x=str(number)) for number in range(30)]
    assert len(slow.rendered) == 1
    assert len({answer.pop("traceId") for answer in answers}) == 30
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.slow
def test_a_slow_list_read_outlives_its_request(
    storage: Storage, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TableReader, "rows", partialmethod(TableReader.rows, top=100))  # a small list of as many pages
    write_jobs(storage, 450, newest_hours=1)
    job_id = storage.job(status="Pending")
    with Hop.before(storage) as hop:
        entry = {storage.account: {"storage": {"connection_string": hop.connection_string}}}
        server = start(storage, accounts=entry, storage_timeout=TIMEOUT)
        hop.seconds, hop.mode = 0.4 * TIMEOUT, Mode.DELAY  # five pages take longer than a request may
        lists: list[int] = []
        jobs: list[int] = []

        def listed() -> bool:
            lists.append(server.get("Dataflows/ListJobs").status_code)
            jobs.append(server.get(f"Dataflows/LoadDataSource/{job_id}").status_code)
            return lists[-1] == 200

        wait_for(listed)
        assert lists[0] == 503
        # Where the machine stalls, one that is due meanwhile may be late.
        assert 200 in jobs
        wait_for(lambda: server.client.get(server.url + "/readyz").status_code == 200)
