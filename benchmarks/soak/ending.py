"""SIGTERM to a server that many clients use."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.soak.clients import Connection, LostError, Tally, poll, request
from benchmarks.soak.figures import Figure, at_least, at_most, none_of
from benchmarks.soak.server import LoggedServer, logged
from proxy.server.graceful_shutdown import DRAIN_SECONDS
from tests.support.fault_proxy import Mode
from tests.support.storage import Storage
from tests.support.two_accounts import SICK, TwoAccounts

TIMEOUT = 2.0
SLOW = 0.5
ENDS_WITHIN = 10.0
READY = b"GET /readyz HTTP/1.1\r\nHost: proxy.example\r\n\r\n"


@dataclass
class _Watch:
    """When readiness was seen false, and when the port was seen closed, by the monotonic clock.

    `longest_gap` has the most seconds from one look to the next: the machine may have stopped meanwhile.
    """

    unready: float = float("inf")
    closed: float = float("inf")
    longest_gap: float = 0.0


def ending(
    storage: Storage,
    *,
    times: int = 3,
    clients: int = 24,
    seconds: float = 1.0,
    timeout: float = TIMEOUT,
    ends_within: float = ENDS_WITHIN,
) -> Iterator[Figure]:
    """Ends a server so many times, each after some seconds of load.

    Args:
        storage: where the jobs are.
        times: how often.
        clients: those of the account whose storage is well; a quarter as many wait for slow storage.
        seconds: of load before each end.
        timeout: the server's deadline of one request's work with storage, in seconds.
        ends_within: the seconds that an end may take.
    """
    row = "SIGTERM"
    sums, slow = Tally(), Tally()
    longest, statuses, late, mishaps = 0.0, 0, 0, 0
    with TwoAccounts.open(storage) as two:
        two.hop.seconds, two.hop.mode = SLOW, Mode.DELAY
        job = storage.job(status="Pending")
        settings = {"storage_timeout": timeout, "pending_ttl": 0.1}
        for _ in range(times):
            with logged(**two.settings, **settings) as server:
                watch = _Watch()
                ended, status = asyncio.run(_end(server, job, two.pending, clients, seconds, sums, slow, watch))
                longest = max(longest, ended)
                statuses += status != 0
                late += watch.unready >= watch.closed and watch.longest_gap < DRAIN_SECONDS
                mishaps += server.mishaps()
    yield at_least(row, "requests answered", sums.statuses[200] + slow.statuses[200], times * clients)
    yield none_of(row, "requests answered otherwise than 200", _others(sums) + _others(slow))
    yield none_of(row, "requests sent and not answered", sums.lost + slow.lost)
    yield none_of(row, "ends where readiness was not false before the port closed", late)
    yield none_of(row, "ends with a status other than 0", statuses)
    yield at_most(row, "longest end", longest, ends_within, "s")
    yield none_of(row, "lines of the log that tell of a mishap", mishaps)


def _others(tally: Tally) -> int:
    return tally.statuses.total() - tally.statuses[200]


async def _end(
    server: LoggedServer,
    job: str,
    slow_job: str,
    clients: int,
    seconds: float,
    sums: Tally,
    slow_sums: Tally,
    watch: _Watch,
) -> tuple[float, int]:
    """Ends a server under load; gives the seconds that it took, and its exit status."""
    running = True
    data, slow_data = request(f"Dataflows/LoadDataSource/{job}"), request(f"Dataflows/LoadDataSource/{slow_job}", SICK)

    def poll_on(data: bytes, *, keep_alive: bool) -> asyncio.Task[Tally]:
        return asyncio.create_task(poll(server.port, data, lambda: running, gap=0.002, keep_alive=keep_alive))

    fast = [poll_on(data, keep_alive=number % 2 == 0) for number in range(clients)]
    slow = [poll_on(slow_data, keep_alive=number % 2 == 0) for number in range(clients // 4)]
    watching = asyncio.create_task(_watch(server.port, watch))
    await asyncio.sleep(seconds)
    started = time.monotonic()
    server.terminate()
    status = await asyncio.to_thread(server.process.wait, 60)
    took = time.monotonic() - started
    running = False
    for sum_of, tasks in ((sums, fast), (slow_sums, slow)):
        for tally in await asyncio.gather(*tasks):
            sum_of.add(tally)
    await watching
    return took, status


async def _watch(port: int, watch: _Watch) -> None:
    """Looks at readiness on a new connection each time, until nobody listens any more."""
    last = time.monotonic()
    while True:
        looked = time.monotonic()
        watch.longest_gap, last = max(watch.longest_gap, looked - last), looked
        try:
            connection = await Connection.open(port)
        except OSError:
            watch.closed = time.monotonic()
            return
        try:
            if (await connection.ask(READY)).status == 503:
                watch.unready = min(watch.unready, time.monotonic())
        except LostError:
            pass  # a look at readiness that came too late; the requests are what counts
        connection.close()
        await asyncio.sleep(0.02)
