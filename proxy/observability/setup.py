"""Metrics and traces, as the settings and the environment ask for them. What is off is not imported."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.maps.observer import NULL_OBSERVER, MapsObserver
from proxy.observability.maps_observer import MapsTelemetry
from proxy.observability.otel_config import parse_exporters
from proxy.observability.request_observer import RequestObserver
from proxy.observability.storage_observer import KEY_STORE, StorageTelemetry
from proxy.observability.usage import UsageCounter
from proxy.settings import Settings, SettingsError, variable_name

if TYPE_CHECKING:
    from proxy.observability.metrics.catalog import Metrics
    from proxy.observability.tracing import RequestTracer


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The metrics and the tracer of this process, each None where it is off."""

    metrics: "Metrics | None" = None
    tracer: "RequestTracer | None" = None

    def storage_observer(self, account: str) -> StorageTelemetry:
        """Returns the observer of an account's storage."""
        return StorageTelemetry(account, self.metrics, self.tracer)

    def maps_observer(self, account: str) -> MapsObserver:
        """Returns the observer of an account's Azure Maps."""
        return NULL_OBSERVER if self.metrics is None else MapsTelemetry(account, self.metrics)

    def key_store_observer(self) -> StorageTelemetry:
        """Returns the observer of the key store's storage."""
        return self.storage_observer(KEY_STORE)

    def request_observer(self, usage: UsageCounter | None = None) -> RequestObserver:
        """Returns the observer of requests, which also counts for `usage`."""
        return RequestObserver(self.metrics, self.tracer, usage)

    def close(self) -> None:
        """Sends what is left of the traces."""
        if self.tracer is not None:
            self.tracer.close()


DISABLED = Telemetry()


def build_telemetry(settings: Settings, *, worker: bool = False) -> Telemetry:
    """Returns what this process counts and traces. A worker answers no requests, so it has no traces.

    Raises:
        SettingsError: an `OTEL_` variable names an unsupported exporter or protocol, or has an impossible value; or the
            packages of metrics or traces are not installed.
    """
    metrics = None
    if settings.metrics_port is not None:
        with _extra("metrics", variable_name("metrics_port")):
            from prometheus_client import CollectorRegistry  # noqa: PLC0415 - only a process with metrics loads it

            from proxy.observability.metrics.catalog import Metrics  # noqa: PLC0415 - the same

        metrics = Metrics(CollectorRegistry())
    return Telemetry(metrics, None if worker else _build_tracer())


def _build_tracer() -> "RequestTracer | None":
    exporters = parse_exporters(os.environ)
    if not exporters:
        return None
    try:
        with _extra("tracing", "OTEL_TRACES_EXPORTER"):
            from proxy.observability.tracing import RequestTracer  # noqa: PLC0415 - its import reads variables

        return RequestTracer(exporters)
    except ValueError as error:
        raise SettingsError(f"OTEL_: a variable has an impossible value: {type(error).__name__}") from None


@contextmanager
def _extra(name: str, variable: str) -> Iterator[None]:
    """Turns a missing package into a message that names the extra of this package to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"{variable}: needs the package {error.name}, which is not installed; unset it, or install"
            f" spatial-data-proxy[{name}]"
        ) from None
