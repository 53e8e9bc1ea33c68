"""What is read from storage, and what is not read again."""

import time

from tests.conftest import StartServer
from tests.support.live import LiveServer
from tests.support.storage import Storage
from tests.support.stub_servers import Wire


def _reads(wire: Wire, row_key: str) -> int:
    return wire.seen.count(row_key.encode())


def _behind(wire_string: str, storage: Storage, start: StartServer, **settings: float) -> LiveServer:
    entry = {storage.account: {"storage": {"connection_string": wire_string}}}
    return start(storage, accounts=entry, **settings)


def test_a_finished_job_is_read_once(storage: Storage, start: StartServer) -> None:
    wire, job_id = Wire(storage, "Table"), storage.job()
    with wire.connection_string() as text:
        server = _behind(text, storage, start, finished_ttl=60)
        answers = [server.json(f"Dataflows/LoadDataSource/{job_id}")]
        reads = _reads(wire, job_id)
        answers += [server.json(f"Dataflows/LoadDataSource/{job_id}") for _ in range(19)]
    assert len({answer.pop("traceId") for answer in answers}) == 20
    assert all(answer == answers[0] for answer in answers)
    assert reads > 0
    assert _reads(wire, job_id) == reads


def test_a_completed_job_shows_when_its_lifetime_ends(storage: Storage, start: StartServer) -> None:
    job_id = storage.job(status="Pending")
    server = start(storage, pending_ttl=0.3)
    path = f"Dataflows/LoadDataSource/{job_id}"
    assert server.job(path)["status"] == "Pending"
    storage.job(RowKey=job_id)
    time.sleep(0.35)
    assert server.job(path)["status"] == "Completed"


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
