"""How fast a server starts, how much memory it takes, how it scales."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure
from benchmarks.polling import measured, ratios, status_of
from benchmarks.rows import write_jobs
from benchmarks.servers import OK, get, proxy, stand_in
from tests.support.storage import Storage

REMEMBERED = 10_000


def starting(storage: Storage, rounds: int) -> Iterator[Figure]:
    """Seconds from the start of the process to its first answer from storage."""
    target, seconds = status_of(storage.job()), []
    for _ in range(rounds):
        started = time.perf_counter()
        with proxy(storage) as (port, _):
            _check(get(port, target)[0])
            seconds.append(time.perf_counter() - started)
    yield Figure("start to first answer", median(seconds), "s", at_most=1.5)


def remembering(storage: Storage, jobs: int = REMEMBERED) -> Iterator[Figure]:
    """The memory of a process that remembers so many jobs and their answers."""
    ids = write_jobs(storage, jobs, newest_hours=1)
    with proxy(storage, finished_ttl=3600) as (port, process):
        yield Figure("memory after the start", resident_mb(process), "MB")
        for each in ids:
            _check(get(port, status_of(each))[0])
        yield Figure(f"memory with {jobs:,} remembered jobs", resident_mb(process), "MB", at_most=120)


def scaling(storage: Storage, rounds: int, seconds: float) -> Iterator[Figure]:
    """The rate with two processes as a multiple of that with one; the static application's tells what is possible."""
    target = [status_of(storage.job())]
    with ExitStack() as stack:
        runs = {
            f"{name} {count}": run
            for count in (1, 2)
            for name, run in (
                ("static", (stack.enter_context(stand_in("static", count)), ["/"])),
                ("proxy", (stack.enter_context(proxy(storage, workers=count))[0], target)),
            )
        }
        outcomes = measured(runs, rounds, seconds, connections=64)
    for name in ("static", "proxy"):
        ratio = ratios(outcomes, "rate", f"{name} 1")[f"{name} 2"]
        what = "two processes against one" + (", static application" if name == "static" else "")
        yield Figure(what, ratio, "of the rate", at_least=1.7 if name == "proxy" else None)


def resident_mb(process: int) -> float:
    """The resident memory of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _check(status: int) -> None:
    if status != OK:
        raise RuntimeError(f"answered {status}")
