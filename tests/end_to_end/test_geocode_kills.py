"""Kills of a worker while it geocodes: the outputs are the same to the byte, and only calls in flight are repeated."""

import random
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from time import sleep

import pytest

from proxy.demo.maps.stand_in import MapsStandIn, start_stand_in
from proxy.worker.geocoding.calls import IN_FLIGHT
from tests.support.geocoding import Geocoding, maps_server, maps_worker
from tests.support.storage import Storage

pytestmark = pytest.mark.slow

ROWS, KILLS = 5_000, 4
HEAD = "Bing Spatial Data Services, 2.0\nId,GeocodeRequest/Query,GeocodeResponse/Point/Latitude,StatusCode,TraceId\n"
BODY = (HEAD + "".join(f"{number},{number} Main St Denver,,,\n" for number in range(ROWS))).encode()


def without_traces(data: bytes) -> list[bytes]:
    """The rows but for their trace ids, which follow from the job's id."""
    return [line.rpartition(b",")[0] for line in data.splitlines()]


def test_a_killed_worker_costs_only_the_calls_in_flight(storage: Storage, tmp_path: Path) -> None:
    """J10."""
    chance = random.Random(7)  # noqa: S311  no secret
    with ExitStack() as stack:
        maps = stack.enter_context(start_stand_in(MapsStandIn(seconds=0.1)))
        server = stack.enter_context(maps_server(storage, maps.url))

        def start_worker() -> Geocoding:
            worker = stack.enter_context(maps_worker(storage, maps.url, tmp_path, worker_lease=2))
            worker.wait_until_ready()
            return Geocoding(server, worker, maps)

        geocoding = start_worker()
        expected = geocoding.outputs(geocoding.finish(geocoding.create(BODY)))
        assert (len(expected["succeeded"].splitlines()), maps.items) == (ROWS + 2, ROWS)
        maps.asked.clear()
        created = geocoding.create(BODY)
        for _ in range(KILLS):
            sleep(chance.uniform(0, 0.7))
            geocoding.worker.kill()
            geocoding = start_worker()
        found = geocoding.outputs(geocoding.finish(created))
    assert {name: without_traces(data) for name, data in found.items()} == {
        name: without_traces(data) for name, data in expected.items()
    }
    times = Counter(str(item) for call in maps.asked for item in call.items)
    assert len(times) == ROWS
    assert sum(times.values()) - ROWS <= KILLS * IN_FLIGHT * 100
