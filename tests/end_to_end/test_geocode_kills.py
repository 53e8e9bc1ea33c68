"""Kills of a worker while it geocodes: the outputs are the same to the byte, and only calls in flight are repeated."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from proxy.demo.maps.stand_in import MapsStandIn, start_stand_in
from proxy.worker.geocoding.calls import IN_FLIGHT
from tests.support.geocoding import Geocoding, maps_server, maps_worker
from tests.support.live import wait_for
from tests.support.storage import Storage

pytestmark = pytest.mark.slow

ROWS, KILLS = 3_000, 2
SECONDS, HELD_SECONDS = 0.1, 3600.0
HEAD = "Bing Spatial Data Services, 2.0\nId,GeocodeRequest/Query,GeocodeResponse/Point/Latitude,StatusCode,TraceId\n"
BODY = (HEAD + "".join(f"{number},{number} Main St Denver,,,\n" for number in range(ROWS))).encode()


def without_traces(data: bytes) -> list[bytes]:
    """The rows but for their trace ids, which follow from the job's id."""
    return [line.rpartition(b",")[0] for line in data.splitlines()]


def hold_after(maps: MapsStandIn, calls: int) -> None:
    """Answers so many calls, and holds those that follow: a worker is killed with calls in flight, at any speed."""

    def rule(number: int, _items: object) -> str:
        if number > calls:
            maps.seconds = HELD_SECONDS
        return ""

    maps.seconds, maps.rule = SECONDS, rule


def test_a_killed_worker_costs_only_the_calls_in_flight(storage: Storage, tmp_path: Path) -> None:
    """J10."""
    with ExitStack() as stack:
        maps = stack.enter_context(start_stand_in(MapsStandIn(seconds=SECONDS)))
        server = stack.enter_context(maps_server(storage, maps.url))

        def start_worker() -> Geocoding:
            worker = stack.enter_context(maps_worker(storage, maps.url, tmp_path, worker_lease=2))
            worker.wait_until_ready()
            return Geocoding(server, worker, maps)

        geocoding = start_worker()
        expected = geocoding.outputs(geocoding.finish(geocoding.create(BODY)))
        assert (len(expected["succeeded"].splitlines()), maps.items) == (ROWS + 2, ROWS)
        maps.asked.clear()
        hold_after(maps, IN_FLIGHT)
        created, log, kills = geocoding.create(BODY), "", KILLS
        while kills:
            wait_for(lambda: maps.seconds == HELD_SECONDS)
            log += geocoding.worker.kill()
            kills -= 1
            hold_after(maps, maps.calls + IN_FLIGHT if kills else ROWS)
            geocoding = start_worker()
        found = geocoding.outputs(geocoding.finish(created))
        log += geocoding.worker.end()[1]
    assert {name: without_traces(data) for name, data in found.items()} == {
        name: without_traces(data) for name, data in expected.items()
    }
    times = Counter(str(item) for call in maps.asked for item in call.items)
    assert len(times) == ROWS
    stops = KILLS + log.count("lease was lost")  # where the machine stops for longer than a lease
    assert 0 < sum(times.values()) - ROWS <= stops * IN_FLIGHT * 100
