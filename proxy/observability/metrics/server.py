"""The port of Prometheus metrics."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from proxy.settings import Settings, SettingsError, variable_name

if TYPE_CHECKING:  # it imports prometheus_client
    from proxy.observability.metrics.catalog import Metrics

# Seconds that a connection may be silent. Each has a thread of its own.
SILENT_SECONDS = 10.0


@contextmanager
def serve_metrics(settings: Settings, metrics: "Metrics | None") -> Iterator[None]:
    """Serves metrics on their port while the context lasts; without metrics, does nothing.

    Raises:
        SettingsError: the port is taken, or the address is none of this machine's.
    """
    if metrics is None or settings.metrics_port is None:
        yield
        return
    from prometheus_client import start_http_server  # noqa: PLC0415 - only a process with metrics loads it

    try:
        server, thread = start_http_server(settings.metrics_port, settings.host, metrics.registry)
    except OSError as error:
        names = f"{variable_name('host')}, {variable_name('metrics_port')}"
        text = f"{names}: can't listen on {settings.host}:{settings.metrics_port}: {error.strerror}"
        raise SettingsError(text) from None
    handler: Any = server.RequestHandlerClass  # a class, though its type says only that it can be called
    server.RequestHandlerClass = type("Handler", (handler,), {"timeout": SILENT_SECONDS})
    # By default a connection that breaks off prints a traceback among the lines of the log.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
