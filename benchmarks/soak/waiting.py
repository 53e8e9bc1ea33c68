"""A thousand clients who wait for an account that hangs, each for another job, beside an account that is well."""

import asyncio
import time
from collections.abc import Iterator
from statistics import median

from benchmarks.soak.clients import Tally, poll, request
from benchmarks.soak.figures import Figure, at_least, at_most, none_of, p99
from benchmarks.soak.server import logged
from tests.support.fault_proxy import Mode
from tests.support.storage import Storage
from tests.support.two_accounts import SICK, TwoAccounts

ROW = "waiting clients"
TIMEOUT = 1.0
RATIO = 1.5
CLIENTS = 6
GAP = 0.01

# Each waits this long between its requests, so that the two processors are not what is measured.
WAIT_GAP = 2.0


def waiting(storage: Storage, *, clients: int = 1000, rounds: int = 3, seconds: float = 4.0) -> Iterator[Figure]:
    """Rounds of so many seconds in which they wait, and in which they are answered, by turns."""
    with TwoAccounts.open(storage) as two, logged(**two.settings, storage_timeout=TIMEOUT) as server:
        other = storage.job(status="Pending")
        usual, troubled = [], []
        well, sick = Tally(), Tally()
        for _ in range(rounds):
            calm, _ = asyncio.run(_round(server.port, two, other, clients, seconds))
            two.hop.mode = Mode.HANG
            noticed, waited = asyncio.run(_round(server.port, two, other, clients, seconds))
            two.hop.mode = Mode.WELL
            time.sleep(TIMEOUT)
            usual.append(p99(calm.seconds))
            troubled.append(p99(noticed.seconds))
            well.add(calm)
            well.add(noticed)
            sick.add(waited)
        yield at_least(ROW, "answered 503", sick.statuses[503], rounds * clients)
        yield none_of(ROW, "answered otherwise, refused or lost", sick.others_than(503) + sick.refused)
        yield none_of(ROW, "other account: not 200", well.others_than(200))
        yield at_most(ROW, "other account: p99, times that without", median(troubled) / median(usual), RATIO, "x")
        yield none_of(ROW, "lines of the log that tell of a mishap", server.mishaps())


async def _round(port: int, two: TwoAccounts, other: str, clients: int, seconds: float) -> tuple[Tally, Tally]:
    end = time.monotonic() + seconds
    # A job that is remembered can be told without storage, so where it hangs each asks for one that is not there.
    paths = [f"Dataflows/LoadDataSource/{number:032x}" for number in range(clients)]
    calm = two.hop.mode is Mode.WELL
    data = [request(two.paths[0] if calm else path, SICK) for path in paths]

    async def one(number: int) -> Tally:
        await asyncio.sleep(number / clients)
        return await poll(port, data[number], lambda: time.monotonic() < end, gap=WAIT_GAP)

    wanted = request(f"Dataflows/LoadDataSource/{other}")
    well = [asyncio.create_task(poll(port, wanted, lambda: time.monotonic() < end, gap=GAP)) for _ in range(CLIENTS)]
    sick = [asyncio.create_task(one(number)) for number in range(clients)]
    sums = Tally(), Tally()
    for sum_of, tasks in zip(sums, (well, sick), strict=True):
        for tally in await asyncio.gather(*tasks):
            sum_of.add(tally)
    return sums
