"""What guesses from many addresses cost those who have keys (keys contract, section 5).

Guesses come from a process of their own: `python -m benchmarks.guesses PORT SECONDS`.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from statistics import median
from typing import Any

import uvloop

from benchmarks.figures import Figure
from benchmarks.load import Outcome, load
from benchmarks.servers import proxy
from proxy.demo.azurite import start_emulator
from tests.support.key_rows import KeyRows
from tests.support.live import MASTER
from tests.support.processes import ROOT
from tests.support.storage import Storage

ADDRESSES, PER_SECOND, CONNECTIONS = 500, 1_000, 16


def guesses(storage: Storage, rounds: int, seconds: float) -> Iterator[Figure]:
    """Known keys' p99 with guesses, beside that without, and what guesses read of the store."""
    path = f"/REST/v1/Dataflows/LoadDataSource/{storage.job(DataSourceName='FourthCoffee')}?key={MASTER}"
    with KeyRows.open(storage) as keys:
        keys.write(MASTER)
        settings: dict[str, Any] = {"keyring": keys.ring(), "trusted_proxies": "127.0.0.1", **keys.reading}
        with proxy(storage, **settings) as (port, _):
            load(port, [path], 1.0)
            slower, sent, reads = list[float](), list[float](), list[float]()
            for number in range(rounds):
                quiet = load(port, [path], seconds)
                before, started = len(keys.hop.asked), time.monotonic()
                with guessing(port, seconds + 2) as guesser:
                    time.sleep(1)
                    busy = load(port, [path], seconds)
                    sent.append(float(guesser.communicate()[0]))
                    reads.append((len(keys.hop.asked) - before) / (time.monotonic() - started))
                slower.append(_ratio(quiet, busy))
                if quiet.bad or busy.bad:
                    raise RuntimeError(f"round {number}: {quiet.bad + busy.bad} answers to a known key were not good")
    yield Figure("guesses, 500 addresses", median(sent), "guesses/s")
    yield Figure("the same: reads of the store, the most of a round", max(reads), "reads/s", at_most=52)
    yield Figure("the same: known key's p99, beside that without", median(slower), "", at_most=1.5)


def _ratio(quiet: Outcome, busy: Outcome) -> float:
    return busy.p99 / quiet.p99


@contextmanager
def guessing(port: int, seconds: float) -> Iterator["subprocess.Popen[str]"]:
    """Runs guesses in another process, which prints how many were answered in a second."""
    command = [sys.executable, "-m", "benchmarks.guesses", str(port), str(seconds)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


async def _guess(port: int, seconds: float) -> float:
    numbers, started, answered = count(), time.monotonic(), 0

    async def connection() -> None:
        nonlocal answered
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (elapsed := time.monotonic() - started) < seconds:
            number = next(numbers)
            await asyncio.sleep(number / PER_SECOND - elapsed)
            address = f"10.0.{number % ADDRESSES // 250}.{number % 250}"
            path = f"/REST/v1/Dataflows/ListJobs?key=guess-{number}-{started}"
            writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {address}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            await reader.readexactly(int(length))
            answered += 1
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return answered / (time.monotonic() - started)


def main() -> None:
    """Guesses, or measures where no port is named."""
    if len(sys.argv) > 1:
        print(uvloop.run(_guess(int(sys.argv[1]), float(sys.argv[2]))))
        return
    with start_emulator() as emulator, Storage.open(emulator, "guesses") as storage:
        for each in guesses(storage, 9, 3.0):
            print(f"{each.what:60} {each.value:12,.2f} {each.unit:12} {each.goal}", flush=True)


if __name__ == "__main__":
    main()
