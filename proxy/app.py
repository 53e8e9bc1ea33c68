"""The application: routes and lifespan on one page."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from starlette.applications import Starlette
from starlette.routing import Route

from adapters.account import Account, StorageOptions
from adapters.accounts import Accounts
from adapters.errors import StorageFaultError
from adapters.remembered import Lifetimes
from proxy.draining import READINESS
from proxy.endpoint import Endpoint
from proxy.keyring import KeyRing
from proxy.keyring_file import load_keyring
from proxy.logs import configure_logs
from proxy.protocol import REFUSE
from proxy.readiness import Readiness
from proxy.ring_watch import RingInUse, watch
from proxy.routes.health import Livez, Readyz
from proxy.settings import Settings, SettingsError, load_settings

log = logging.getLogger(__name__)

# How long the first answer may wait for tables to be made; an account that takes longer must not hold up the others.
PREPARE_SECONDS = 1.0


def create_app(settings: Settings, keyring: KeyRing) -> Starlette:
    """The proxy for these settings and this key ring.

    Only /livez and /readyz are ours; every other path belongs to the wire contract, which answers in its own envelope
    also where there is nothing.
    """
    ring = RingInUse(keyring, Accounts(keyring.accounts, storage_options(settings)))
    readiness = Readiness(ring)
    endpoint = Endpoint(settings, ring, readiness)
    seconds = settings.storage_timeout

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, object]]:
        tasks = [asyncio.create_task(prepare(ring.accounts, seconds))]
        await asyncio.wait(tasks, timeout=PREPARE_SECONDS)
        if settings.keyring_file is not None:
            following = watch(settings.keyring_file, ring, seconds, lambda accounts: prepare(accounts, seconds))
            tasks.append(asyncio.create_task(following))
        yield {REFUSE: endpoint.refuse, READINESS: readiness}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await endpoint.under_way.ended()
        await ring.accounts.close()

    app = Starlette(routes=[Route("/livez", Livez()), Route("/readyz", Readyz(readiness))], lifespan=lifespan)
    app.router.redirect_slashes = False
    app.router.default = endpoint
    return app


def app_from_environment() -> Starlette:
    """The proxy as each worker process makes it."""
    settings = load_settings(serving=True)
    configure_logs(settings.log_level, settings.log_format)
    try:
        return create_app(settings, load_keyring(settings))
    except SettingsError as error:
        # The ring was sound when the first process looked. One that starts again later may find it broken.
        log.error("can't start: %s", error)  # noqa: TRY400 - the line says it all
        sys.exit(1)


def storage_options(settings: Settings) -> StorageOptions:
    """What the settings say of storage."""
    return StorageOptions(
        settings.jobs_table,
        timedelta(minutes=settings.sas_minutes),
        settings.storage_timeout,
        Lifetimes(settings.pending_ttl, settings.finished_ttl),
        settings.worker_lease,
    )


async def prepare(accounts: Accounts, seconds: float) -> None:
    """Creates what accounts miss in storage and gets the keys that sign links, each account within a deadline.

    What can't be done is told in the log, and hurts nobody else.
    """

    async def attempt(name: str, what: str, work: Callable[[Account], Awaitable[object]]) -> None:
        try:
            async with asyncio.timeout(seconds):
                await work(accounts[name])
        except (StorageFaultError, TimeoutError) as error:
            advice = error.fault.value.advice if isinstance(error, StorageFaultError) else None
            log.warning("%s: %s", what, error or "timeout", extra={"account": name, "advice": advice})

    sound = [name for name in accounts.names if name not in accounts.faults]
    for name, fault in accounts.faults.items():
        log.error("account can't be opened: %s", fault, extra={"account": name, "advice": fault.fault.value.advice})
    async def each(name: str) -> None:
        # One after the other: so they share one token of an identity.
        await attempt(name, "no key to sign links", lambda account: account.links.signer())
        # A read-only identity is enough where all is there, so that something is not created may be no fault at all.
        what = "not all tables, queues and containers created"
        await attempt(name, what, lambda account: account.create_missing())

    await asyncio.gather(*map(each, sound))
