"""A server and a worker as operators run them, before an Azure Maps that is a stand-in."""

import http.client
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from benchmarks.queries.memory import private_mb
from benchmarks.servers import get, proxy
from proxy.demo.maps.stand_in import KEY
from tests.support.geocoding import KEY_VARIABLE, maps_account
from tests.support.live import MASTER
from tests.support.storage import Storage
from tests.support.worker_processes import WorkerProcess, children, worker_process

HEAD = (
    "Bing Spatial Data Services, 2.0\nId,GeocodeRequest/Culture,GeocodeRequest/Address/AddressLine,"
    "GeocodeRequest/Address/AdminDistrict,GeocodeRequest/Address/Locality,GeocodeRequest/Address/PostalCode,"
    "GeocodeResponse/Address/FormattedAddress,GeocodeResponse/Address/Locality,GeocodeResponse/Confidence,"
    "GeocodeResponse/Point/Latitude,GeocodeResponse/Point/Longitude,GeocodeResponse/EntityType,StatusCode,FaultReason\n"
)
LONGEST = 900.0


def rows(count: int, street: str = "Main St") -> bytes:
    """A file of addresses that all differ."""
    return (HEAD + "".join(f"{row},en-US,{row} {street},WA,Redmond,98052,,,,,,,,\n" for row in range(count))).encode()


@dataclass
class Scene:
    """What runs. `worker` may be killed, and another one started."""

    storage: Storage
    port: int
    url: str
    folder: Path
    settings: dict[str, object]
    worker: WorkerProcess = field(init=False)

    def create(self, data: bytes) -> str:
        """Creates a geocode job; returns its id."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", f"/REST/v1/Dataflows/Geocode?input=csv&key={MASTER}", data)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != http.client.CREATED:
            raise RuntimeError(f"the job was answered {answer.status}")
        return str(json.loads(body)["resourceSets"][0]["resources"][0]["id"])

    def wait(self, job_id: str) -> float:
        """Seconds until the job's row says that it has ended; raises where it is not completed."""
        began = time.monotonic()
        while (row := self.storage.table.get_entity(self.storage.account, job_id))["Status"] != "Completed":
            if row["Status"] == "Aborted" or time.monotonic() > began + LONGEST:
                raise RuntimeError(f"the job is {row['Status']}: {row.get('ErrorMessage')}")
            time.sleep(0.05)
        return time.monotonic() - began

    def poll(self, job_id: str) -> dict[str, Any]:
        """The job as a client sees it."""
        body = get(self.port, f"/REST/v1/Dataflows/Geocode/{job_id}?key={MASTER}")[1]
        return dict(json.loads(body)["resourceSets"][0]["resources"][0])

    def output(self, job_id: str) -> bytes:
        """The succeeded rows of a completed job."""
        return get(self.port, f"/REST/v1/Dataflows/Geocode/{job_id}/output/succeeded?key={MASTER}")[1]

    @contextmanager
    def working(self) -> Iterator[WorkerProcess]:
        """Runs a worker that is ready."""
        entry = maps_account(self.storage, self.url)
        ring = {"accounts": {self.storage.account: entry}, "keys": {MASTER: {"account": self.storage.account}}}
        with worker_process(self.storage, self.folder, keyring=json.dumps(ring), **self.settings) as worker:
            worker.wait_until_ready()
            assert worker.process.stderr is not None
            drain = threading.Thread(target=worker.process.stderr.read, daemon=True)
            drain.start()
            self.worker = worker
            yield worker
            worker.process.kill()
            drain.join()


@contextmanager
def scene(storage: Storage, url: str, **settings: object) -> Iterator[Scene]:
    """Runs a server; `settings` are those of its workers."""
    ring = {
        "accounts": {storage.account: maps_account(storage, url)},
        "keys": {MASTER: {"account": storage.account}},
    }
    with (
        patch.dict(os.environ, {KEY_VARIABLE: KEY}),
        TemporaryDirectory() as folder,
        proxy(storage, keyring=json.dumps(ring), max_jobs_per_day=1_000) as (port, _),
    ):
        yield Scene(storage, port, url, Path(folder), settings)


@dataclass
class Memory:
    """Megabytes of private memory at most: of a worker, and of the worker and its readers."""

    worker: float = 0.0
    all: float = 0.0


@contextmanager
def watch_memory(process: int) -> Iterator[Memory]:
    """Looks at a worker and its readers a few times a second."""
    found, stop = Memory(), threading.Event()

    def watch() -> None:
        while not stop.wait(0.25):
            own, readers = _private(process), sum(map(_private, children(process)))
            found.worker, found.all = max(found.worker, own), max(found.all, own + readers)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


def processor_seconds(process: int) -> float:
    """The seconds of a worker and its readers so far, also of those that have ended."""
    ticks = _ticks(process, with_ended=True) + sum(map(_ticks, children(process)))
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(process: int, *, with_ended: bool = False) -> int:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if with_ended else 13]))


def _private(process: int) -> float:
    try:
        return private_mb(process)
    except OSError:  # a reader has ended
        return 0.0
