"""What is counted and traced of the legacy requests."""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from starlette.types import Scope

from proxy.observability.metrics import catalog as metric_table
from proxy.observability.request_trace import RequestTrace
from proxy.wire.errors import ErrorCode

if TYPE_CHECKING:  # what they stand on is not imported where nobody asks for it
    from proxy.observability.metrics.registry import Metrics
    from proxy.observability.tracing import RequestTracer


_Count = Callable[[], None]


class _Counts(NamedTuple):
    """The series of one operation, status and account."""

    requests: _Count
    seconds: Callable[[float], None]


class CachedResponseObserver:
    """Looks on when an answer is given again from memory."""

    __slots__ = ("_series", "_spans", "_status", "_trace")

    def __init__(
        self, series: tuple[_Counts, _Count] | None, spans: "RequestTracer | None", trace: RequestTrace, status: int
    ) -> None:
        """`trace` is that of the request that was given the answer first."""
        self._series = series
        self._spans, self._trace, self._status = spans, trace, status

    def __call__(self, trace_id: str, scope: Scope, started: float) -> None:
        """It is given to a request that began at `started` of the performance counter."""
        if self._series is not None:
            counts, remembered = self._series
            counts.requests()
            counts.seconds(time.perf_counter() - started)
            remembered()
        if self._spans is not None:
            self._spans.record_cached(self._trace, trace_id, scope, self._status, started)


class RequestObserver:
    """Looks on while requests are answered; there is none where neither metrics nor traces are asked for."""

    def __init__(self, series: "Metrics | None", spans: "RequestTracer | None") -> None:
        self._series = series
        self._spans = spans
        self._known: dict[tuple[str, int, str | None], _Counts] = {}

    def begin(self, trace: RequestTrace, scope: Scope, started: float) -> None:
        """A request is looked into that began at `started` of the performance counter."""
        if self._spans is not None:
            self._spans.begin(trace, scope, started)

    def end(self, trace: RequestTrace, status: int, started: float) -> None:
        """Its answer is there."""
        if self._spans is not None:
            self._spans.end(trace, status)
        if self._series is not None:
            counts = self._counts(self._series, trace, status)
            counts.requests()
            counts.seconds(time.perf_counter() - started)

    def record_cached(self, trace: RequestTrace, status: int) -> CachedResponseObserver:
        """What looks on when the same answer is given again."""
        counted = None
        if self._series is not None:
            remembered = self._series.counter(metric_table.READS, self._series.account(trace.account), "remembered")
            counted = self._counts(self._series, trace, status), remembered
        return CachedResponseObserver(counted, self._spans, trace.for_cache_hit(trace.trace_id), status)

    def refused(self, code: ErrorCode) -> None:
        """A request was answered by this error; those for their key are counted."""
        entry = code.value
        if self._series is not None and (entry.status is HTTPStatus.UNAUTHORIZED or code is ErrorCode.TOO_MANY_KEYS):
            self._series.counter(metric_table.AUTHENTICATION_FAILURES, entry.authentication.value)()

    def _counts(self, series: "Metrics", trace: RequestTrace, status: int) -> _Counts:
        key = trace.operation, status, trace.account
        counts = self._known.get(key)
        if counts is None:
            account = series.account(trace.account)
            counts = self._known[key] = _Counts(
                series.counter(metric_table.REQUESTS, trace.operation, str(status), account),
                series.observer(metric_table.REQUEST_SECONDS, trace.operation),
            )
        return counts
