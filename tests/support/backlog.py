"""A backlog of jobs of one data source: the cost of each, and the time from one to the next."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig
from adapters.instrumentation import Service, StorageObserver, StorageVerb
from adapters.model.jobs import JobStatus
from proxy.keyring.keyring import KeyRing
from proxy.keyring.reload import ActiveKeyRing
from proxy.worker.worker import Worker
from tests.support.storage import BUSY_SECONDS, Storage
from tests.support.worker_desk import Desk, play, shops


@dataclass
class Calls(StorageObserver):
    """Counts the storage requests of workers, retries included."""

    count: int = 0

    def begin_call(self, _service: Service, _call: StorageVerb) -> object:
        """A call is sent."""
        self.count += 1
        return None


@dataclass(frozen=True)
class Backlog:
    """The results: storage calls and seconds per job, and the seconds from each job's end to the next one's start."""

    calls: float
    seconds: float
    gaps: list[float]
    in_order: bool


def run_backlog(storage: Storage, jobs: int, workers: int = 2, seconds: float = 300) -> Backlog:
    """Creates so many tiny loads of one data source, then starts the workers."""
    found: list[Backlog] = []

    async def story(desk: Desk) -> None:
        ids = [await desk.load(shops(f"{number}"), "incremental" if number else "complete") for number in range(jobs)]
        watch = Calls()
        options = StorageOptions(storage.table_name, timedelta(hours=1), BUSY_SECONDS, observer_for=lambda _: watch)
        entries = {storage.account: ConnectionStringConfig(storage.connection_string)}
        stop, started = asyncio.Event(), time.monotonic()
        async with AsyncExitStack() as stack:
            tasks = []
            for _ in range(workers):
                ring = ActiveKeyRing(KeyRing(entries, {}), AccountRegistry(entries, options))
                await stack.enter_async_context(ring.accounts)
                tasks.append(asyncio.create_task(Worker(ring, desk.context).run(stop)))
            async with asyncio.timeout(seconds):
                while (await desk.record(ids[-1])).status is JobStatus.PENDING:  # noqa: ASYNC110  storage changes
                    await asyncio.sleep(0.1)
            took, calls = time.monotonic() - started, watch.count
            stop.set()
            await asyncio.gather(*tasks)
        rows = [storage.table.get_entity(storage.account, job_id) for job_id in ids]
        assert {row["Status"] for row in rows} == {"Completed"}
        gaps = [(after["StartedDate"] - before["CompletedDate"]).total_seconds() for before, after in pairwise(rows)]
        in_order = set(await desk.published()) == {f"{number}" for number in range(jobs)} and min(gaps) > -0.001
        found.append(Backlog(calls / jobs, took / jobs, gaps, in_order))

    play(storage, story)
    return found[0]
