"""What is read from storage, and what is not read again."""

import time
from concurrent.futures import ThreadPoolExecutor

from tests.conftest import StartServer
from tests.support.live import LiveServer
from tests.support.storage import Storage
from tests.support.stub_servers import Wire


def _reads(wire: Wire, row_key: str) -> int:
    return wire.seen.count(row_key.encode())


def _behind(wire_string: str, storage: Storage, start: StartServer, **settings: float) -> LiveServer:
    entry = {storage.account: {"storage": {"connection_string": wire_string}}}
    return start(storage, accounts=entry, **settings)


def test_a_finished_job_is_read_once_and_answered_with_a_new_trace_id_each_time(
    storage: Storage, start: StartServer
) -> None:
    wire, job_id = Wire(storage, "Table"), storage.job()
    with wire.connection_string() as text:
        server = _behind(text, storage, start, finished_ttl=60)
        answers = [server.json(f"Dataflows/LoadDataSource/{job_id}") for _ in range(20)]
    assert len({answer.pop("traceId") for answer in answers}) == 20
    assert all(answer == answers[0] for answer in answers)
    assert _reads(wire, job_id) == 1


def test_callers_who_want_the_same_row_at_once_share_one_read(storage: Storage, start: StartServer) -> None:
    wire, job_id = Wire(storage, "Table"), storage.job(status="Pending")
    with wire.connection_string() as text, ThreadPoolExecutor(30) as threads:
        server = _behind(text, storage, start, pending_ttl=60)
        server.get("Dataflows/ListJobs")
        wire.delay = 0.5
        asked = [threads.submit(server.get, f"Dataflows/LoadDataSource/{job_id}") for _ in range(30)]
        assert {answer.result().status_code for answer in asked} == {200}
    assert _reads(wire, job_id) == 1


def test_a_pending_job_is_read_once_for_each_of_its_lifetimes_whatever_the_load(
    storage: Storage, start: StartServer
) -> None:
    wire, job_id = Wire(storage, "Table"), storage.job(status="Pending")
    with wire.connection_string() as text:
        server = _behind(text, storage, start, pending_ttl=0.5)
        end = time.monotonic() + 3
        asked = 0
        while time.monotonic() < end:
            assert server.get(f"Dataflows/LoadDataSource/{job_id}").status_code == 200
            asked += 1
    assert asked > 100
    assert _reads(wire, job_id) <= 8  # 6 lifetimes, each ended a twentieth early, and the one that begins


def test_a_pending_job_that_completes_is_seen_when_its_lifetime_ends(storage: Storage, start: StartServer) -> None:
    job_id = storage.job(status="Pending")
    server = start(storage, pending_ttl=0.3)
    path = f"Dataflows/LoadDataSource/{job_id}"
    assert server.job(path)["status"] == "Pending"
    storage.job(RowKey=job_id)
    time.sleep(0.35)
    assert server.job(path)["status"] == "Completed"


def test_a_job_that_is_not_found_is_looked_up_again(storage: Storage, start: StartServer) -> None:
    server = start(storage, pending_ttl=60, finished_ttl=60)
    path = "Dataflows/LoadDataSource/019c0000000070008000000000000001"
    assert server.get(path).status_code == 404
    storage.job(RowKey="019c0000000070008000000000000001")
    assert server.get(path).status_code == 200


def test_a_newer_download_job_is_found_at_once(storage: Storage, start: StartServer) -> None:
    server = start(storage, pending_ttl=60, finished_ttl=60)
    storage.download("Coffee")
    assert server.job("Dataflows/DataSourceDownload/Coffee")["status"] == "Completed"
    storage.download("Coffee", "Pending")
    assert server.job("Dataflows/DataSourceDownload/Coffee")["status"] == "Pending"


def test_a_key_that_another_ring_lacks_gets_no_remembered_answer(storage: Storage, start: StartServer) -> None:
    job_id = storage.job()
    server = start(storage, finished_ttl=60)
    path = f"Dataflows/LoadDataSource/{job_id}"
    assert server.get(path).status_code == 200
    assert server.get(path, "another-key").status_code == 401
    assert server.get(path, "query-key").status_code == 401


def test_a_link_is_given_again_while_half_of_its_life_is_left(storage: Storage, start: StartServer) -> None:
    job_id = storage.job(OutputBlob=storage.export())
    server = start(storage)
    links = {server.job(f"Dataflows/LoadDataSource/{job_id}")["links"][1]["url"] for _ in range(5)}
    assert len(links) == 1
