"""Workers that are killed at random moments of a job: the same bytes, and only calls in flight are repeated."""

import random
import time
from collections import Counter
from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.geocode.scene import rows, scene
from proxy.demo.maps.stand_in import MapsStandIn, start_stand_in
from proxy.worker.geocoding.calls import IN_FLIGHT
from tests.support.storage import Storage

SEED = 23
ANSWER_SECONDS = 0.3
CALLS_PER_SECOND = 1_000
ITEMS_OF_A_CALL = 100


def killing(storage: Storage, count: int, kills: int) -> Iterator[Figure]:
    """Yields what was wrong after one kill in each of so many jobs, at any moment from its creation to its end.

    One job could not stand them all: a worker that dies before its first call is answered has achieved nothing.
    """
    chance, data = random.Random(SEED), rows(count)  # noqa: S311 - the same on each run is the point
    most, other, lost, landed = 0, 0, 0, 0
    with (
        start_stand_in(MapsStandIn(seconds=ANSWER_SECONDS)) as maps,
        scene(storage, maps.url, maps_calls_per_second=CALLS_PER_SECOND, worker_lease=2) as running,
    ):
        with running.working():
            job, began = running.create(data), time.monotonic()
            running.wait(job)
            longest, expected = time.monotonic() - began, running.output(job)
        for _ in range(kills):
            maps.asked.clear()
            with running.working() as worker:
                job = running.create(data)
                time.sleep(chance.uniform(0, longest))
                landed += running.poll(job)["status"] == "Pending"
                worker.kill()
            with running.working():
                running.wait(job)
            times = Counter(str(item) for call in maps.asked for item in call.items)
            most = max(most, times.total() - len(times))
            lost += count - len(times)
            other += running.output(job) != expected
    yield Figure(f"SIGKILLs in jobs of {count:,} rows, before the end", landed, f"of {kills}")
    yield Figure("outputs with other bytes than undisturbed", other, f"of {kills}", at_most=0)
    yield Figure("items that were not asked", lost, "items", at_most=0)
    in_flight = IN_FLIGHT * ITEMS_OF_A_CALL
    yield Figure("items asked twice after a kill, at most", most, f"of {in_flight} in flight", at_most=in_flight)
