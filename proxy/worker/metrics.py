"""The metrics of a worker's jobs."""

import time
from collections import Counter
from typing import TYPE_CHECKING

from proxy.worker.observer import JobObserver

if TYPE_CHECKING:  # it imports prometheus_client, which only a worker with metrics loads
    from proxy.observability.metrics.catalog import Metrics


class WorkerMetrics(JobObserver):
    """Counts polls and jobs in the metrics registry."""

    def __init__(self, metrics: "Metrics") -> None:
        self._metrics = metrics
        self._running: Counter[str] = Counter()

    def polled(self, account: str) -> None:
        """The worker has polled the queue of an account."""
        label = self._metrics.account_label(account)
        self._metrics.worker_last_poll.labels(label).set(time.time())
        self._metrics.worker_running_jobs.labels(label).set(self._running[label])

    def started(self, account: str) -> None:
        """An attempt has started."""
        self._count_running(account, 1)

    def finished(self, account: str, job_type: str, outcome: str, entities: int, seconds: float) -> None:
        """A started attempt has finished."""
        self._count_running(account, -1)
        label = self._metrics.account_label(account)
        self._metrics.worker_jobs.labels(label, job_type, outcome).inc()
        self._metrics.worker_job_duration.labels(job_type).observe(seconds)
        self._metrics.worker_entities.labels(label).inc(entities)

    def _count_running(self, account: str, change: int) -> None:
        label = self._metrics.account_label(account)
        self._running[label] += change
        self._metrics.worker_running_jobs.labels(label).set(self._running[label])
