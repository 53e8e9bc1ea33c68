"""An account in each kind of trouble beside one that is well."""

import asyncio
import time
from collections.abc import Iterator
from statistics import median

from benchmarks.soak.clients import Connection, Tally, poll, request
from benchmarks.soak.figures import Figure, at_least, at_most, none_of, p99
from benchmarks.soak.server import logged
from tests.support.fault_proxy import FAULTS, Mode
from tests.support.storage import Storage
from tests.support.two_accounts import DATA_SOURCE, SICK, TwoAccounts

ROW = "fault"
TIMEOUT = 1.0
IN_TIME = TIMEOUT + 0.5
RECOVERY = 2.0
RATIO = 1.5
CLIENTS = 6
GAP = 0.01


def faults(storage: Storage, *, rounds: int = 5, seconds: float = 1.5) -> Iterator[Figure]:
    """Rounds of so many seconds with each fault and as many without, by turns."""
    with TwoAccounts.open(storage) as two, logged(**two.settings, storage_timeout=TIMEOUT) as server:
        other = storage.job(status="Pending")
        for mode in FAULTS:
            yield from asyncio.run(_one(server.port, two, other, mode, rounds, seconds))
        yield none_of(ROW, "lines of the log that tell of a mishap", server.mishaps())


async def _one(port: int, two: TwoAccounts, other: str, mode: Mode, rounds: int, seconds: float) -> list[Figure]:
    usual, troubled, recoveries = [], [], []
    well, sick, remembered = Tally(), Tally(), Tally()
    for _ in range(rounds):
        calm, _, _ = await _round(port, two, other, seconds)
        two.hop.mode = mode
        await asyncio.sleep(1.1)  # what is remembered of a job that is not finished has ended
        noticed, asked, known = await _round(port, two, other, seconds)
        two.hop.mode = Mode.WELL
        recoveries.append(await _recovery(port, two))
        usual.append(p99(calm.seconds))
        troubled.append(p99(noticed.seconds))
        for sum_of, tally in ((sick, asked), (remembered, known), (well, calm), (well, noticed)):
            sum_of.add(tally)
    row = f"{ROW}: {mode.value}"
    return [
        at_least(row, "its requests answered 503", sick.statuses[503], rounds),
        none_of(row, "its requests answered otherwise or lost", sick.others_than(503)),
        at_most(row, "its slowest answer", max(sick.seconds), IN_TIME, "s"),
        none_of(row, "its remembered jobs: not 200", remembered.others_than(200)),
        at_most(row, "its remembered jobs: slowest answer", max(remembered.seconds), IN_TIME, "s"),
        none_of(row, "other account: not 200", well.others_than(200)),
        at_most(row, "other account: p99, times that without fault", median(troubled) / median(usual), RATIO, "x"),
        at_most(row, "until it is well again", max(recoveries), RECOVERY, "s"),
    ]


async def _round(port: int, two: TwoAccounts, other: str, seconds: float) -> tuple[Tally, Tally, Tally]:
    """What became of the requests of the account that is well, of the other's, and of those for its finished jobs."""
    end = time.monotonic() + seconds
    well = [request(f"Dataflows/LoadDataSource/{other}")] * CLIENTS
    sick = [request(two.paths[0], SICK), request(two.paths[0], SICK, "xml"), request("Dataflows/ListJobs", SICK)]
    known = [
        request(f"data/jobs/{two.finished}/$getstatus", SICK),
        request(f"Dataflows/DataSourceDownload/{DATA_SOURCE}", SICK, "xml"),
    ]
    parts = [
        [asyncio.create_task(poll(port, data, lambda: time.monotonic() < end, gap=GAP)) for data in asked]
        for asked in (well, sick, known)
    ]
    sums = Tally(), Tally(), Tally()
    for sum_of, tasks in zip(sums, parts, strict=True):
        for tally in await asyncio.gather(*tasks):
            sum_of.add(tally)
    return sums


async def _recovery(port: int, two: TwoAccounts) -> float:
    started = time.monotonic()
    connection = await Connection.open(port)
    data = request(two.paths[0], SICK)
    for _ in range(500):
        if (await connection.ask(data)).status == 200:
            break
        await asyncio.sleep(0.02)
    connection.close()
    return time.monotonic() - started
