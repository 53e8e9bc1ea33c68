"""The server: uvicorn with the lenient protocol, ended by a signal with exit status 0."""

import gc
import logging
import math
import signal
import socket
from collections.abc import Sequence

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import ChangeReload

from proxy.api.cors import cors_headers
from proxy.keyring.file import load_keyring
from proxy.observability.metrics.server import serve_metrics
from proxy.observability.setup import build_telemetry
from proxy.server.app import create_app
from proxy.server.graceful_shutdown import DrainingServer
from proxy.settings import Settings, SettingsError, variable_name
from proxy.version import PROGRAM, SERVER_HEADER, VERSION

log = logging.getLogger(__name__)

BACKLOG = 2048

# Accepted requests end within their own deadline; so many seconds later the connections that are left are closed. With
# the default deadline, a process that drains first ends within ten seconds, which is what container hosts wait.
GRACE_SECONDS = 1

# Legacy clients poll every 3 to 30 seconds on one connection, and gateways keep theirs for 60. uvicorn's 5 seconds end
# just when a client that waits for 5 sends its next poll, which then meets a reset.
KEEP_ALIVE_SECONDS = 75


def listen(settings: Settings) -> socket.socket:
    """Binds the address of the settings.

    Raises:
        SettingsError: it is taken, or is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        names = f"{variable_name('host')}, {variable_name('port')}"
        raise SettingsError(f"{names}: can't listen on {settings.host}:{settings.port}: {error.strerror}") from None
    return listener


def serve(settings: Settings, listener: socket.socket, *, reload: bool = False, warnings: Sequence[str] = ()) -> int:
    """Serves until SIGTERM or SIGINT, then answers what was accepted; returns the exit status.

    Args:
        settings: the settings of this process.
        listener: the socket that `listen` returned.
        reload: whether to start anew whenever a source file changes, for developers; without metrics and traces.
        warnings: lines of the log after its first one.

    Raises:
        SettingsError: the key ring is broken, the port of metrics is taken, or traces are not supported so.
    """
    if reload:  # pragma: no cover - a developer's tool, ended by hand
        listener.set_inheritable(True)
        config = uvicorn_config("proxy.server.app:app_from_environment", settings, reload=True)
        ChangeReload(config, uvicorn.Server(config).run, [listener]).run()
        return 0
    telemetry = build_telemetry(settings)
    with serve_metrics(settings, telemetry.metrics):
        app = create_app(settings, load_keyring(settings), telemetry)
        server = DrainingServer(uvicorn_config(app, settings))
        # A signal that comes before uvicorn's own handlers ends the server after its start. After its shutdown uvicorn
        # raises the signal again for these handlers: the work is done by then.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(server, "should_exit", True))
        address, port = listener.getsockname()[:2]
        log.info("%s %s: listening on %s port %s", PROGRAM, VERSION, address, port)
        for warning in warnings:
            log.warning("%s", warning)
        # A garbage collection that looks at all loaded modules delays every request for tens of milliseconds.
        gc.collect()
        gc.freeze()
        server.run([listener])
    return 0


def uvicorn_config(app: str | ASGIApp, settings: Settings, *, reload: bool = False) -> uvicorn.Config:
    """Returns uvicorn's settings for an application, or for the import string of a function that creates one."""
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        http="proxy.server.http_protocol:LenientHttpProtocol",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        headers=[*cors_headers(settings.cors_origins), (SERVER_HEADER, VERSION)],
        proxy_headers=False,  # the application looks at them
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.storage_timeout) + GRACE_SECONDS,
        reload=reload,
        reload_dirs=["proxy", "adapters"] if reload else None,
    )
