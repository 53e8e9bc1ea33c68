"""A rolling update as the manifest has it loses no request: another server is ready before one is told to end."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.soak.balancer import Balancer
from benchmarks.soak.clients import Tally, poll, request
from benchmarks.soak.server import LoggedServer, start
from tests.support.processes import free_port, settings_of
from tests.support.storage import Storage

pytestmark = pytest.mark.slow

CLIENTS = 8
SERVERS = 2

End = Callable[[LoggedServer], int]


def terminate(server: LoggedServer) -> int:
    """Ends a server as Kubernetes does."""
    return server.stop()


def kill(server: LoggedServer) -> int:
    """Ends a server as nobody should."""
    server.process.kill()
    return server.process.wait()


def update_servers(storage: Storage, folder: Path, end: End) -> tuple[Tally, list[int], int]:
    """Replaces one of two servers behind a balancer while requests go on; `make soak` replaces each of them.

    The balancer sends requests to the servers that say they are ready. Returns the tally of the requests, the servers'
    exit statuses, and how many lines of their logs tell of a mishap.
    """
    jobs = [storage.job(status="Pending"), storage.job()]
    settings, ports = settings_of(storage) | {"storage_timeout": 20}, [free_port() for _ in range(SERVERS + 1)]
    with ExitStack() as stack, ThreadPoolExecutor() as threads:

        def started(port: int) -> LoggedServer:
            server = start(settings, folder / f"log-{port}", port)
            stack.callback(server.process.wait)
            stack.callback(server.process.kill)
            return server

        running = list(threads.map(started, ports[:SERVERS]))
        servers = list(running)

        async def update() -> tuple[Tally, list[int]]:
            goes_on, statuses = True, []
            async with Balancer.before(ports) as balancer:
                for server in running:
                    await balancer.until_ready(server.port)
                data = [
                    request(f"Dataflows/LoadDataSource/{job}", form=form) for job in jobs for form in ("json", "xml")
                ]
                polls = [
                    asyncio.create_task(
                        poll(balancer.port, data[number % 4], lambda: goes_on, gap=0.005, keep_alive=number % 2 == 0)
                    )
                    for number in range(CLIENTS)
                ]
                for port in ports[SERVERS:]:
                    new = await asyncio.to_thread(started, port)
                    servers.append(new)
                    await balancer.until_ready(port)
                    statuses.append(await asyncio.to_thread(end, running.pop(0)))
                    running.append(new)
                goes_on = False
                tally = Tally()
                for part in await asyncio.gather(*polls):
                    tally.add(part)
            return tally, statuses

        tally, statuses = asyncio.run(update())
        return tally, statuses, sum(server.mishaps() for server in servers)


def test_a_rolling_update_loses_no_request(storage: Storage, tmp_path: Path) -> None:
    tally, statuses, mishaps = update_servers(storage, tmp_path, terminate)
    assert tally.statuses[200] > 100
    assert tally.others_than(200) + tally.refused == 0
    assert (statuses, mishaps) == ([0], 0)


def test_a_rolling_update_that_kills_loses_requests(storage: Storage, tmp_path: Path) -> None:
    tally, _, _ = update_servers(storage, tmp_path, kill)
    assert tally.others_than(200) + tally.refused > 0
