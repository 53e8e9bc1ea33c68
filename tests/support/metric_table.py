"""The metrics as a table: what the dashboard and the alert rules are compared with, and docs/observability.md has."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from proxy.observability.metrics.catalog import Metrics

SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


@dataclass(frozen=True)
class Metric:
    """One metric: its whole name without what Prometheus appends, its type, its labels and its help."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str

    @property
    def is_workers(self) -> bool:
        """Whether only `worker` has series of it."""
        return self.name.startswith("spatial_proxy_worker_")


def _describe(metric: MetricWrapperBase) -> Metric:
    (family,) = metric.describe()
    return Metric(family.name, family.type, metric._labelnames, family.documentation)  # noqa: SLF001 - no public name


METRICS = tuple(
    _describe(each) for each in vars(Metrics(CollectorRegistry())).values() if isinstance(each, MetricWrapperBase)
)
