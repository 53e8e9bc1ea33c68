"""Polls of a server while a worker geocodes beside it."""

import signal
import time
from collections.abc import Iterator
from statistics import median

from benchmarks.figures import Figure
from benchmarks.geocode.maps import prepared_maps
from benchmarks.geocode.rate import ANSWER_SECONDS, CALLS_PER_SECOND
from benchmarks.geocode.scene import Scene, rows, scene
from benchmarks.load import Outcome, load
from benchmarks.polling import status_of
from tests.support.storage import Storage
from tests.support.worker_processes import WorkerProcess

ROUNDS, SECONDS = 9, 1.0
CLIENTS = 4
"""Few enough to leave the emulator a processor."""


def beside_jobs(storage: Storage, count: int) -> Iterator[Figure]:
    """Yields rate and latency of polls, beside those while the worker is stopped, in turn: so both meet the same noise.

    The job has the rate of `bounded`, and more rows than it can ask in the time.
    """
    finished = storage.job(DataSourceName="FourthCoffee", OutputBlob="exports/coffee.xml")
    alone, beside = list[Outcome](), list[Outcome]()
    with (
        prepared_maps(ANSWER_SECONDS) as maps,
        scene(storage, f"http://127.0.0.1:{maps}", maps_calls_per_second=CALLS_PER_SECOND) as running,
        running.working() as worker,
    ):
        job = running.create(rows(count))
        while not running.poll(job)["processedEntityCount"]:
            time.sleep(0.1)
        for _ in range(ROUNDS):
            beside.append(_load(running, finished))
            alone.append(_stopped(worker, running, finished))
        assert running.poll(job)["status"] == "Pending"
    ratios = {
        what: median(getattr(one, what) / getattr(other, what) for one, other in zip(beside, alone, strict=True))
        for what in ("rate", "p50", "p99")
    }
    yield Figure(f"polls by {CLIENTS} clients without a job", median(each.rate for each in alone), "requests/s")
    yield Figure("polls beside a job, rate", ratios["rate"], "of that without", at_least=0.9)
    yield Figure("polls beside a job, median", ratios["p50"], "times that without", at_most=1.1)
    yield Figure("polls without a job, 99 in 100 within", median(each.p99 for each in alone), "ms")
    yield Figure("polls beside a job, 99 in 100 within", median(each.p99 for each in beside), "ms")
    yield Figure("the same as a ratio", ratios["p99"], "times that without", at_most=1.5)


def _stopped(worker: WorkerProcess, running: Scene, job_id: str) -> Outcome:
    worker.process.send_signal(signal.SIGSTOP)
    try:
        return _load(running, job_id)
    finally:
        worker.process.send_signal(signal.SIGCONT)


def _load(running: Scene, job_id: str) -> Outcome:
    outcome = load(running.port, [status_of(job_id)], SECONDS, CLIENTS)
    assert not outcome.bad
    return outcome
