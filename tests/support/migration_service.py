"""Our own server in the service's part: a server, and a worker that does its jobs in a thread of the test."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from azure.data.tables import TableClient

from adapters.model.job_ids import new_job_id
from proxy.worker.job import WorkerContext, now
from proxy.worker.lease import run_leased_job
from proxy.worker.reader_pool import ReaderLimits, ReaderPool
from tests.support.inline_readers import InlineReaders
from tests.support.live import MASTER, LiveServer, start_server, wait_for
from tests.support.opened_account import open_account
from tests.support.storage import Storage
from tests.support.worker_desk import LIMITS, RUNNER, open_desk, shops

LOAD_SECONDS = 60

OUTPUT = b"<GeocodeFeed/>"


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
        self.storage.blobs.get_container_client(container).upload_blob(path, OUTPUT)
        self.storage.job("Geocode", RowKey=job_id, OutputBlob=f"{container}/{path}", **properties)
        return job_id

    def finish(self, job_id: str) -> None:
        """Ends a pending geocode job, with an output."""
        path = f"{self.storage.account}/{job_id}/0123456789ab/succeeded.xml"
        self.storage.blobs.get_container_client("exports").upload_blob(path, OUTPUT)
        self.storage.job("Geocode", RowKey=job_id, OutputBlob=f"exports/{path}")

    def publish(self, access_id: str, name: str = "Shops") -> None:
        """Publishes a staged version, and waits."""
        job_id = self.server.job(f"data/{access_id}/{name}/$commit")["id"]
        wait_for(lambda: self.server.job(f"data/jobs/{job_id}/$getstatus")["status"] != "Pending")

    def downloads(self) -> list[str]:
        """The ids of the download jobs that were created."""
        return [row["RowKey"] for row in self.storage.table.query_entities("JobType eq 'DataSourceDownload'")]

    def forget_jobs(self) -> None:
        """Removes the rows of geocode jobs, so that new jobs are allowed again."""
        for row in self.storage.table.query_entities("JobType eq 'Geocode'"):
            self.storage.table.delete_entity(row)

    def load_directly(self, data: bytes) -> str:
        """Loads the data source Shops into this storage without a server, under an access id of its own."""

        async def load() -> str:
            async with open_desk(self.storage) as desk:
                return (await desk.done(desk.load(data))).row_key

        return RUNNER.run(load())

    def clear(self) -> None:
        """Removes the data sources and the jobs of earlier tests."""
        text = self.storage.connection_string
        with TableClient.from_connection_string(text, "datasources") as sources:
            for table in (sources, self.storage.table):
                for row in table.query_entities(f"PartitionKey eq '{self.storage.account}'"):
                    table.delete_entity(row)


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
    try:
        yield
    finally:
        ended.set()
        thread.join(LOAD_SECONDS)
    assert not thread.is_alive()
