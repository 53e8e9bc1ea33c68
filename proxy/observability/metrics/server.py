"""The port of Prometheus metrics, for one process or several."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from proxy.settings import Settings, SettingsError, variable

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which the Prometheus client's processes find each other; it is ours to set."""

# How long whoever connects may be silent. Each connection has a thread of its own.
SILENT_SECONDS = 10.0


@contextmanager
def metrics_port(settings: Settings, *, several: bool = False) -> Iterator[None]:
    """Answers on the port of metrics, where there is to be one, as long as the context lasts.

    Those of this process, or with `several` of all processes that begin meanwhile. To be entered before the Prometheus
    client is first imported.

    Raises:
        SettingsError: the port is taken, or the address is none of this machine's.
    """
    os.environ.pop(FOLDER, None)
    if settings.metrics_port is None:
        yield
    elif several:
        with tempfile.TemporaryDirectory(prefix="metrics-", ignore_cleanup_errors=True) as folder:
            os.environ[FOLDER] = folder
            with _answering(settings):
                yield
    else:
        with _answering(settings):
            yield


def acquire_leadership() -> bool:
    """Whether this process is the one of several that does what one of them must; it stays so until its end."""
    folder = os.environ.get(FOLDER)
    if folder is None or _held:
        return True
    import fcntl  # noqa: PLC0415 - Windows has none, and no worker processes that share a port

    lock = (Path(folder) / "one").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    _held.append(lock)
    return True


_held: list[object] = []


@contextmanager
def _answering(settings: Settings) -> Iterator[None]:
    # Memory and time at the start that only those pay who ask for metrics.
    from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415 - as said above
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 - the same

    from proxy.observability.metrics.registry import PROCESS  # noqa: PLC0415 - the same

    registry = PROCESS
    if FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the client gives it no types
    try:
        server, thread = start_http_server(settings.metrics_port or 0, settings.host, registry)
    except OSError as error:
        names = f"{variable('host')}, {variable('metrics_port')}"
        text = f"{names}: can't listen on {settings.host}:{settings.metrics_port}: {error.strerror}"
        raise SettingsError(text) from None
    handler: Any = server.RequestHandlerClass  # a class, though its type says only that it can be called
    server.RequestHandlerClass = type("Handler", (handler,), {"timeout": SILENT_SECONDS})
    # It would print a traceback among the lines of the log, for each connection that breaks off.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
