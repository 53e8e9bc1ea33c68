"""Observes requests, for the log, the metrics and the traces."""

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.types import Scope

from adapters.model.usage import ANSWERED
from proxy.observability.access_log import AccessLog
from proxy.observability.client import UNKNOWN, agent_of, client_of
from proxy.observability.request_trace import RequestTrace
from proxy.observability.usage import RepeatCounter, Requester, UsageCounter, outcome_of
from proxy.wire.errors import ErrorCode

if TYPE_CHECKING:  # they import prometheus_client and opentelemetry
    from proxy.observability.metrics.catalog import Metrics
    from proxy.observability.tracing import RequestTracer


class RequestObserver:
    """Observes requests while they are answered."""

    def __init__(
        self,
        metrics: "Metrics | None" = None,
        tracer: "RequestTracer | None" = None,
        usage: UsageCounter | None = None,
    ) -> None:
        """Observes for what is not None."""
        self.metrics = metrics
        self.tracer = tracer
        self.usage = usage
        self.access_log = AccessLog()

    def begin(self, trace: RequestTrace, scope: Scope, started: float) -> None:
        """Notes a request that began at `started` of the performance counter."""
        trace.client = client_of(scope)
        if self.tracer is not None:
            self.tracer.begin(trace, scope, started)

    def end(self, trace: RequestTrace, status: int, started: float) -> None:
        """Logs and counts a request whose response is ready."""
        self.access_log.log(trace, status, started)
        if self.tracer is not None:
            self.tracer.end(trace, status)
        if self.metrics is not None:
            account = self.metrics.account_label(trace.account)
            self.metrics.requests.labels(trace.operation, str(status), account).inc()
            self.metrics.request_duration.labels(trace.operation).observe(time.perf_counter() - started)
        # A key that nobody has is in no row and no label: a stranger must not be able to write.
        if trace.digest is not None and trace.account is not None:
            outcome = outcome_of(status, trace.error)
            if self.metrics is not None:
                self.metrics.key_requests.labels(*self.metrics.key_labels(trace.account, trace.key, outcome)).inc()
            if self.usage is not None:
                requester = Requester(trace.account, trace.digest, trace.key)
                source = trace.data_source if outcome == ANSWERED else None
                self.usage.count(requester, trace.operation, outcome, source, trace.client)

    def for_cached(self, trace: RequestTrace, status: int) -> "CachedResponseObserver":
        """Returns the observer of a cached response; `trace` is of the request that got it first."""
        return CachedResponseObserver(self, trace.for_cache_hit(trace.trace_id), status)

    def count_shadow(self, account: str, operation: str, outcome: str) -> None:
        """Counts a read that was sampled for another endpoint."""
        if self.metrics is not None:
            self.metrics.count_shadow(account, operation, outcome)

    def request_refused(self, code: ErrorCode) -> None:
        """Counts an error response to a request without a valid key."""
        error = code.value
        if self.metrics is not None and (error.status is HTTPStatus.UNAUTHORIZED or code is ErrorCode.TOO_MANY_KEYS):
            self.metrics.authentication_failures.labels(error.reason or error.authentication.value).inc()


class CachedResponseObserver:
    """Observes the requests that get one cached response, with all prepared that is the same for each."""

    __slots__ = (
        "_access_log",
        "_agent",
        "_client",
        "_line",
        "_metrics",
        "_status",
        "_trace",
        "_tracer",
        "_usage",
    )

    def __init__(self, observer: RequestObserver, trace: RequestTrace, status: int) -> None:
        self._access_log, self._tracer = observer.access_log, observer.tracer
        self._trace, self._status = (trace if self._tracer is not None else None), status
        self._line = observer.access_log.prepare(trace, status)
        self._agent: bytes | None = None
        self._client = UNKNOWN
        requester = Requester(trace.account or "", trace.digest or "", trace.key)
        self._usage = None if observer.usage is None else RepeatCounter(observer.usage, requester, trace.operation)
        self._metrics = None
        if (metrics := observer.metrics) is not None:
            account = metrics.account_label(trace.account)
            self._metrics = (
                metrics.requests.labels(trace.operation, str(status), account),
                metrics.job_cache_lookups.labels(account, "hit"),
                metrics.request_duration.labels(trace.operation),
                metrics.key_requests.labels(*metrics.key_labels(trace.account, trace.key, ANSWERED)),
            )

    def observe(self, trace_id: str, scope: Scope, started: float) -> None:
        """Logs and counts a request that began at `started` of the performance counter."""
        # All that get a response are in one network, and mostly one program.
        if (agent := agent_of(scope)) != self._agent:
            self._agent, self._client = agent, client_of(scope)
        self._access_log.write(self._line, trace_id, started, self._client)
        if self._usage is not None:
            self._usage.count(self._client)
        if self._metrics is not None:
            requests, hits, duration, of_key = self._metrics
            requests.inc()
            hits.inc()
            of_key.inc()
            duration.observe(time.perf_counter() - started)
        if self._tracer is not None and self._trace is not None:
            self._tracer.record_cached(self._trace, trace_id, scope, self._status, started)
