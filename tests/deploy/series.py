"""The time series that Prometheus has of us: their names, their labels, and the words that a label may hold."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import get_args

from adapters.errors import StorageErrorCode
from adapters.instrumentation import Service, Source, StorageVerb
from adapters.model.jobs import JobStatus
from proxy.observability.metrics.catalog import METRICS, Metric, MetricType
from proxy.observability.metrics.inventory import AGES
from proxy.observability.storage_observer import HELD_BACK
from proxy.wire.envelope import Authentication
from proxy.wire.routes import Operation
from proxy.worker.observer import FAILED, GIVEN_BACK, LOST

# What Prometheus itself adds to whatever it scrapes.
TARGET = frozenset({"job", "instance"})

SUFFIXES = {
    MetricType.COUNTER: ("_total",),
    MetricType.GAUGE: ("",),
    MetricType.HISTOGRAM: ("_bucket", "_sum", "_count"),
}

# The words of each label that has a fixed list; by the metric's name where two lists share a label's name.
WORDS: dict[str, frozenset[str]] = {
    "operation": frozenset({operation.value for operation in Operation} | {"none"}),
    "status": frozenset(str(status.value) for status in HTTPStatus),
    "service": frozenset(get_args(Service)),
    "call": frozenset(get_args(StorageVerb)),
    "kind": frozenset({fault.value.name for fault in StorageErrorCode} | {HELD_BACK}),
    "source": frozenset(get_args(Source)),
    "code": frozenset(code.value for code in Authentication),
    "age": frozenset(name for name, _ in AGES),
    "jobs state": frozenset(status.value for status in JobStatus),
    "keys state": frozenset({"valid", "expired"}),
    "ring_reloads outcome": frozenset({"taken", "refused"}),
    "worker_jobs outcome": frozenset({"Completed", "Aborted", GIVEN_BACK, LOST, FAILED}),
}


@dataclass(frozen=True, slots=True)
class Series:
    """One name that an expression may hold."""

    name: str
    labels: frozenset[str]
    metric: Metric | None = None
    """None: Prometheus makes it, not we."""

    @property
    def counts(self) -> bool:
        """Whether it only grows, and starts again with the process."""
        return self.metric is not None and self.metric.kind is not MetricType.GAUGE

    @property
    def is_bucket(self) -> bool:
        """Whether it is a histogram's, with the label `le`."""
        return "le" in self.labels

    @property
    def is_census(self) -> bool:
        """Whether each process tells the same, so that a sum would count it twice."""
        return self.metric is not None and self.metric.kind is MetricType.GAUGE and not self.metric.worker

    def words(self, label: str) -> frozenset[str] | None:
        """What the label may hold; None: anything."""
        own = f"{self.metric.name.removeprefix('spatial_proxy_')} {label}" if self.metric is not None else ""
        return WORDS.get(own, WORDS.get(label))


def _of(metric: Metric, suffix: str) -> Series:
    own = {"le"} if suffix == "_bucket" else set()
    return Series(metric.name + suffix, frozenset(metric.labels) | TARGET | own, metric)


SERIES = {one.name: one for metric in METRICS for one in (_of(metric, suffix) for suffix in SUFFIXES[metric.kind])}
SERIES["up"] = Series("up", TARGET)
