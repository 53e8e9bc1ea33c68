"""OpenTelemetry traces. Imported only where its variables ask for them.

A request is a span, in the caller's trace where the caller sends one. Each call of storage that it needs is a child
span. No span holds a key, a link or a URL of storage.
"""

import threading
import time
from collections.abc import Iterable, Mapping

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from starlette.types import Scope

from adapters.errors import StorageErrorCode
from adapters.instrumentation import Service, StorageVerb
from proxy.observability.request_trace import RequestTrace

SERVICE = "spatial-data-proxy"

# An exporter whose collector is away would delay the end of the process for a minute.
END_SECONDS = 2.0

SERVER_ERROR = 500

EXPORTERS: Mapping[str, type[SpanExporter]] = {"otlp": OTLPSpanExporter, "console": ConsoleSpanExporter}


class RequestTracer:
    """Creates the spans of requests and of their calls of storage."""

    def __init__(self, exporters: Iterable[str]) -> None:
        """Takes the names of exporters. They read all else, like the sampler, from the `OTEL_` variables.

        Raises:
            ValueError: one of those variables has an impossible value.
        """
        resource = Resource.create()
        if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):  # none of the variables names it
            resource = resource.merge(Resource({SERVICE_NAME: SERVICE}))
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        for name in exporters:
            self._provider.add_span_processor(BatchSpanProcessor(EXPORTERS[name]()))
        self._tracer = self._provider.get_tracer("proxy")
        self._fields = frozenset(propagate.get_global_textmap().fields)

    def begin(self, trace: RequestTrace, scope: Scope, started: float) -> None:
        """Opens the span of a request that began at `started` of the performance counter."""
        trace.span = self._open(trace, scope, started)

    def end(self, trace: RequestTrace, status: int) -> None:
        """Closes the span of a request."""
        span: Span = trace.span
        trace.span = None  # reads that go on in the background are not part of it
        _close(span, trace, status)

    def record_cached(self, trace: RequestTrace, trace_id: str, scope: Scope, status: int, started: float) -> None:
        """Records a request that got a cached response; `trace` is of the request that got it first."""
        span = self._open(trace, scope, started)
        if span.is_recording():
            _close(span, trace.for_cache_hit(trace_id), status)

    def begin_call(self, trace: RequestTrace, account: str, service: Service, call: StorageVerb) -> Span:
        """Opens the span of a call of storage."""
        attributes = {"account": account, "storage.service": service, "storage.call": call}
        parent = set_span_in_context(trace.span)
        return self._tracer.start_span(f"{service} {call}", parent, SpanKind.CLIENT, attributes)

    @staticmethod
    def end_call(span: Span, fault: StorageErrorCode | None) -> None:
        """Closes the span of a call of storage."""
        if fault is not None:
            span.set_attribute("error.type", fault.value.name)
            span.set_status(Status(StatusCode.ERROR, fault.value.name))
        span.end()

    def close(self) -> None:
        """Sends what is left, for END_SECONDS at most."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(END_SECONDS)

    def _open(self, trace: RequestTrace, scope: Scope, started: float) -> Span:
        began = time.time_ns() - int((time.perf_counter() - started) * 1e9)
        context = self._context(scope)
        return self._tracer.start_span(trace.operation, context, SpanKind.SERVER, start_time=began)

    def _context(self, scope: Scope) -> Context:
        """Returns the caller's trace, or an empty context: the one around the server is no parent."""
        carrier = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name.decode("latin-1") in self._fields
        }
        return propagate.extract(carrier, Context()) if carrier else Context()


def _close(span: Span, trace: RequestTrace, status: int) -> None:
    if span.is_recording():
        attributes: dict[str, str | int | None] = {
            "traceId": trace.trace_id,
            "http.request.method": trace.method,
            "http.response.status_code": status,
            "url.path": trace.path,
            "account": trace.account,
            "error.type": trace.error,
            "cache_hit": trace.cache_hit,
        }
        span.set_attributes({name: value for name, value in attributes.items() if value is not None})
        span.update_name(trace.operation)
        if status >= SERVER_ERROR:
            span.set_status(Status(StatusCode.ERROR, trace.error))
    span.end()
