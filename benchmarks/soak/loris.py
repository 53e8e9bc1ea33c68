"""Clients who hold connections and never finish what they ask."""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle

from benchmarks.soak.clients import Tally, poll, request
from benchmarks.soak.figures import Figure, at_least, at_most, none_of
from benchmarks.soak.server import logged
from proxy.server.http_protocol import HEAD_SECONDS, LINGER_SECONDS
from tests.support.live import MASTER
from tests.support.processes import settings_of
from tests.support.storage import Storage

ROW = "slow loris"
SLACK = 2.0
CLIENTS = 8

_LIST = f"GET /REST/v1/Dataflows/ListJobs?key={MASTER} HTTP/1.1\r\nHost: a\r\n".encode()

# What each kind sends at once, and then a byte of every now and then.
KINDS: dict[str, tuple[bytes, bytes]] = {
    "a request line": (b"GET /REST/v1/", b"x"),
    "a header": (_LIST + b"X-Slow: ", b"x"),
    "headers": (_LIST, b"X: y\r\n"),
    "nothing": (b"", b""),
    "a body": (_LIST + b"Content-Length: 1000000\r\n\r\n", b"x"),
    "chunks": (_LIST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
}


def loris(storage: Storage, *, clients: int = 200) -> Iterator[Figure]:
    """So many of all kinds beside a few who ask as usual."""
    with logged(**settings_of(storage)) as server:
        yield from asyncio.run(hold(server.port, storage, clients, HEAD_SECONDS))
        yield none_of(ROW, "lines of the log that tell of a mishap", server.mishaps())


async def hold(
    port: int, storage: Storage, clients: int, head_seconds: float, *, slack: float = SLACK, slowest: float = 1.0
) -> list[Figure]:
    """Holds connections to a server that lets a head take so many seconds.

    Args:
        port: the server's.
        storage: where the others' job is.
        clients: the number of connections.
        head_seconds: what the server allows.
        slack: the seconds that the end of a connection may be late.
        slowest: the seconds that an answer to others may take.
    """
    holding = True
    bound = head_seconds + LINGER_SECONDS + slack
    data = request(f"Dataflows/LoadDataSource/{storage.job(status='Pending')}")
    usual = [asyncio.create_task(poll(port, data, lambda: holding, gap=0.01)) for _ in range(CLIENTS)]
    pause = head_seconds / 30
    slow = [
        _hold(port, *kind, pause, bound * 2) for kind, _ in zip(cycle(KINDS.values()), range(clients), strict=False)
    ]
    held = await asyncio.gather(*slow)
    holding = False
    tally = Tally()
    for part in await asyncio.gather(*usual):
        tally.add(part)
    return [
        at_least(ROW, "connections held", len(held), clients),
        at_most(ROW, "the longest that one was held", max(held), bound, "s"),
        at_least(ROW, "other requests answered 200", tally.statuses[200], CLIENTS),
        none_of(ROW, "other requests: not 200", tally.others_than(200) + tally.refused),
        at_most(ROW, "other requests: slowest answer", max(tally.seconds), slowest, "s"),
    ]


async def _hold(port: int, first: bytes, piece: bytes, pause: float, most: float) -> float:
    """Seconds until the server ends a connection."""
    started = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)

    async def drip() -> None:
        with suppress(OSError):
            while piece:
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
                writer.write(piece)
                await writer.drain()

    dripping = asyncio.create_task(drip())
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(most):
            while await reader.read(65536):
                pass
            # Its side is ended; ours is held until the server has had enough of that too.
            await dripping if piece else None
    dripping.cancel()
    writer.close()
    return time.monotonic() - started
