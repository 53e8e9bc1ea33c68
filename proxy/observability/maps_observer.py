"""Observes the Azure Maps of one account, for the metrics."""

from typing import TYPE_CHECKING

from adapters.maps.errors import MapsFailure
from adapters.maps.observer import MapsObserver, MapsOperation

if TYPE_CHECKING:  # it imports prometheus_client
    from proxy.observability.metrics.catalog import Metrics

ASKED, ANSWERED, FAILED, REPEATED = "asked", "answered", "failed", "repeated"


class MapsTelemetry(MapsObserver):
    """Counts calls and items of an account."""

    def __init__(self, account: str, metrics: "Metrics") -> None:
        self._metrics, self._label = metrics, metrics.account_label(account)
        # Alerts and dashboards look at these before the first event.
        for outcome in (ASKED, ANSWERED, FAILED, REPEATED):
            metrics.maps_items.labels(self._label, outcome)
        for failure in (MapsFailure.THROTTLED, MapsFailure.REFUSED):
            metrics.maps_errors.labels(self._label, failure.name.lower())

    def call_ended(self, operation: MapsOperation, items: int, seconds: float, failure: MapsFailure | None) -> None:
        """Counts a call and its items."""
        self._count(ASKED, items)
        self._metrics.maps_call_duration.labels(operation).observe(seconds)
        if failure is not None:
            self._metrics.maps_errors.labels(self._label, failure.name.lower()).inc()

    def items_ended(self, answered: int, failed: int) -> None:
        """Counts items that are done."""
        self._count(ANSWERED, answered)
        self._count(FAILED, failed)

    def repeated(self, items: int) -> None:
        """Counts items that are asked again."""
        self._count(REPEATED, items)

    def _count(self, outcome: str, items: int) -> None:
        self._metrics.maps_items.labels(self._label, outcome).inc(items)
