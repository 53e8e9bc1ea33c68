"""Two servers behind a load balancer, which are restarted one after the other while requests go on."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.soak.balancer import Balancer
from benchmarks.soak.clients import Tally, poll, request
from benchmarks.soak.figures import Figure, at_least, none_of
from benchmarks.soak.server import LoggedServer, start
from tests.support.processes import settings_of
from tests.support.storage import Storage

ROW = "rolling restart"
CLIENTS = 16


def rolling(storage: Storage, *, requests: int = 20_000) -> Iterator[Figure]:
    """Restarts until so many requests are done, each server at least once."""
    job_id, finished = storage.job(status="Pending"), storage.job()
    with TemporaryDirectory() as folder:
        servers = [start(settings_of(storage), Path(folder) / f"log-{number}") for number in range(2)]
        try:
            tally, restarts, statuses = asyncio.run(_roll(servers, settings_of(storage), [job_id, finished], requests))
            mishaps = sum(server.mishaps() for server in servers)
        finally:
            for server in servers:
                server.process.kill()
                server.process.wait()
    yield at_least(ROW, "requests answered 200", tally.statuses[200], requests)
    yield none_of(ROW, "requests lost, or answered otherwise", tally.others_than(200) + tally.refused)
    yield at_least(ROW, "restarts", restarts, 2)
    yield none_of(ROW, "ends with a status other than 0", statuses)
    yield none_of(ROW, "lines of the log that tell of a mishap", mishaps)


async def _roll(
    servers: list[LoggedServer], settings: dict[str, object], jobs: list[str], requests: int
) -> tuple[Tally, int, int]:
    asked, restarts, statuses = 0, 0, 0

    def goes_on() -> bool:
        nonlocal asked
        asked += 1
        return asked <= requests or restarts < len(servers)

    async with Balancer.before([server.port for server in servers]) as balancer:
        for server in servers:
            await balancer.until_ready(server.port)
        data = [request(f"Dataflows/LoadDataSource/{job}", form=form) for job in jobs for form in ("json", "xml")]
        polls = [
            asyncio.create_task(
                poll(balancer.port, data[number % len(data)], goes_on, gap=0.005, keep_alive=number % 2 == 0)
            )
            for number in range(CLIENTS)
        ]
        while asked <= requests or restarts < len(servers):
            number = restarts % len(servers)
            server = servers[number]
            statuses += await asyncio.to_thread(server.stop) != 0
            servers[number] = await asyncio.to_thread(start, settings, server.log, server.port)
            await balancer.until_ready(server.port)
            restarts += 1
        tally = Tally()
        for part in await asyncio.gather(*polls):
            tally.add(part)
    return tally, restarts, statuses
