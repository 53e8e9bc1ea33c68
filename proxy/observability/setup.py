"""What is counted and traced, as the settings and the environment ask for it. What nobody asks for is not imported."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.observability.otel_config import exporters_asked
from proxy.observability.request_observer import RequestObserver
from proxy.observability.storage_observer import StorageMetrics
from proxy.settings import Settings, SettingsError

if TYPE_CHECKING:
    from proxy.observability.metrics.registry import Metrics
    from proxy.observability.tracing import RequestTracer


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Metrics and traces, each only where it is asked for."""

    metrics: "Metrics | None" = None
    tracer: "RequestTracer | None" = None

    def account(self, name: str) -> StorageMetrics:
        """The watch on an account's storage."""
        return StorageMetrics(name, self.metrics, self.tracer)

    def requests(self) -> RequestObserver | None:
        """The watch on requests; None where it would see nothing."""
        return None if self.metrics is None and self.tracer is None else RequestObserver(self.metrics, self.tracer)

    def close(self) -> None:
        """Sends what is left of the traces."""
        if self.tracer is not None:
            self.tracer.close()


DISABLED = Telemetry()


def build_telemetry(settings: Settings, *, worker: bool = False) -> Telemetry:
    """What this process counts and traces. A worker's requests are its own, so that it has no traces.

    Raises:
        SettingsError: a variable asks for what there is not.
    """
    series = None
    if settings.metrics_port is not None:
        from proxy.observability.metrics.registry import PROCESS, Metrics  # noqa: PLC0415 - as said above

        series = Metrics(PROCESS, worker=worker)
    return Telemetry(series, None if worker else build_tracer())


def build_tracer() -> "RequestTracer | None":
    """What makes spans, where the environment asks for traces.

    Raises:
        SettingsError: a variable asks for what there is not.
    """
    exporters = exporters_asked(os.environ)
    if not exporters:
        return None
    try:
        from proxy.observability.tracing import RequestTracer  # noqa: PLC0415 - as said above; it reads variables as it is imported

        return RequestTracer(exporters)
    except ValueError as error:
        raise SettingsError(f"OTEL_: a value that can't be: {type(error).__name__}") from None
