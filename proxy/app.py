"""The application: routes and lifespan on one page."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from starlette.applications import Starlette
from starlette.routing import Route

from adapters.account import Accounts, StorageOptions
from adapters.errors import StorageFaultError
from proxy.endpoint import Endpoint
from proxy.keyring import KeyRing
from proxy.keyring_file import load_keyring
from proxy.logs import configure_logs
from proxy.protocol import REFUSE
from proxy.routes.health import Livez
from proxy.settings import Settings, load_settings

log = logging.getLogger(__name__)

# How long the first answer may wait for tables to be made; an account that takes longer must not hold up the others.
PREPARE_SECONDS = 1.0


def create_app(settings: Settings, keyring: KeyRing) -> Starlette:
    """The proxy for these settings and this key ring.

    Only /livez is ours; every other path belongs to the wire contract, which answers in its own envelope also where
    there is nothing.
    """
    accounts = Accounts(keyring.accounts, storage_options(settings))
    endpoint = Endpoint(settings, keyring, accounts)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, object]]:
        async with accounts:
            preparing = asyncio.create_task(prepare(accounts, settings.storage_timeout))
            await asyncio.wait([preparing], timeout=PREPARE_SECONDS)
            yield {REFUSE: endpoint.refuse}
            preparing.cancel()

    app = Starlette(routes=[Route("/livez", Livez())], lifespan=lifespan)
    app.router.redirect_slashes = False
    app.router.default = endpoint
    return app


def app_from_environment() -> Starlette:
    """The proxy as each worker process makes it."""
    settings = load_settings(serving=True)
    configure_logs(settings.log_level, settings.log_format)
    return create_app(settings, load_keyring(settings))


def storage_options(settings: Settings) -> StorageOptions:
    """What the settings say of storage."""
    return StorageOptions(settings.jobs_table, timedelta(minutes=settings.sas_minutes), settings.storage_timeout)


async def prepare(accounts: Accounts, seconds: float) -> None:
    """Creates the jobs tables that are missing, each within a deadline; what can't be done is told in the log."""

    async def create_table(name: str) -> None:
        try:
            async with asyncio.timeout(seconds):
                await accounts[name].jobs.create_table()
        except (StorageFaultError, TimeoutError) as error:
            # A read-only identity is enough where the table exists, so this may be no fault at all.
            log.warning("jobs table not created: %s", error or "timeout", extra={"account": name})

    await asyncio.gather(*(create_table(name) for name in accounts.names))
