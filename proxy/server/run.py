"""The server: uvicorn with our protocol, one process or several, ended by a signal with exit status 0."""

import logging
import math
import os
import signal
import socket
from collections.abc import Sequence

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import ChangeReload, multiprocess

from proxy.api.cors import headers_of_all
from proxy.observability.metrics.server import metrics_port
from proxy.observability.otel_config import exporters_asked
from proxy.observability.setup import build_tracer
from proxy.server.graceful_shutdown import DrainingProcess, DrainingProcesses, DrainingServer
from proxy.settings import Settings, SettingsError, variable
from proxy.version import PROGRAM, VERSION

log = logging.getLogger(__name__)

BACKLOG = 2048

# What was accepted is done within its own deadline; this much later whoever still holds a connection loses it. With the
# default deadline a process that drains first has ended within ten seconds, which is what container hosts wait.
GRACE_SECONDS = 1


def listen(settings: Settings) -> socket.socket:
    """Binds the address of the settings.

    Raises:
        SettingsError: it is taken, or is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        names = f"{variable('host')}, {variable('port')}"
        raise SettingsError(f"{names}: can't listen on {settings.host}:{settings.port}: {error.strerror}") from None
    listener.set_inheritable(True)  # worker processes accept on it too
    return listener


def serve(settings: Settings, listener: socket.socket, *, reload: bool = False, warnings: Sequence[str] = ()) -> int:
    """Serves until SIGTERM or SIGINT, then answers what was accepted; gives the exit status.

    With `reload` it starts anew whenever a source file changes, for those who work on it. `warnings` stand in the log
    after its first line.

    Raises:
        SettingsError: the port of metrics is taken, or traces are asked for that there are not.
    """
    exporters_asked(os.environ)
    several = reload or settings.workers > 1
    # Each process makes its own. One that can't would be begun again and again, so a mistake is told once, here.
    if several and (spans := build_tracer()) is not None:
        spans.close()
    with metrics_port(settings, several=several):
        return _serve(settings, listener, reload=reload, warnings=warnings)


def _serve(settings: Settings, listener: socket.socket, *, reload: bool, warnings: Sequence[str]) -> int:
    config = configuration("proxy.server.app:app_from_environment", settings, reload=reload)
    address, port = listener.getsockname()[:2]
    log.info("%s %s: listening on %s port %s with %s processes", PROGRAM, VERSION, address, port, settings.workers)
    for warning in warnings:
        log.warning("%s", warning)
    # When it has shut down, uvicorn raises the signal again for whoever was there before it. That is us, and the
    # work is done.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    if reload:  # pragma: no cover - a developer's tool, ended by hand
        ChangeReload(config, uvicorn.Server(config).run, [listener]).run()
        return 0
    if settings.workers > 1:
        # The supervisor makes its processes by this name, and has no other way to be told of ours.
        multiprocess.Process = DrainingProcess  # type: ignore[misc]  # a class for its subclass
        DrainingProcesses(config, [listener]).run()
        return 0
    DrainingServer(config).run([listener])
    return 0


def configuration(app: str | ASGIApp, settings: Settings, *, reload: bool = False) -> uvicorn.Config:
    """The settings of uvicorn for an application, or for the import string of a function that makes one."""
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=settings.workers,
        http="proxy.server.http_protocol:LenientHttpProtocol",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        headers=headers_of_all(settings.cors_origins),
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        backlog=BACKLOG,
        timeout_graceful_shutdown=math.ceil(settings.storage_timeout) + GRACE_SECONDS,
        reload=reload,
        reload_dirs=["proxy", "adapters"] if reload else None,
    )
