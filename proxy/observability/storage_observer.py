"""Observes the storage of one account, for the log, the metrics and the traces."""

from typing import TYPE_CHECKING, Any

from adapters.errors import StorageErrorCode
from adapters.instrumentation import CacheResult, Service, StorageObserver, StorageVerb
from proxy.observability.request_trace import CURRENT, RequestTrace

if TYPE_CHECKING:  # they import prometheus_client and opentelemetry
    from proxy.observability.metrics.catalog import Metrics
    from proxy.observability.tracing import RequestTracer

# The key store's storage among the accounts. The key ring refuses a name with ~, so no account has it.
KEY_STORE = "~keys"

REJECTED = "rejected"
"""The reason of a read that the circuit breaker did not let through."""


class StorageTelemetry(StorageObserver):
    """Adds each call of storage to the request that it is made for, to the metrics and to the trace."""

    def __init__(self, account: str, metrics: "Metrics | None" = None, tracer: "RequestTracer | None" = None) -> None:
        self._account = account
        self._metrics = metrics
        self._tracer = tracer
        if metrics is not None:
            self._label = metrics.account_label(account)
            if account == KEY_STORE:
                return
            # Alerts and dashboards look at these before the first event.
            metrics.signed_links.labels(self._label)
            metrics.malformed_rows.labels(self._label)
            for result in ("hit", "coalesced", "miss"):
                metrics.job_cache_lookups.labels(self._label, result)

    def begin_call(self, service: Service, call: StorageVerb) -> object:
        """Notes that a call is sent; returns what `end_call` needs."""
        trace = CURRENT.get()
        if self._tracer is None or trace is None or trace.span is None:
            return trace, None
        return trace, self._tracer.begin_call(trace, self._account, service, call)

    def end_call(
        self,
        begun: Any,  # noqa: ANN401 - the value that `begin_call` returned
        service: Service,
        call: StorageVerb,
        seconds: float,
        fault: StorageErrorCode | None,
    ) -> None:
        """Counts a call that has ended."""
        trace: RequestTrace | None = begun[0]
        if trace is not None:
            trace.storage_calls += 1
            trace.storage_seconds += seconds
        if begun[1] is not None and self._tracer is not None:
            self._tracer.end_call(begun[1], fault)
        if self._metrics is not None:
            self._metrics.storage_requests.labels(self._label, service, call).inc()
            self._metrics.storage_call_duration.labels(service).observe(seconds)
            if fault is not None:
                self._metrics.storage_errors.labels(self._label, service, reason_label(fault)).inc()

    def call_rejected(self) -> None:
        """Counts a read that the circuit breaker did not let through."""
        if self._metrics is not None:
            self._metrics.storage_errors.labels(self._label, "table", REJECTED).inc()

    def cache_lookup(self, source: CacheResult) -> None:
        """Counts a look-up of a job or a job list."""
        trace = CURRENT.get()
        if trace is not None:
            trace.cache_result = source
        if self._metrics is not None:
            self._metrics.job_cache_lookups.labels(self._label, source).inc()

    def link_signed(self) -> None:
        """Counts a signed link."""
        if self._metrics is not None:
            self._metrics.signed_links.labels(self._label).inc()

    def malformed_row(self) -> None:
        """Counts a row that can't be shown."""
        if self._metrics is not None:
            self._metrics.malformed_rows.labels(self._label).inc()


def reason_label(code: StorageErrorCode) -> str:
    """Returns a storage error as the value of the label `reason`."""
    return code.name.lower()
