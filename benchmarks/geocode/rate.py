"""A job that its rate bounds, and small jobs that begin meanwhile."""

import time
from collections.abc import Iterator
from statistics import median

from benchmarks.figures import Figure
from benchmarks.geocode.maps import prepared_maps
from benchmarks.geocode.scene import Scene, rows, scene, watch_memory
from tests.support.storage import Storage

CALLS_PER_SECOND = 5
ANSWER_SECONDS = 0.1
ITEMS_OF_A_CALL = 100
SMALL_JOBS = 5


def bounded(storage: Storage, count: int) -> Iterator[Figure]:
    """Yields the seconds of the job beside what the rate allows, and what others saw of it."""
    allowed = count / ITEMS_OF_A_CALL / CALLS_PER_SECOND
    with (
        prepared_maps(ANSWER_SECONDS) as maps,
        scene(storage, f"http://127.0.0.1:{maps}", maps_calls_per_second=CALLS_PER_SECOND) as running,
        running.working() as worker,
        watch_memory(worker.process.pid) as memory,
    ):
        job, began = running.create(rows(count)), time.monotonic()
        time.sleep(allowed / 10)
        small = [_small_job(running, number) for number in range(SMALL_JOBS)]
        assert running.poll(job)["status"] == "Pending"
        running.wait(job)
        seconds = time.monotonic() - began
        assert running.poll(job)["processedEntityCount"] == count
    what = f"{count:,} rows at {CALLS_PER_SECOND} calls/s, {ANSWER_SECONDS * 1000:.0f} ms each"
    yield Figure(what, seconds, "s")
    yield Figure("the same as a ratio", seconds / allowed, f"times the {allowed:.0f} s of the rate", at_most=1.1)
    yield Figure("the same, private memory of the worker", memory.worker, "MB")
    yield Figure("the same, private memory of worker and readers", memory.all, "MB", at_most=300)
    yield Figure(f"a job of 2 rows beside it, the longest of {SMALL_JOBS}", max(small), "s", at_most=10)
    yield Figure("the same, median", median(small), "s")


def _small_job(running: Scene, number: int) -> float:
    """Seconds from the request until a client sees its job completed."""
    began = time.monotonic()
    job = running.create(rows(2, f"Side St {number}"))
    while running.poll(job)["status"] != "Completed":
        time.sleep(0.1)
    return time.monotonic() - began
