"""The application: routes and lifespan on one page."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from adapters.accounts import AccountRegistry
from proxy.api.cors import ANY_ORIGIN, allow_listed_origin
from proxy.api.endpoint import LegacyApi
from proxy.api.health import Livez, Readiness, Readyz
from proxy.bootstrap import follow_keys, key_store_opener, start_background_tasks, storage_options
from proxy.keyring.file import load_keyring
from proxy.keyring.keyring import KeyRing
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.logs import configure_logs
from proxy.observability.setup import DISABLED, Telemetry
from proxy.observability.usage import UsageCounter
from proxy.observability.usage_writer import UsageWriter
from proxy.server.forwarded_headers import ForwardedHeaders
from proxy.server.graceful_shutdown import READINESS
from proxy.settings import Settings, load_settings

# Seconds that the first response may wait for tables to be created. A slow account must not delay the others.
PREPARE_SECONDS = 1.0


def create_app(settings: Settings, keyring: KeyRing, telemetry: Telemetry = DISABLED) -> Starlette:
    """Creates the application for these settings and this key ring, observed by `telemetry`.

    Only /livez and /readyz are the proxy's own. The wire contract has every other path, and its envelope answers also
    where there is nothing.
    """
    accounts = AccountRegistry(keyring.accounts, storage_options(settings, telemetry), maps=keyring.maps)
    ring = ActiveKeyRing(keyring, accounts, key_store_opener(settings, telemetry))
    readiness = Readiness(ring)
    usage = None if settings.usage == "off" else UsageCounter(full=settings.usage == "full")
    endpoint = LegacyApi(settings, ring, readiness, telemetry.request_observer(usage))
    usage_writer = None if usage is None else UsageWriter(usage, ring)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, object]]:
        grace = settings.storage_timeout
        keys = follow_keys(settings, ring, telemetry)
        tasks = start_background_tasks(settings, ring, telemetry, grace_seconds=grace, signs_links=True)
        await asyncio.wait(tasks[:1], timeout=PREPARE_SECONDS)
        await readiness.probe()
        tasks += [*keys, asyncio.create_task(readiness.watch())]
        if usage_writer is not None:
            tasks.append(asyncio.create_task(usage_writer.run()))
        yield {READINESS: readiness}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await endpoint.shielded_tasks.drain()
        endpoint.queries.close()
        if usage_writer is not None:
            await usage_writer.close()
        await ring.close()
        telemetry.close()

    own: dict[str, ASGIApp] = {"/livez": Livez(), "/readyz": Readyz(readiness)}
    return App(own, endpoint, lifespan, settings)


class App(Starlette):
    """Starlette for the lifespan and the proxy's own paths. All others go to the endpoint directly.

    Starlette's middleware makes a response of what an application raises. The endpoint raises nothing.
    """

    def __init__(
        self, own: Mapping[str, ASGIApp], endpoint: LegacyApi, lifespan: Lifespan["App"], settings: Settings
    ) -> None:
        super().__init__(routes=[Route(path, app) for path, app in own.items()], lifespan=lifespan)
        self._own = own
        self._endpoint = endpoint
        self._listed = frozenset(origin.encode() for origin in settings.cors_origins if origin != ANY_ORIGIN)
        self._respond: ASGIApp = self._dispatch
        if settings.trusted_proxies:
            self._respond = ForwardedHeaders(self._dispatch, settings.trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or runs the lifespan."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if self._listed:
            send = allow_listed_origin(self._listed, scope, send)
        await self._respond(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in self._own:
            await super().__call__(scope, receive, send)
        else:
            await self._endpoint(scope, receive, send)


def app_from_environment() -> Starlette:  # pragma: no cover - `serve --reload`, a developer's tool
    """Creates the application in the process that uvicorn starts anew after each change."""
    settings = load_settings(serving=True)
    configure_logs(settings.log_level, settings.log_format)
    return create_app(settings, load_keyring(settings))
