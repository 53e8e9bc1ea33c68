"""Data sources of the largest sizes: the map, the first page and CSV. The figures are printed (`pytest -s`)."""

import resource
import time
from pathlib import Path

import pytest

from adapters.model.jobs import JobStatus
from tests.support.console import LiveConsole
from tests.support.source_pages import PAGE_BYTES, base
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play

COUNT = 200_000
"""The most that a load may have, unless a setting allows more."""
ROUNDS = 5
CSV_MEGABYTES = 200
"""What the process may grow by, of the pages of the mapped file above all."""


def many(count: int) -> bytes:
    """Entities all over the world, in no order of places."""
    head = "Bing Spatial Data Services, 1.0, Stores\nId(Edm.String,primaryKey)|Note(Edm.String)|Seats(Edm.Int64)"
    lines = [f"{head}|Latitude(Edm.Double)|Longitude(Edm.Double)"]
    lines += [
        f"s{at:07d}|Note {at % 977}|{at % 1000}|{at * 7919 % 1_700_003 / 10_000 - 85:.4f}|"
        f"{at * 104_729 % 3_500_017 / 10_000 - 175:.4f}"
        for at in range(count)
    ]
    return "\n".join(lines).encode()


@pytest.mark.slow
def test_pages_of_very_many_entities_are_quick_and_small(storage: Storage, console: LiveConsole) -> None:
    async def load(desk: Desk) -> None:
        job = await desk.done(desk.load(many(COUNT), input="pipe"))
        assert job.status is JobStatus.COMPLETED, job.error_message

    play(storage, load)
    path = base(storage)
    started = time.perf_counter()
    console.page(f"{path}/map")
    first = time.perf_counter() - started
    _print(f"\n{COUNT:,} entities: first page after a load (fetched, converted) {first:.1f} s")
    for what, page in {
        "map of all": "/map",
        "map of a town": "/map?at=47.6,-122.3,9",
        "map with an area": "/map?area=nearby&latitude=47.6&longitude=-122.3&km=500",
        "first entities": "/entities",
        "filtered and ordered": "/entities?$filter=Seats ge 500&$orderby=Note desc,Seats",
        "query": "/query?$format=json&$filter=Seats eq 7",
    }.items():
        times = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            response = console.get(path + page)
            times.append(time.perf_counter() - started)
            assert response.status_code == 200
        _print(f"  {what}: {min(times) * 1000:.0f} ms, {len(response.content):,} bytes")
        assert len(response.content) <= PAGE_BYTES
        assert min(times) < first / 2  # nothing is fetched or converted again
    before, size, started = _peak_megabytes(), 0, time.perf_counter()
    with console.client.stream("GET", f"{console.url}{path}/entities.csv?$orderby=Seats") as response:
        for chunk in response.iter_bytes():
            size += len(chunk)
    grown = _peak_megabytes() - before
    _print(f"  CSV: {size / 1e6:.0f} MB in {time.perf_counter() - started:.1f} s, {grown:.0f} MB more memory")
    assert size > 35 * COUNT
    assert grown < CSV_MEGABYTES


def _peak_megabytes() -> float:
    """The most memory that this process, which the console runs in, has had."""
    status = Path("/proc/self/status").read_text()
    found = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(found[0].split()[1]) / 1000 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _print(figure: str) -> None:
    print(figure)  # noqa: T201 - what a slow test is for
