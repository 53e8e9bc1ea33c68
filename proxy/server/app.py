"""The application: routes and lifespan on one page."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from adapters.account import AccountStorage, StorageOptions
from adapters.accounts import AccountRegistry
from adapters.errors import StorageError, StorageErrorCode
from adapters.job_cache import CacheTtl
from adapters.sdk_calls import JITTER
from proxy.api.cors import ANY, allow_listed
from proxy.api.endpoint import LegacyApi
from proxy.api.health import Livez, Readyz
from proxy.api.readiness import Readiness
from proxy.bootstrap import start_background_tasks, watch_load_needs
from proxy.keyring.file import load_keyring
from proxy.keyring.keyring import KeyRing
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.logs import configure_logs
from proxy.observability.setup import DISABLED, Telemetry
from proxy.observability.setup import build_telemetry as watching_of
from proxy.server.graceful_shutdown import READINESS
from proxy.server.http_protocol import BAD_REQUEST_FACTORY
from proxy.settings import Settings, SettingsError, load_settings

log = logging.getLogger(__name__)

# How long the first answer may wait for tables to be made; an account that takes longer must not hold up the others.
PREPARE_SECONDS = 1.0

# Seconds before what could not be made is tried again, doubling from the first to the last.
PREPARE_AGAIN = (1.0, 15.0)


def create_app(settings: Settings, keyring: KeyRing, watching: Telemetry = DISABLED) -> Starlette:
    """The proxy for these settings and this key ring, counted and traced as `watching` says.

    Only /livez and /readyz are ours; every other path belongs to the wire contract, which answers in its own envelope
    also where there is nothing.
    """
    ring = ActiveKeyRing(keyring, AccountRegistry(keyring.accounts, storage_options(settings, watching)))
    readiness = Readiness(ring)
    endpoint = LegacyApi(settings, ring, readiness, watching.requests())
    seconds = settings.storage_timeout

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, object]]:
        tasks = [asyncio.create_task(prepare_all(ring, ring.accounts, seconds))]
        await asyncio.wait(tasks, timeout=PREPARE_SECONDS)
        await readiness.look()
        tasks.append(asyncio.create_task(readiness.watch()))
        prepare_them = partial(prepare_all, ring, seconds=seconds)
        tasks += start_background_tasks(settings, ring, seconds, watching, prepare_them)
        tasks.append(watch_load_needs(settings, ring, watching, signs=True))
        yield {BAD_REQUEST_FACTORY: endpoint.refuse, READINESS: readiness}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await endpoint.under_way.drain()
        await ring.accounts.close()
        watching.close()

    own: dict[str, ASGIApp] = {"/livez": Livez(), "/readyz": Readyz(readiness)}
    return App(own, endpoint, lifespan, settings.cors_origins)


class App(Starlette):
    """Starlette for the lifespan and our own paths; all others go to the endpoint at once.

    Starlette's middleware makes an answer of what an application raises. The endpoint raises nothing.
    """

    def __init__(
        self, own: Mapping[str, ASGIApp], endpoint: LegacyApi, lifespan: Lifespan["App"], origins: tuple[str, ...]
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


def storage_options(settings: Settings, watching: Telemetry = DISABLED) -> StorageOptions:
    """What the settings say of storage."""
    return StorageOptions(
        settings.jobs_table,
        timedelta(minutes=settings.sas_minutes),
        settings.storage_timeout,
        CacheTtl(settings.pending_ttl, settings.finished_ttl),
        settings.worker_lease,
        watching.account,
        pages_may_read=bool(settings.cors_origins),
    )


async def prepare_all(ring: ActiveKeyRing, accounts: AccountRegistry, seconds: float) -> None:
    """Prepares accounts, and those again whose storage was away, until that is done or the ring has changed."""
    wait, longest = PREPARE_AGAIN
    missing = await ensure_storage_resources(accounts, seconds)
    while missing and ring.accounts is accounts:
        await asyncio.sleep(wait * JITTER.uniform(0.5, 1.5))
        wait = min(longest, 2 * wait)
        missing = await ensure_storage_resources(accounts, seconds, names=missing)


async def ensure_storage_resources(
    accounts: AccountRegistry, seconds: float, *, signs: bool = True, names: Sequence[str] | None = None
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

    async def attempt(
        name: str, what: str, work: Callable[[AccountStorage], Awaitable[object]]
    ) -> StorageErrorCode | None:
        try:
            async with asyncio.timeout(seconds):
                await work(accounts[name])
        except (StorageError, TimeoutError) as error:
            fault = error.fault if isinstance(error, StorageError) else StorageErrorCode.TIMEOUT
            if names is None:  # the log says it once
                text = error if isinstance(error, StorageError) else fault.value.name
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
        if fault is not StorageErrorCode.ACCESS_DENIED:
            return fault is None
        # A read-only identity is enough where all is there: then nothing gets better by trying again.
        return await attempt(name, "the jobs table can't be read", lambda account: account.jobs.ping()) is None

    asked = [name for name in accounts.names if name not in accounts.faults] if names is None else names
    done = await asyncio.gather(*map(each, asked))
    return [name for name, is_done in zip(asked, done, strict=True) if not is_done]
