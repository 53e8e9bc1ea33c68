"""A large upload passes through: looked at from outside the process."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.integration.api.writes.test_loads import LOAD
from tests.integration.security.test_bounds import memory_kb
from tests.support.live import MASTER
from tests.support.serve_command import Served, serving
from tests.support.storage import Storage
from tests.support.stored_jobs import Written

MEGABYTE = 1024 * 1024
SIZE = 32

# A few blocks of a megabyte, and what the allocator keeps of them; 6 MB were measured, for 300 MB too.
GROWTH_KB = 12 * 1024


def megabytes(count: int) -> Iterator[bytes]:
    piece = bytes(range(256)) * 4096
    for _ in range(count):
        yield piece


def upload(server: Served, count: int) -> int:
    url = f"{server.url}/REST/v1/Dataflows/LoadDataSource"
    return httpx.post(url, params=LOAD | {"key": MASTER}, content=megabytes(count), timeout=120).status_code


@pytest.mark.slow
def test_an_upload_of_32_megabytes_is_never_in_memory(storage: Storage) -> None:
    with serving(storage) as server:
        # What is loaded and pooled once is none of the upload's.
        assert upload(server, 12) == 201
        before = most = memory_kb(server)
        with ThreadPoolExecutor() as pool:
            done = pool.submit(upload, server, SIZE)
            while not done.done():
                most = max(most, memory_kb(server))
                time.sleep(0.01)
        assert done.result() == 201
        assert most - before < GROWTH_KB
    container = storage.blobs.get_container_client("uploads")
    sizes = [blob.size for blob in container.list_blobs(name_starts_with=f"{storage.account}/")]
    assert sorted(sizes) == [12 * MEGABYTE, SIZE * MEGABYTE]
    assert len(Written(storage).jobs()) == 2
