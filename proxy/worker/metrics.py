"""What is counted of a worker's jobs."""

import time
from typing import TYPE_CHECKING

from adapters.job_queue import Lease
from proxy.observability.metrics import catalog as metric_table
from proxy.worker.job import RunningJob
from proxy.worker.observer import JobObserver

if TYPE_CHECKING:  # what it stands on is not imported where nobody asks for it
    from proxy.observability.metrics.registry import Metrics


class WorkerMetrics(JobObserver):
    """Counts them."""

    def __init__(self, series: "Metrics") -> None:
        self._series = series
        self._under_way: dict[Lease, tuple[str, RunningJob, float]] = {}

    def looked(self, account: str) -> None:
        """The queue of an account was looked at."""
        label = self._series.account(account)
        self._series.gauge(metric_table.WORKER_LOOK, label).set(time.time())
        self._series.gauge(metric_table.WORKER_RUNNING, label).set(self._running(label))

    def began(self, account: str, lease: Lease, job: RunningJob) -> None:
        """A leased job is begun."""
        label = self._series.account(account)
        self._under_way[lease] = label, job, time.perf_counter()
        self._series.gauge(metric_table.WORKER_RUNNING, label).set(self._running(label))

    def ended(self, lease: Lease, outcome: str) -> None:
        """It has ended."""
        label, job, began = self._under_way.pop(lease, ("", None, 0.0))
        if job is None:
            return
        kind = job.record.job_type.value
        self._series.count(metric_table.WORKER_JOBS, label, kind, outcome)
        self._series.observer(metric_table.WORKER_JOB_SECONDS, kind)(time.perf_counter() - began)
        self._series.adder(metric_table.WORKER_ENTITIES, label)(job.counts.processed)
        self._series.gauge(metric_table.WORKER_RUNNING, label).set(self._running(label))

    def _running(self, label: str) -> int:
        return sum(1 for of, _, _ in self._under_way.values() if of == label)
