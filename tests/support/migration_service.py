"""Our own server in the service's part: a server, and a worker that does its jobs in a thread of the test."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from lxml import etree

from adapters.model.job_ids import new_job_id
from proxy.worker.job import WorkerContext, now
from proxy.worker.lease import run_leased_job
from proxy.worker.reader_pool import ReaderLimits, ReaderPool
from tests.support.inline_readers import InlineReaders
from tests.support.live import MASTER, LiveServer, start_server, wait_for
from tests.support.opened_account import open_account
from tests.support.storage import Storage
from tests.support.worker_desk import LIMITS, shops

LOAD_SECONDS = 20


@dataclass(frozen=True)
class Service:
    """The service's side of a migration."""

    storage: Storage
    server: LiveServer

    def load(self, name: str = "Shops", data: bytes = b"", **parameters: str) -> str:
        """Loads a data source as a program does, and waits; returns the job's id."""
        usual = {"dataSourceName": name, "loadOperation": "complete", "input": "csv", "setPublic": "0", "key": MASTER}
        answer = self.server.client.post(
            f"{self.server.url}/REST/v1/Dataflows/LoadDataSource",
            params=usual | parameters,
            content=data or shops("1", "2", note=name),
        )
        assert answer.status_code == 201, answer.text
        job_id = str(answer.json()["resourceSets"][0]["resources"][0]["id"])
        wait_for(lambda: self.server.job(f"Dataflows/LoadDataSource/{job_id}")["status"] != "Pending")
        return job_id

    def geocoded(self, **properties: Any) -> str:
        """Writes the row of a finished geocode job with an output in a blob; returns its id."""
        container, job_id = "exports", new_job_id(now())
        path = f"{self.storage.account}/{job_id}/0123456789ab/succeeded.xml"
        self.storage.blobs.get_container_client(container).upload_blob(path, b"<GeocodeFeed/>")
        self.storage.job("Geocode", RowKey=job_id, OutputBlob=f"{container}/{path}", **properties)
        return job_id

    def workspaces(self, server: LiveServer | None = None) -> list[etree._Element]:
        """The data sources that a server lists, by default this one."""
        return list((server or self.server).xml("data").iterfind("{*}workspace"))


@contextmanager
def run_service(storage: Storage, **settings: Any) -> Iterator[Service]:
    """Starts the server and the worker."""
    with start_server(storage, **settings) as server, _worker(storage):
        yield Service(storage, server)


@contextmanager
def _worker(storage: Storage) -> Iterator[None]:
    ended, ready = threading.Event(), threading.Event()

    async def work() -> None:
        with TemporaryDirectory() as folder:
            async with open_account(storage) as account:
                await account.create_missing()
                readers = cast("ReaderPool", InlineReaders(ReaderLimits()))
                context = WorkerContext(LIMITS, Path(folder), readers)
                ready.set()
                while not ended.is_set():
                    lease = await account.queue.receive()
                    if lease is None:
                        await asyncio.sleep(0.05)
                    else:
                        await run_leased_job(account, lease, context, asyncio.Event())

    thread = threading.Thread(target=lambda: asyncio.run(work()), daemon=True)
    thread.start()
    assert ready.wait(LOAD_SECONDS)
    yield
    ended.set()
    thread.join(LOAD_SECONDS)
    assert not thread.is_alive()
