"""The table of metrics as the Prometheus client has them. Imported only where metrics are asked for."""

from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from proxy.observability.metrics import catalog as metric_table
from proxy.observability.metrics.catalog import METRICS, Metric, MetricType
from proxy.version import VERSION
from proxy.wire.envelope import Authentication

# When a series began would be one more series beside each, and nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the client gives it no types
PROCESS = CollectorRegistry()
"""The metrics of this process, in the command that runs in it."""

# Accounts that have series of their own; the others are counted together. A ring may have thousands.
ACCOUNTS = 200
OTHER, NONE = "other", "none"


class Metrics:
    """The metrics of this process."""

    def __init__(self, registry: CollectorRegistry, *, worker: bool = False) -> None:
        """With `worker`, those of a worker too."""
        self.of_a_worker = worker
        self._made: dict[str, Any] = {
            each.name: _MAKERS[each.kind](each, registry) for each in METRICS if worker or not each.worker
        }
        self._accounts: set[str] = set()
        self.gauge(metric_table.BUILD_INFO, VERSION).set(1)
        # A counter that begins with its first event hides it from rate(): what alerts look at is there from the start.
        for outcome in ("taken", "refused"):
            self.counter(metric_table.RING_RELOADS, outcome)
        for code in Authentication:
            if code is not Authentication.VALID:
                self.counter(metric_table.AUTHENTICATION_FAILURES, code.value)

    def counter(self, metric: Metric, *labels: str) -> Callable[[], None]:
        """What adds one to a counter with these values of its labels, in the order of the table."""
        made: Counter = self._made[metric.name].labels(*labels)
        return made.inc

    def count(self, metric: Metric, *labels: str) -> None:
        """Adds one to a counter."""
        self.counter(metric, *labels)()

    def adder(self, metric: Metric, *labels: str) -> Callable[[float], None]:
        """What adds to a counter."""
        made: Counter = self._made[metric.name].labels(*labels)
        return made.inc

    def observer(self, metric: Metric, *labels: str) -> Callable[[float], None]:
        """What adds a value to a histogram."""
        made: Histogram = self._made[metric.name].labels(*labels)
        return made.observe

    def gauge(self, metric: Metric, *labels: str) -> Gauge:
        """A gauge."""
        made: Gauge = self._made[metric.name].labels(*labels)
        return made

    def report_load_need(self, account: str, need: str, state: float) -> None:
        """Sets whether what loads need of an account is there: 1, 0, or NaN where that is not known."""
        if self.account(account) != OTHER:
            self.gauge(metric_table.LOAD_NEED, account, need).set(state)

    def account(self, name: str | None) -> str:
        """The value of the label `account`: the name, as long as there are not too many of them."""
        if name is None:
            return NONE
        if name not in self._accounts:
            if len(self._accounts) >= ACCOUNTS:
                return OTHER
            self._accounts.add(name)
        return name


def _counter(metric: Metric, registry: CollectorRegistry) -> Counter:
    return Counter(metric.name, metric.help, metric.labels, registry=registry)


def _gauge(metric: Metric, registry: CollectorRegistry) -> Gauge:
    # Of several processes one counts what there is; what it said last is what is so.
    return Gauge(metric.name, metric.help, metric.labels, registry=registry, multiprocess_mode="mostrecent")


def _histogram(metric: Metric, registry: CollectorRegistry) -> Histogram:
    return Histogram(metric.name, metric.help, metric.labels, registry=registry, buckets=metric.buckets)


_MAKERS: Mapping[MetricType, Callable[[Metric, CollectorRegistry], Counter | Gauge | Histogram]] = {
    MetricType.COUNTER: _counter,
    MetricType.GAUGE: _gauge,
    MetricType.HISTOGRAM: _histogram,
}
