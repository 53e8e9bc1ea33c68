"""The metrics of a worker, as Prometheus gets them."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from prometheus_client import CollectorRegistry

from adapters.blobs.store import BlobStore
from adapters.errors import StorageError, StorageErrorCode
from adapters.tables.job_store import JobStore
from proxy.observability.metrics.catalog import PREFIX, Metrics
from proxy.worker.lease import run_leased_job
from proxy.worker.metrics import WorkerMetrics
from proxy.worker.observer import FAILED, GIVEN_BACK, LOST
from tests.integration.worker.test_lease import HeldUploads
from tests.integration.worker.test_worker import wait_for_jobs
from tests.support.processes import free_port
from tests.support.scrape import Metrics as Scraped
from tests.support.scrape import scrape_until
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops
from tests.support.worker_processes import worker_process


def done_with_both(seen: Scraped) -> bool:
    """Whether two jobs have ended, and their messages are gone."""
    deleted = seen.value("storage_requests_total", service="queue", call="delete")
    return seen.value("worker_jobs_total") == deleted == 2


@pytest.mark.slow
def test_a_workers_jobs_are_counted(storage: Storage, tmp_path: Path) -> None:
    port, account = free_port(), storage.account

    async def story(desk: Desk) -> None:
        with worker_process(storage, tmp_path, metrics_port=port, host="127.0.0.1") as worker:
            await asyncio.to_thread(worker.wait_until_ready)
            done = await desk.load(shops("a", "b"))
            wrong = await desk.load(b"nonsense", name="Others")  # of one data source, each would wait for the other
            await wait_for_jobs(desk, done, wrong)
            found = await asyncio.to_thread(scrape_until, port, done_with_both)
            status, _ = await asyncio.to_thread(worker.end)
        assert status == 0
        kind = "DataSourceComplete"
        assert found.value("worker_jobs_total", account=account, type=kind, outcome="Completed") == 1
        assert found.value("worker_jobs_total", account=account, type=kind, outcome="Aborted") == 1
        assert found.value("worker_job_duration_seconds_count", type=kind) == 2
        assert found.value("worker_entities_total", account=account) == 2
        assert found.value("worker_running_jobs", account=account) == 0
        assert abs(time.time() - found.value("worker_last_poll_timestamp_seconds", account=account)) < 600

    play(storage, story)


class Watched:
    """A desk whose jobs are counted."""

    def __init__(self, desk: Desk) -> None:
        self.registry = CollectorRegistry()
        metrics = Metrics(self.registry)
        self.desk = replace(desk, context=replace(desk.context, observer=WorkerMetrics(metrics)))

    def outcomes(self) -> dict[str, float]:
        """How many attempts ended in which way."""
        return {
            sample.labels["outcome"]: sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == PREFIX + "worker_jobs_total"
        }

    def running(self) -> float | None:
        """How many jobs are under way."""
        return self.registry.get_sample_value(PREFIX + "worker_running_jobs", {"account": self.desk.account.name})


def test_a_job_that_is_given_back_counts_as_that(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        watched = Watched(desk)
        held, stop = HeldUploads.patch(monkeypatch), asyncio.Event()
        monkeypatch.setattr("proxy.worker.lease.STOP_SECONDS", 0.1)
        await desk.load(shops("a"))
        doing = asyncio.create_task(run_leased_job(desk.account, await desk.receive(), watched.desk.context, stop))
        await held.begun.wait()
        assert watched.running() == 1
        stop.set()
        await doing
        assert watched.outcomes() == {GIVEN_BACK: 1}
        assert watched.running() == 0

    play(storage, story)


def test_a_lease_that_is_lost_counts_as_that(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        watched = Watched(desk)
        held = HeldUploads.patch(monkeypatch)
        await desk.load(shops("a"))
        lease = await desk.receive()
        doing = asyncio.create_task(watched.desk.step(lease))
        await held.until_begun(doing)
        await lease.complete()  # as if another worker had done the job
        await doing
        assert watched.outcomes() == {LOST: 1}

    play(storage, story, lease_seconds=1)


def test_a_job_that_another_worker_has_finished_counts_as_lost(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(desk: Desk) -> None:
        watched = Watched(desk)
        held = HeldUploads.patch(monkeypatch)
        job_id = await desk.load(shops("a"))
        doing = asyncio.create_task(watched.desk.step(await desk.receive()))
        await held.begun.wait()
        await desk.account.jobs.complete(await desk.ended(job_id))
        held.go_on.set()
        await doing
        assert watched.outcomes() == {LOST: 1}

    play(storage, story)


def test_failed_tries_count_and_then_the_end(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.worker.attempt.MAX_RETRY_SECONDS", 0.0)

    async def story(desk: Desk) -> None:
        watched = Watched(desk)

        async def fail(*_: object) -> NoReturn:
            raise StorageError(StorageErrorCode.TIMEOUT)

        monkeypatch.setattr(BlobStore, "upload_file", fail)
        await watched.desk.done(desk.load(shops("a")))
        assert watched.outcomes() == {FAILED: 2, "Aborted": 1}

    play(storage, story)


def test_a_result_that_storage_does_not_take_is_a_failed_try(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        watched = Watched(desk)

        async def fail(*_: object) -> NoReturn:
            raise StorageError(StorageErrorCode.TIMEOUT)

        await desk.load(shops("a"))
        lease = await desk.receive()
        monkeypatch.setattr(JobStore, "complete", fail)
        with pytest.raises(StorageError):
            await watched.desk.step(lease)
        assert watched.outcomes() == {FAILED: 1}
        assert watched.running() == 0

    play(storage, story)


def test_a_job_that_waits_for_its_turn_is_no_attempt(storage: Storage) -> None:
    async def story(desk: Desk) -> None:
        watched = Watched(desk)
        await desk.load(shops("a"))
        await desk.load(shops("b"))
        first, second = await desk.receive(), await desk.receive()
        await watched.desk.step(second)
        assert watched.outcomes() == {}
        await watched.desk.step(first)
        assert watched.outcomes() == {"Completed": 1}

    play(storage, story)
