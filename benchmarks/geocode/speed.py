"""How fast a job is that nothing holds up: no rate limit to speak of, and an Azure Maps that answers at once."""

from collections.abc import Iterator
from statistics import median

from benchmarks.figures import Figure
from benchmarks.geocode.maps import prepared_maps, read_items
from benchmarks.geocode.scene import processor_seconds, rows, scene, watch_memory
from tests.support.storage import Storage

CALLS_PER_SECOND = 1_000
"""The most that the setting takes: 100,000 items a second, five times the goal."""


def unbounded(storage: Storage, count: int, rounds: int) -> Iterator[Figure]:
    """Yields rows a second, from the answer to the request that creates the job until the job's row is completed."""
    data, found, spent = rows(count), list[float](), list[float]()
    with (
        prepared_maps(0) as maps,
        scene(storage, f"http://127.0.0.1:{maps}", maps_calls_per_second=CALLS_PER_SECOND) as running,
        running.working() as worker,
        watch_memory(worker.process.pid) as memory,
    ):
        running.wait(running.create(rows(100)))  # reader and connections are there
        for _ in range(rounds):
            before, begun = read_items(maps), processor_seconds(worker.process.pid)
            job = running.create(data)
            found.append(count / running.wait(job))
            spent.append(processor_seconds(worker.process.pid) - begun)
            assert read_items(maps) - before == count
            assert running.poll(job)["processedEntityCount"] == count
    yield Figure(f"{count:,} rows, no bound on calls: read, asked, written", median(found), "rows/s", at_least=20_000)
    yield Figure("the same, the fastest of the rounds", max(found), "rows/s")
    yield Figure("the same, processor time of worker and readers", min(spent), "s")
    yield Figure("the same, private memory of worker and readers", memory.all, "MB", at_most=300)
