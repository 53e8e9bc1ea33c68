"""The first query after a start and after a publish, and what waits beside it."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure
from benchmarks.polling import status_of
from benchmarks.queries.client import Client
from benchmarks.queries.shops import Shops
from benchmarks.servers import OK, proxy
from tests.support.storage import Storage

ROUNDS = 3
WAITING = 8
POLL_SECONDS = 0.005


def beginning(storage: Storage, content: bytes) -> Iterator[Figure]:
    """Yields seconds; the blob is in the emulator."""
    shops, job = Shops(storage, "First"), storage.job()
    shops.publish(content)
    target, fresh, again, published = shops.nearby(100)[0], list[float](), list[float](), list[float]()
    for _ in range(ROUNDS):
        with TemporaryDirectory() as folder:
            for seconds in (fresh, again):
                with proxy(storage, {"TMPDIR": folder}) as (port, _), Client(port) as client:
                    seconds.append(client.wait(target))
    yield Figure("first query after a start, nothing on disk", median(fresh), "s", at_most=1.5)
    yield Figure("first query after a start, the version on disk", median(again), "s", at_most=1.5)
    with TemporaryDirectory() as folder, proxy(storage, {"TMPDIR": folder}) as (port, _):
        Client(port).wait(target)
        polls = _Polls(port, status_of(job))
        alone = polls.longest_during(lambda: time.sleep(1))
        beside = []
        for _ in range(ROUNDS):
            shops.publish(content)
            beside.append(polls.longest_during(lambda: published.extend(_ask_at_once(port, target))))
        files = len(list(Path(folder).rglob("*.arrow")))
        polls.end()
    yield Figure(f"first query after a publish, the longest of {WAITING} at once", max(published), "s", at_most=1.5)
    yield Figure("the same, median", median(published), "s", at_most=1.5)
    yield Figure("files of versions after that", files, f"of {ROUNDS + 1} versions", at_most=ROUNDS + 1)
    yield Figure("the longest of the polls meanwhile", max(beside), "ms")
    yield Figure("the longest of as many polls alone", alone, "ms")


def _ask_at_once(port: int, target: str) -> list[float]:
    def ask(_number: int) -> float:
        with Client(port) as client:
            return client.wait(target)

    with ThreadPoolExecutor(WAITING) as threads:
        return list(threads.map(ask, range(WAITING)))


class _Polls:
    """One client that polls a job all the time."""

    def __init__(self, port: int, target: str) -> None:
        self._port, self._target = port, target
        self._ended, self._seen = threading.Event(), list[float]()
        self._thread = threading.Thread(target=self._poll)
        self._thread.start()

    def longest_during(self, work: Callable[[], object]) -> float:
        """Milliseconds of the longest poll while work goes on."""
        self._seen.clear()
        work()
        return max(self._seen)

    def end(self) -> None:
        """Stops it."""
        self._ended.set()
        self._thread.join()

    def _poll(self) -> None:
        with Client(self._port) as client:
            while not self._ended.wait(POLL_SECONDS):
                self._seen.append(client.milliseconds(self._target, OK))
