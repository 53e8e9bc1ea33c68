"""The application: routes and lifespan on one page."""

import asyncio
import gc
import logging
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from adapters.account import Account, StorageOptions
from adapters.accounts import Accounts
from adapters.errors import Fault, StorageFaultError
from adapters.remembered import Lifetimes
from proxy.background import follow
from proxy.cors import ANY, allow_listed
from proxy.draining import READINESS
from proxy.endpoint import Endpoint
from proxy.keyring import KeyRing
from proxy.keyring_file import load_keyring
from proxy.logs import configure_logs
from proxy.protocol import REFUSE
from proxy.readiness import Readiness
from proxy.ring_watch import RingInUse
from proxy.routes.health import Livez, Readyz
from proxy.settings import Settings, SettingsError, load_settings
from proxy.watching.choice import NOTHING, Watching
from proxy.watching.choice import watching as watching_of

log = logging.getLogger(__name__)

# How long the first answer may wait for tables to be made; an account that takes longer must not hold up the others.
PREPARE_SECONDS = 1.0

# Seconds before what could not be made is tried again, doubling from the first to the last.
PREPARE_AGAIN = (1.0, 15.0)


def create_app(settings: Settings, keyring: KeyRing, watching: Watching = NOTHING) -> Starlette:
    """The proxy for these settings and this key ring, counted and traced as `watching` says.

    Only /livez and /readyz are ours; every other path belongs to the wire contract, which answers in its own envelope
    also where there is nothing.
    """
    ring = RingInUse(keyring, Accounts(keyring.accounts, storage_options(settings, watching)))
    readiness = Readiness(ring)
    endpoint = Endpoint(settings, ring, readiness, watching.requests())
    seconds = settings.storage_timeout

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, object]]:
        tasks = [asyncio.create_task(prepare_all(ring, ring.accounts, seconds))]
        await asyncio.wait(tasks, timeout=PREPARE_SECONDS)
        await readiness.look()
        tasks.append(asyncio.create_task(readiness.watch()))
        tasks += follow(settings, ring, seconds, watching, lambda accounts: prepare_all(ring, accounts, seconds))
        yield {REFUSE: endpoint.refuse, READINESS: readiness}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await endpoint.under_way.ended()
        await ring.accounts.close()
        watching.close()

    own: dict[str, ASGIApp] = {"/livez": Livez(), "/readyz": Readyz(readiness)}
    return Proxy(own, endpoint, lifespan, settings.cors_origins)


class Proxy(Starlette):
    """Starlette for the lifespan and our own paths; all others go to the endpoint at once.

    Starlette's middleware makes an answer of what an application raises. The endpoint raises nothing.
    """

    def __init__(
        self, own: Mapping[str, ASGIApp], endpoint: Endpoint, lifespan: Lifespan["Proxy"], origins: tuple[str, ...]
    ) -> None:
        super().__init__(routes=[Route(path, app) for path, app in own.items()], lifespan=lifespan)
        self._own = own
        self._endpoint = endpoint
        self._listed = frozenset(origin.encode() for origin in origins if origin != ANY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or runs the lifespan."""
        if self._listed and scope["type"] == "http":
            send = allow_listed(self._listed, scope, send)
        if scope["type"] != "http" or scope["path"] in self._own:
            await super().__call__(scope, receive, send)
        else:
            await self._endpoint(scope, receive, send)


def app_from_environment() -> Starlette:
    """The proxy as each worker process makes it."""
    settings = load_settings(serving=True)
    configure_logs(settings.log_level, settings.log_format)
    try:
        app = create_app(settings, load_keyring(settings), watching_of(settings))
    except SettingsError as error:
        # The ring was sound when the first process looked. One that starts again later may find it broken.
        log.error("can't start: %s", error)  # noqa: TRY400 - the line says it all
        sys.exit(1)
    # What is there now stays: a look through it for garbage would hold up every request for tens of milliseconds.
    gc.collect()
    gc.freeze()
    return app


def storage_options(settings: Settings, watching: Watching = NOTHING) -> StorageOptions:
    """What the settings say of storage."""
    return StorageOptions(
        settings.jobs_table,
        timedelta(minutes=settings.sas_minutes),
        settings.storage_timeout,
        Lifetimes(settings.pending_ttl, settings.finished_ttl),
        settings.worker_lease,
        watching.account,
        pages_may_read=bool(settings.cors_origins),
    )


async def prepare_all(ring: RingInUse, accounts: Accounts, seconds: float) -> None:
    """Prepares accounts, and those again whose storage was away, until that is done or the ring has changed."""
    wait, longest = PREPARE_AGAIN
    missing = await prepare(accounts, seconds)
    while missing and ring.accounts is accounts:
        await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        wait = min(longest, 2 * wait)
        missing = await prepare(accounts, seconds, names=missing)


async def prepare(
    accounts: Accounts, seconds: float, *, signs: bool = True, names: Sequence[str] | None = None
) -> list[str]:
    """Creates what accounts miss in storage and gets the keys that sign links, each account within a deadline.

    What can't be done is told in the log, and hurts nobody else.

    Args:
        accounts: the accounts of a ring.
        seconds: the deadline of each step.
        signs: whether this process signs links; who does not needs no keys, nor leave to ask for them.
        names: the accounts that a call before has given; None: all, for the first time.

    Returns:
        The accounts that may still miss something.
    """

    async def attempt(name: str, what: str, work: Callable[[Account], Awaitable[object]]) -> Fault | None:
        try:
            async with asyncio.timeout(seconds):
                await work(accounts[name])
        except (StorageFaultError, TimeoutError) as error:
            fault = error.fault if isinstance(error, StorageFaultError) else Fault.TIMEOUT
            if names is None:  # the log says it once
                text = error if isinstance(error, StorageFaultError) else fault.value.name
                log.warning("%s: %s", what, text, extra={"account": name, "advice": fault.value.advice})
            return fault
        return None

    if names is None:
        for name, fault in accounts.faults.items():
            log.error("account can't be opened: %s", fault, extra={"account": name, "advice": fault.fault.value.advice})

    async def each(name: str) -> bool:
        # One after the other: so they share one token of an identity.
        if signs and names is None:
            await attempt(name, "no key to sign links", lambda account: account.links.signer())
        what = "not all tables, queues and containers created"
        fault = await attempt(name, what, lambda account: account.create_missing())
        if fault is None and names is not None:
            log.info("tables, queues and containers are there now", extra={"account": name})
        if fault is not Fault.REFUSED:
            return fault is None
        # A read-only identity is enough where all is there: then nothing gets better by trying again.
        return await attempt(name, "the jobs table can't be read", lambda account: account.jobs.reach()) is None

    asked = [name for name in accounts.names if name not in accounts.faults] if names is None else names
    done = await asyncio.gather(*map(each, asked))
    return [name for name, is_done in zip(asked, done, strict=True) if not is_done]
