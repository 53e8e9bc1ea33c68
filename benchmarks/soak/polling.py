"""An hour of polling, as fast as it goes: whether memory stays what it was after the first tenth."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator

from benchmarks.soak.clients import pipeline, request
from benchmarks.soak.figures import Figure, at_least, at_most, none_of
from benchmarks.soak.server import LoggedServer, logged
from tests.support.processes import settings_of
from tests.support.storage import Storage

ROW = "polls"
SEED = 7
CONNECTIONS = 8
GROWTH_PERCENT = 5.0
JOBS = 100

# Of a thousand polls, how many are of each kind; what must read storage each time is rare, so that time goes to polls.
MIX = {"finished": 450, "pending": 450, "list": 90, "download": 5, "not found": 5}


def polling(storage: Storage, *, requests: int = 1_000_000) -> Iterator[Figure]:
    """So many polls over a mix of jobs, in both formats, with the default logging."""
    paths = _paths(storage)
    with logged(**settings_of(storage)) as server:
        started = time.monotonic()
        statuses, first = asyncio.run(_poll(server, paths, requests))
        seconds = time.monotonic() - started
        growth = (server.memory_kb - first) * 100 / first
        yield at_least(ROW, "answered", statuses.total(), requests)
        yield none_of(ROW, "answered otherwise than 200, or 404 where there is nothing", _others(statuses))
        yield at_most(ROW, "memory after the first tenth", first / 1024, 120, "MB")
        yield at_most(ROW, "growth of memory since then", growth, GROWTH_PERCENT, "%")
        yield Figure(ROW, "answers in a second", statuses.total() / seconds, "", "", kept=True)
        yield none_of(ROW, "lines of the log that tell of a mishap", server.mishaps())


def _paths(storage: Storage) -> dict[str, list[str]]:
    finished = [storage.job(OutputBlob="exports/a.xml") for _ in range(JOBS)]
    pending = [storage.job(status="Pending") for _ in range(JOBS // 5)]
    storage.download("Coffee", OutputBlob="exports/b.xml")
    return {
        "finished": [f"Dataflows/LoadDataSource/{job}" for job in finished],
        "pending": [f"Dataflows/LoadDataSource/{job}" for job in pending],
        "list": ["Dataflows/ListJobs"],
        "download": ["Dataflows/DataSourceDownload/Coffee"],
        "not found": [f"Dataflows/LoadDataSource/{number:032x}" for number in range(JOBS)],
    }


def _others(statuses: Counter[int]) -> int:
    return sum(count for status, count in statuses.items() if status not in {200, 404})


async def _poll(server: LoggedServer, paths: dict[str, list[str]], requests: int) -> tuple[Counter[int], int]:
    """Gives the statuses, and the memory after the first tenth."""
    chosen = random.Random(SEED)  # noqa: S311 - the same on each run is the point
    asked = [
        request(path, form=form)
        for kind, share in MIX.items()
        for path, form in zip(
            chosen.choices(paths[kind], k=share), chosen.choices(["json", "xml"], k=share), strict=True
        )
    ]
    sent, memory = 0, 0

    def polls() -> Iterator[bytes]:
        nonlocal sent, memory
        while sent < requests:
            sent += 1
            if sent == requests // 10:
                memory = server.memory_kb
            yield chosen.choice(asked)

    shared = polls()
    statuses: Counter[int] = Counter()
    for part in await asyncio.gather(*(pipeline(server.port, shared) for _ in range(CONNECTIONS))):
        statuses += part
    return statuses, memory
