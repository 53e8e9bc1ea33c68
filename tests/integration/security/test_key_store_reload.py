"""A changed key ring file and the key store that it names."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fault_proxy import Hop
from tests.support.key_rows import KeyRows
from tests.support.live import wait_for
from tests.support.serve_command import Served, serving
from tests.support.storage import Storage
from tests.support.worker_processes import worker_process

pytestmark = pytest.mark.slow

LIST = "Dataflows/ListJobs"


@pytest.fixture
def keys(storage: Storage) -> Iterator[KeyRows]:
    """A key store with a key."""
    with KeyRows.open(storage) as opened:
        opened.write("stored")
        yield opened


def status(server: Served, key: str) -> int:
    return server.get(LIST, key).status_code


def assert_moved(server: Served, found: str, unknown: str) -> None:
    wait_for(lambda: status(server, found) == 200)
    wait_for(lambda: status(server, unknown) == 401)


def ring_of_keys(storage: Storage, key: str) -> str:
    account = {"storage": {"connection_string": storage.connection_string}}
    return json.dumps({"accounts": {storage.account: account}, "keys": {key: {"account": storage.account}}})


def test_the_same_store_keeps_what_was_read(storage: Storage, keys: KeyRows, tmp_path: Path) -> None:
    file = tmp_path / "ring.json"
    file.write_text(keys.ring())
    with serving(storage, keyring_file=file, **keys.reading) as server:
        keys.write("of another", Account="another")
        wait_for(lambda: status(server, "stored") == 200)
        assert status(server, "of another") == 503
        reads = keys.reads_of("stored")
        file.write_text(keys.ring(another={"storage": {"connection_string": storage.connection_string}}))
        wait_for(lambda: status(server, "of another") == 200)
        assert status(server, "stored") == 200
        assert keys.reads_of("stored") == reads


def test_another_store_is_opened_and_the_old_one_closed(storage: Storage, keys: KeyRows, tmp_path: Path) -> None:
    file = tmp_path / "ring.json"
    file.write_text(keys.ring())
    with (
        Hop.before(storage) as other,
        serving(storage, keyring_file=file, storage_timeout=1, **keys.reading) as server,
    ):
        wait_for(lambda: status(server, "stored") == 200)
        ring = json.loads(keys.ring()) | {"key_store": {"connection_string": other.connection_string}}
        file.write_text(json.dumps(ring))
        wait_for(lambda: other.reads_of("changes") > 0)
        wait_for(lambda: status(server, "stored") == 200)
        keys.revoke("stored")
        wait_for(lambda: status(server, "stored") == 401)

        def is_closed() -> bool:
            """Whether a look at the new store passes without one at the old, closed after the deadline of a request."""
            before, looks = len(keys.hop.asked), other.reads_of("changes")
            wait_for(lambda: other.reads_of("changes") > looks + 1)
            return len(keys.hop.asked) == before

        wait_for(is_closed)


def test_keys_move_from_the_ring_to_a_store_and_back(storage: Storage, keys: KeyRows, tmp_path: Path) -> None:
    file = tmp_path / "ring.json"
    file.write_text(ring_of_keys(storage, "of the ring"))
    with serving(storage, keyring_file=file, **keys.reading) as server:
        assert_moved(server, "of the ring", "stored")
        file.write_text(keys.ring())
        assert_moved(server, "stored", "of the ring")
        file.write_text(ring_of_keys(storage, "of the ring"))
        assert_moved(server, "of the ring", "stored")


def test_a_key_that_leaves_the_ring_gets_no_remembered_answer(storage: Storage, tmp_path: Path) -> None:
    file = tmp_path / "ring.json"
    file.write_text(ring_of_keys(storage, "leaving"))
    path = f"Dataflows/LoadDataSource/{storage.job(DataSourceName='Shops')}"
    with serving(storage, keyring_file=file, pending_ttl=3600, finished_ttl=3600) as server:
        wait_for(lambda: server.get(path, "leaving").status_code == 200)
        assert [server.get(path, "leaving").status_code for _ in range(3)] == [200] * 3
        file.write_text(ring_of_keys(storage, "another"))
        wait_for(lambda: server.get(path, "leaving").status_code == 401)
        assert [server.get(path, "leaving").status_code for _ in range(3)] == [401] * 3


def test_a_store_that_cannot_be_opened_is_refused_and_the_ring_stays(
    storage: Storage, keys: KeyRows, tmp_path: Path
) -> None:
    file = tmp_path / "ring.json"
    file.write_text(keys.ring())
    with serving(storage, keyring_file=file, **keys.reading) as server:
        wait_for(lambda: status(server, "stored") == 200)
        file.write_text(json.dumps(json.loads(keys.ring()) | {"key_store": {"connection_string_env": "NOT_SET"}}))
        wait_for(lambda: "NOT_SET" in server.log())
        assert status(server, "stored") == 200


def test_a_worker_reads_no_keys(storage: Storage, keys: KeyRows, tmp_path: Path) -> None:
    file = tmp_path / "ring.json"
    file.write_text(keys.ring())
    with worker_process(storage, tmp_path, keyring="", keyring_file=file, **keys.reading) as worker:
        worker.wait_until_ready()
        file.write_text(keys.ring(another={"storage": {"connection_string": storage.connection_string}}))
        said = worker.wait_until_it_says("key ring: changed")
        time.sleep(2.0)  # a server would have looked for keys
        status, rest = worker.end()
    assert status == 0, said + rest
    assert "a key store" in said
    assert keys.hop.asked == []
