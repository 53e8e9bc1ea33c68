"""An account with an Azure Maps, which is the stand-in: a server, a worker, and how a client geocodes a batch."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from proxy.demo.maps.stand_in import KEY, MapsStandIn, start_stand_in
from tests.support.live import MASTER, QUERY, LiveServer, start_server
from tests.support.queries import start_querying
from tests.support.storage import Storage
from tests.support.worker_processes import WorkerProcess, worker_process

KEY_VARIABLE = "TEST_MAPS_KEY"
WAIT_SECONDS = 180


def maps_account(storage: Storage, url: str) -> dict[str, Any]:
    """The account's entry of the key ring, with the stand-in at this URL."""
    maps = {"subscription_key_env": KEY_VARIABLE, "endpoint": url}
    return {"storage": {"connection_string": storage.connection_string}, "maps": maps}


@contextmanager
def maps_server(storage: Storage, url: str = "http://127.0.0.1:9", **settings: Any) -> Iterator[LiveServer]:
    """A server whose account has an Azure Maps."""
    accounts = {storage.account: maps_account(storage, url)}
    with (
        patch.dict(os.environ, {KEY_VARIABLE: KEY}),
        start_server(storage, accounts=accounts, **settings) as server,
    ):
        yield server


@contextmanager
def maps_worker(storage: Storage, url: str, folder: Path, **settings: object) -> Iterator[WorkerProcess]:
    """A worker whose account has an Azure Maps."""
    keys = {MASTER: {"account": storage.account}, QUERY: {"account": storage.account, "role": "query"}}
    ring = {"accounts": {storage.account: maps_account(storage, url)}, "keys": keys}
    chosen = {"keyring": json.dumps(ring), "maps_calls_per_second": 1000} | settings
    with patch.dict(os.environ, {KEY_VARIABLE: KEY}), worker_process(storage, folder, **chosen) as worker:
        yield worker


@dataclass(frozen=True)
class Geocoding:
    """A server and a worker before the same stand-in."""

    server: LiveServer
    worker: WorkerProcess
    maps: MapsStandIn

    def create(self, data: bytes, form: str = "csv", **parameters: str) -> httpx.Response:
        """Creates a job."""
        return create(self.server, data, form, **parameters)

    def finish(self, created: httpx.Response) -> dict[str, Any]:
        """Polls as clients do, until the job has ended; returns it."""
        (job,) = created.json()["resourceSets"][0]["resources"]
        end = time.monotonic() + WAIT_SECONDS
        while (found := self.server.job(f"Dataflows/Geocode/{job['id']}"))["status"] == "Pending":
            assert time.monotonic() < end
            time.sleep(0.1)
        return found

    def outputs(self, job: Mapping[str, Any]) -> dict[str, bytes]:
        """The outputs that a finished job links to, by their names."""
        links = {link["name"]: link["url"] for link in job["links"] if link["role"] == "output"}
        return {name: self.server.client.get(f"{url}?key={MASTER}").content for name, url in links.items()}


def create(server: LiveServer, data: bytes, form: str = "csv", **parameters: str) -> httpx.Response:
    """Creates a geocode job, without a word about what the body is."""
    query = {"input": form, "key": MASTER} | parameters
    return server.client.post(f"{server.url}/REST/v1/Dataflows/Geocode", params=query, content=data)


@contextmanager
def start_geocoding(storage: Storage, folder: Path, **settings: object) -> Iterator[Geocoding]:
    """A stand-in, a worker that is ready, and a server."""
    with (
        start_stand_in() as maps,
        maps_worker(storage, maps.url, folder, **settings) as worker,
        maps_server(storage, maps.url) as server,
    ):
        worker.wait_until_ready()
        yield Geocoding(server, worker, maps)


@contextmanager
def maps_querying(storage: Storage, url: str, folder: Path, **settings: Any) -> Iterator[LiveServer]:
    """A server that answers queries, and whose account has an Azure Maps."""
    accounts = {storage.account: maps_account(storage, url)}
    with (
        patch.dict(os.environ, {KEY_VARIABLE: KEY}),
        start_querying(storage, folder, accounts=accounts, **settings) as server,
    ):
        yield server
