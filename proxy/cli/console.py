"""The command `console`: the operators' web pages, until SIGTERM or SIGINT."""

import asyncio
import ipaddress
import logging
import os
import socket
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import uvicorn

from adapters.accounts import AccountRegistry
from proxy.bootstrap import storage_options
from proxy.cli.worker import reader_limits
from proxy.console.app import create_console
from proxy.console.context import Console
from proxy.console.sessions import SessionStore
from proxy.console.sign_in import read_token, requires_sign_in
from proxy.keyring.file import load_keyring
from proxy.keyring.keyring import KeyRing
from proxy.keyring.reload import ActiveKeyRing, reload_on_change
from proxy.observability.logs import configure_logs
from proxy.operations.audit import operator_name
from proxy.operations.entity_queries import EntityQueries
from proxy.operations.overview import OverviewReader
from proxy.settings import Settings, SettingsError, load_settings, variable_name
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
    for warning in unknown_variables(os.environ, keyring.variables):
        log.warning("%s", warning)
    with listen(settings) as listener:
        asyncio.run(_serve(settings, keyring, listener))
    return 0


def check_access(settings: Settings) -> None:
    """Checks that only those who may can reach the console (operations contract, section 5).

    Raises:
        SettingsError: it would listen for other machines without a sign-in, or the token can't be used.
    """
    if requires_sign_in(settings):
        if settings.console_auth == "token":
            read_token(settings)
        return
    if not _is_loopback(settings.console_host):
        raise SettingsError(
            f"{variable_name('console_host')}: {settings.console_host} is open to other machines; set"
            f" {variable_name('console_token_file')} or {variable_name('console_auth')}=entra, or listen on 127.0.0.1"
        )


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host.lower() == "localhost"


def listen(settings: Settings) -> socket.socket:
    """Binds the console's address.

    Raises:
        SettingsError: it is taken, or is none of this machine's.
    """
    host, port = settings.console_host, settings.console_port
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        names = f"{variable_name('console_host')}, {variable_name('console_port')}"
        raise SettingsError(f"{names}: can't listen on {host}:{port}: {error.strerror}") from None
    return listener


async def _serve(settings: Settings, keyring: KeyRing, listener: socket.socket) -> None:
    async with open_console(settings, keyring) as console:
        address, port = listener.getsockname()[:2]
        access = "with sign-in" if requires_sign_in(settings) else "open to all on this machine"
        name = f"[{address}]" if ":" in address else address
        log.info("%s %s: console at http://%s:%s, %s", PROGRAM, VERSION, name, port, access)
        await console_server(console).serve([listener])
    log.info("ended")


def console_server(console: Console) -> uvicorn.Server:
    """Creates the HTTP server of a console."""
    trusted = list(console.settings.trusted_proxies)
    return uvicorn.Server(
        uvicorn.Config(
            create_console(console),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(trusted),
            forwarded_allow_ips=trusted,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )


@asynccontextmanager
async def open_console(settings: Settings, keyring: KeyRing) -> AsyncIterator[Console]:
    """Opens what the console's pages need, and follows changes of the key ring's file."""
    ring = ActiveKeyRing(keyring, AccountRegistry(keyring.accounts, storage_options(settings), maps=keyring.maps))
    readers = ReaderPool(reader_limits(settings))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(ring.close)
        stack.push_async_callback(readers.close)
        folder = stack.enter_context(work_directory())
        queries = await stack.enter_async_context(EntityQueries.open(folder / "versions", settings.query_cache_mb))
        overview = OverviewReader(settings, ring)
        stack.callback(overview.close)
        tasks = [asyncio.create_task(keep_work_directory(folder))]
        if settings.keyring_file is not None:
            follow = reload_on_change(settings.keyring_file, ring, settings.storage_timeout, _prepare_nothing)
            tasks.append(asyncio.create_task(follow))
        try:
            yield Console(settings, ring, SessionStore(), operator_name(settings), queries, readers, folder, overview)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def _prepare_nothing(_accounts: AccountRegistry) -> None:
    """The server and the worker create what an account misses; the console may be read-only."""
