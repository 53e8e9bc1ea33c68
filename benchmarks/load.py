"""A load on one server: so many connections, each asking again as soon as it has its answer.

Run as a process of its own, so that the server's processor is not shared: `python -m benchmarks.load PORT SECONDS
CONNECTIONS`, the request targets on standard input, one a line, taken in turn. Prints what came of it as JSON.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from typing import cast

import uvloop

_LENGTH = b"content-length: "
_GOOD = (b"HTTP/1.1 200", b"HTTP/1.1 302")


@dataclass(frozen=True)
class Outcome:
    """Answers a second, the milliseconds of the median and of 99 in 100, and answers that were no 200 or 302."""

    rate: float
    p50: float
    p99: float
    bad: int


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], until: float, latencies: list[float]) -> None:
        self._requests, self._until, self._latencies = requests, until, latencies
        self._received = b""
        self._asked = 0.0
        self.bad = 0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received = received = self._received + data if self._received else data
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return
        start = received.lower().find(_LENGTH, 0, end + 2) + len(_LENGTH)
        if len(received) < end + 4 + int(received[start : received.index(b"\r", start)]):
            return
        now = time.perf_counter()
        self._latencies.append(now - self._asked)
        self.bad += not received.startswith(_GOOD)
        self._received = b""
        if now < self._until:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.bad += exc is not None
        self.done.set_result(None)

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(next(self._requests))


async def _run(port: int, seconds: float, connections: int, targets: Sequence[str]) -> Outcome:
    heads = [f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() for target in targets]
    loop, latencies, requests = asyncio.get_running_loop(), list[float](), cycle(heads)
    started = time.perf_counter()
    opened = [_Connection(requests, started + seconds, latencies) for _ in range(connections)]
    for each in opened:
        await loop.create_connection(lambda each=each: each, "127.0.0.1", port)  # type: ignore[misc]  # bound now
    await asyncio.gather(*(each.done for each in opened))
    elapsed = time.perf_counter() - started
    latencies.sort()
    p50, p99 = (latencies[int(len(latencies) * part)] * 1000 for part in (0.5, 0.99))
    return Outcome(len(latencies) / elapsed, p50, p99, sum(each.bad for each in opened))


def load(port: int, targets: Sequence[str], seconds: float = 2.0, connections: int = 16) -> Outcome:
    """Loads the server of this port from another process."""
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(seconds), str(connections)]
    told = subprocess.run(
        command, timeout=seconds + 60, input="\n".join(targets), check=True, capture_output=True, text=True
    )
    return Outcome(**json.loads(told.stdout))


if __name__ == "__main__":
    arguments = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(asdict(uvloop.run(_run(*arguments, sys.stdin.read().split())))))
