"""What is told, counted and traced of one account's storage."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adapters.errors import StorageErrorCode
from adapters.instrumentation import Service, Source, StorageObserver, StorageVerb
from proxy.observability.metrics import catalog as metric_table
from proxy.observability.request_trace import CURRENT, RequestTrace

if TYPE_CHECKING:  # what they stand on is not imported where nobody asks for it
    from proxy.observability.metrics.registry import Metrics
    from proxy.observability.tracing import RequestTracer

HELD_BACK = "held back"


class StorageMetrics(StorageObserver):
    """Adds each call of storage to the request that it is made for, to the metrics and to the trace."""

    def __init__(self, account: str, series: "Metrics | None" = None, spans: "RequestTracer | None" = None) -> None:
        """Without metrics and traces it does what the log needs."""
        self._account = account
        self._series = series
        self._spans = spans
        self._ended: dict[tuple[Service, StorageVerb], tuple[Callable[[], None], Callable[[float], None]]] = {}
        self._read: dict[Source, Callable[[], None]] = {}
        if series is not None:
            self._label = label = series.account(account)
            self._signed = series.counter(metric_table.SIGNED_LINKS, label)
            self._malformed = series.counter(metric_table.MALFORMED_ROWS, label)
            for source in ("remembered", "shared", "storage"):
                self._read[source] = series.counter(metric_table.READS, label, source)

    def begin(self, service: Service, call: StorageVerb) -> object:
        """A call is sent."""
        trace = CURRENT.get()
        spans = self._spans
        if spans is None or trace is None or trace.span is None:
            return trace, None
        return trace, spans.begin_call(trace, self._account, service, call)

    def end(
        self,
        begun: Any,  # noqa: ANN401 - the value that `begin` returned
        service: Service,
        call: StorageVerb,
        seconds: float,
        fault: StorageErrorCode | None,
    ) -> None:
        """That call has ended."""
        trace: RequestTrace | None = begun[0]
        if trace is not None:
            trace.storage_calls += 1
            trace.storage_seconds += seconds
        if begun[1] is not None and self._spans is not None:
            self._spans.end_call(begun[1], fault)
        if self._series is not None:
            self._count(self._series, service, call, seconds, fault)

    def rejected(self) -> None:
        """A read was not tried."""
        if self._series is not None:
            self._series.counter(metric_table.STORAGE_ERRORS, self._label, "table", HELD_BACK)()

    def read(self, source: Source) -> None:
        """A job or the job list was read."""
        trace = CURRENT.get()
        if trace is not None:
            trace.source = source
        if self._series is not None:
            self._read[source]()

    def signed(self) -> None:
        """A link was signed."""
        if self._series is not None:
            self._signed()

    def malformed(self) -> None:
        """A row can't be shown."""
        if self._series is not None:
            self._malformed()

    def _count(
        self, series: "Metrics", service: Service, call: StorageVerb, seconds: float, fault: StorageErrorCode | None
    ) -> None:
        ended = self._ended.get((service, call))
        if ended is None:
            counter = series.counter(metric_table.STORAGE_CALLS, self._label, service, call)
            observer = series.observer(metric_table.STORAGE_SECONDS, service)
            ended = self._ended[service, call] = counter, observer
        ended[0]()
        ended[1](seconds)
        if fault is not None:
            series.counter(metric_table.STORAGE_ERRORS, self._label, service, fault.value.name)()
