"""The command `console`: the operators' web pages, until SIGTERM or SIGINT."""

import asyncio
import logging
import os
import signal
import socket
import threading
from argparse import Namespace
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from adapters.accounts import AccountRegistry
from proxy.bootstrap import storage_options
from proxy.cli.console_access import check_access, listen, open_access, url_of, warnings_of
from proxy.cli.worker import reader_limits
from proxy.console.app import create_console
from proxy.console.context import Console
from proxy.console.entra_access import EntraAccess
from proxy.console.sent_files import SentFiles
from proxy.console.sessions import SessionStore
from proxy.keyring.file import load_keyring
from proxy.keyring.keyring import KeyRing
from proxy.keyring.reload import ActiveKeyRing, reload_on_change
from proxy.observability.logs import configure_logs
from proxy.operations.audit import operator_name
from proxy.operations.entity_queries import EntityQueries
from proxy.operations.overview import OverviewReader
from proxy.server.forwarded_headers import ForwardedHeaders
from proxy.settings import Settings, load_settings
from proxy.unknown_variables import unknown_variables
from proxy.version import PROGRAM, VERSION
from proxy.worker.reader_pool import ReaderPool
from proxy.worker.work_directory import keep_work_directory, work_directory

log = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 3


def run_console(_options: Namespace) -> int:
    """Runs until a signal and returns the exit status.

    Raises:
        SettingsError: a setting is wrong, or it would let anyone in, or the port is taken.
    """
    settings = load_settings()
    keyring = load_keyring(settings)
    check_access(settings)
    configure_logs(settings.log_level, settings.log_format)
    for warning in (*unknown_variables(os.environ, keyring.variables), *warnings_of(settings)):
        log.warning("%s", warning)
    with listen(settings) as listener:
        asyncio.run(_serve(settings, keyring, listener))
    return 0


async def _serve(settings: Settings, keyring: KeyRing, listener: socket.socket) -> None:
    ended = threading.Event()
    _on_signals(ended.set)
    async with open_console(settings, keyring) as console:
        server = console_server(console)
        # uvicorn puts its own handlers here, and raises the signal again for these when it has ended.
        _on_signals(lambda: setattr(server, "should_exit", True))
        if ended.is_set():
            server.should_exit = True
        access = "open to all on this machine" if console.access is None else "with sign-in"
        log.info("%s %s: console at %s, %s", PROGRAM, VERSION, url_of(listener), access)
        await server.serve([listener])
    log.info("ended")


def _on_signals(act: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: act())


def console_server(console: Console) -> uvicorn.Server:
    """Creates the HTTP server of a console."""
    app: ASGIApp = create_console(console)
    if console.settings.trusted_proxies:
        app = ForwardedHeaders(app, console.settings.trusted_proxies)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http="proxy.server.http_protocol:LenientHttpProtocol",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the application looks at them
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )


@asynccontextmanager
async def open_console(settings: Settings, keyring: KeyRing) -> AsyncIterator[Console]:
    """Opens what the console's pages need, and follows changes of the key ring's file.

    Raises:
        SettingsError: the token can't be used.
    """
    access = open_access(settings)
    ring = ActiveKeyRing(keyring, AccountRegistry(keyring.accounts, storage_options(settings), maps=keyring.maps))
    readers = ReaderPool(reader_limits(settings))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(ring.close)
        stack.push_async_callback(readers.close)
        if isinstance(access, EntraAccess):
            stack.push_async_callback(access.entra.close)
        folder = stack.enter_context(work_directory())
        files = SentFiles(folder)
        stack.push_async_callback(files.close)
        queries = await stack.enter_async_context(EntityQueries.open(folder / "versions", settings.query_cache_mb))
        overview = OverviewReader(settings, ring)
        stack.callback(overview.close)
        tasks = [asyncio.create_task(keep_work_directory(folder))]
        if settings.keyring_file is not None:
            follow = reload_on_change(settings.keyring_file, ring, settings.storage_timeout, _prepare_nothing)
            tasks.append(asyncio.create_task(follow))
        try:
            yield Console(
                settings, ring, access, SessionStore(), operator_name(settings), queries, readers, overview, files
            )
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def _prepare_nothing(_accounts: AccountRegistry) -> None:
    """The server and the worker create what an account misses; the console may be read-only."""
