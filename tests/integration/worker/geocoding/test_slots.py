"""Jobs beside those that wait for Azure Maps."""

import pytest

from adapters.model.jobs import JobStatus
from tests.integration.worker.geocoding.jobs import create, rows, with_maps
from tests.integration.worker.test_worker import ring_of, wait_for_jobs, wait_until, working
from tests.support.canned_maps import CannedMaps
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, shops


async def test_a_load_waits_for_no_azure_maps(desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.lease.STOP_SECONDS", 0.1)
    maps = CannedMaps(seconds=3600)
    desk = with_maps(desk, maps)
    slow = [await create(desk, rows(1)) for _ in range(3)]  # more than a worker does side by side
    ring = ring_of(storage)
    async with ring.accounts, working(desk, ring):

        async def are_asked() -> bool:
            return maps.calls >= len(slow)

        await wait_until(are_asked)
        load = await desk.load(shops("a"))
        await wait_for_jobs(desk, load)
        assert {(await desk.record(each)).status for each in slow} == {JobStatus.PENDING}
    assert (await desk.record(load)).status is JobStatus.COMPLETED
    maps.seconds = 0
    await desk.work()
    assert {(await desk.record(each)).status for each in slow} == {JobStatus.COMPLETED}
