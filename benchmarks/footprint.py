"""Measures how fast a server starts, and how much memory it takes."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure
from benchmarks.polling import status_of
from benchmarks.rows import write_jobs
from benchmarks.servers import OK, get, proxy
from tests.support.storage import Storage

REMEMBERED = 10_000


def starting(storage: Storage, rounds: int) -> Iterator[Figure]:
    """Yields the seconds from the start of the process to its first response from storage."""
    target, seconds = status_of(storage.job()), []
    for _ in range(rounds):
        started = time.perf_counter()
        with proxy(storage) as (port, _):
            _check(get(port, target)[0])
            seconds.append(time.perf_counter() - started)
    yield Figure("start to first answer", median(seconds), "s", at_most=1.5)


def remembering(storage: Storage, jobs: int = REMEMBERED) -> Iterator[Figure]:
    """Yields the memory of a process that has so many jobs and responses in its caches."""
    ids = write_jobs(storage, jobs, newest_hours=1)
    with proxy(storage, finished_ttl=3600) as (port, process):
        yield Figure("memory after the start", resident_mb(process), "MB")
        for each in ids:
            _check(get(port, status_of(each))[0])
        yield Figure(f"memory with {jobs:,} remembered jobs", resident_mb(process), "MB", at_most=120)


def resident_mb(process: int) -> float:
    """Returns the resident memory of a process in megabytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _check(status: int) -> None:
    if status != OK:
        raise RuntimeError(f"answered {status}")
