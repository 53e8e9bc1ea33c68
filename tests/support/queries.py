"""The contract's two data sources, loaded by load jobs, and a client that queries them byte for byte."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import printable
from typing import Any
from urllib.parse import quote

import pytest

from adapters.model.jobs import JobStatus
from tests.support.live import QUERY, LiveServer, start_server
from tests.support.query_answers import Read, read
from tests.support.raw_http import Answer, connection, get
from tests.support.storage import Storage
from tests.support.stored_jobs import ACCESS_ID
from tests.support.worker_desk import Desk, play

DATA = Path(__file__).parent.parent / "unit/query/data"
SHOPS, AREAS = "FourthCoffeeSample", "AreasSample"
SAMPLES = {SHOPS: "FourthCoffee.txt", AREAS: "Areas.txt"}
BASE = "https://spatial.example.com"

# The client percent-encodes blanks and what is not ASCII; all else goes as it stands.
_AS_IT_STANDS = printable.replace(" ", "")


def load(
    storage: Storage, content: bytes, name: str = SHOPS, operation: str = "complete", form: str = "pipe", **work: Any
) -> str:
    """Loads data as a worker does, once a request has created the job; gives the job's id."""
    ids: list[str] = []

    async def story(desk: Desk) -> None:
        chosen = {"input": form, "access_id": ACCESS_ID} | work
        job = await desk.done(desk.load(content, operation, name, **chosen))
        assert job.status is JobStatus.COMPLETED, job.error_message
        ids.append(job.row_key)

    play(storage, story)
    return ids[0]


def load_samples(storage: Storage) -> None:
    """Loads the contract's data sources."""
    for name, file in SAMPLES.items():
        load(storage, (DATA / file).read_bytes(), name)


def stores(*ids: str, note: str = "", count: int = 0) -> bytes:
    """Data of the entity type Stores: these ids, or the numbers up to a count, on a grid of places."""
    head = "Bing Spatial Data Services, 1.0, Stores\nId(Edm.String,primaryKey)|Note(Edm.String)|Seats(Edm.Int64)"
    lines = [f"{head}|Latitude(Edm.Double)|Longitude(Edm.Double)"]
    named = ids or [f"s{number:06d}" for number in range(count)]
    lines += [f"{id_}|{note}|{at}|{at % 170 - 85}|{at % 350 - 175}" for at, id_ in enumerate(named)]
    return "\n".join(lines).encode()


@dataclass(frozen=True)
class Queries:
    """Queries a server's data source."""

    server: LiveServer
    name: str = SHOPS
    access_id: str = ACCESS_ID

    def ask(self, request: str, key: str | None = QUERY, method: str = "GET", headers: tuple[str, ...] = ()) -> Answer:
        """The answer to what follows the data source's name in a URL; `{key}` in it is the key's place."""
        with connection(self.server, 30) as opened:
            opened.send(get(self.target(request, key), "Connection: close", *headers, method=method))
            return opened.answer(method)

    def read(self, request: str, key: str = QUERY) -> Read:
        """The same as a client reads it."""
        answer = self.ask(request, key)
        assert answer.status == 200, answer.body
        return read(answer.body)

    def refused(self, request: str, status: int, key: str | None = QUERY) -> str:
        """The text of an error's envelope, checked to have this status."""
        answer = self.ask(request, key)
        assert (answer.status, answer.envelope["resourceSets"]) == (status, [])
        (text,) = answer.envelope["errorDetails"]
        return str(text)

    def target(self, request: str, key: str | None = QUERY) -> str:
        """The target of the request line."""
        path = f"/REST/v1/data/{self.access_id}/{self.name}/{request}"
        if key is not None and "{key}" in path:
            path = path.replace("{key}", key)
        elif key is not None:
            path += f"{'&' if '?' in path else '?'}key={key}"
        return quote(path, safe=_AS_IT_STANDS)


@contextmanager
def start_querying(storage: Storage, folder: Path, **settings: Any) -> Iterator[LiveServer]:
    """A server whose files of versions are in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("proxy.api.query_service.default_folder", lambda: folder)
        chosen: dict[str, Any] = {"public_url": BASE} | settings
        with start_server(storage, **chosen) as server:
            yield server


def unwrap(answer: Answer, callback: str = "cb") -> dict[str, Any]:
    """The JSON in a call of the caller's function."""
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    before = f"{callback}(".encode()
    assert answer.body.startswith(before)
    assert answer.body.endswith(b")")
    return dict(json.loads(answer.body[len(before) : -1]))
