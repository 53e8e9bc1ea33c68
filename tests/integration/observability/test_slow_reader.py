"""A client that does not read its answers: each request counts all the same, and for no longer than we took."""

import asyncio

from prometheus_client import CollectorRegistry
from starlette.types import Message

from proxy.keyring.file import parse_keyring
from proxy.observability.metrics.catalog import PREFIX, Metrics
from proxy.observability.setup import Telemetry
from proxy.server.app import create_app
from proxy.settings import load_settings
from tests.support.live import MASTER
from tests.support.opened_account import SECONDS
from tests.support.processes import settings_of
from tests.support.storage import Storage


def test_a_cached_response_counts_before_the_client_reads_it(storage: Storage) -> None:
    registry = CollectorRegistry()
    chosen = settings_of(storage) | {"jobs_table": storage.table_name, "pending_ttl": 60}
    settings, ring = load_settings(serving=True, **chosen), parse_keyring(str(chosen["keyring"]))
    path = "/REST/v1/Dataflows/ListJobs"
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": f"key={MASTER}".encode(),
        "headers": [],
        "client": ("127.0.0.1", 1),
    }

    async def story() -> None:
        app, writing = create_app(settings, ring, Telemetry(Metrics(registry))), asyncio.Event()

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        async def send(_message: Message) -> None: ...

        async def send_slowly(_message: Message) -> None:
            writing.set()
            await asyncio.Event().wait()

        async with app.router.lifespan_context(app), asyncio.timeout(SECONDS):
            await app(scope, receive, send)
            answering = asyncio.ensure_future(app(scope, receive, send_slowly))
            await writing.wait()
            labels = {"operation": "job_list", "status": "200", "account": storage.account}
            assert registry.get_sample_value(PREFIX + "requests_total", labels) == 2
            assert registry.get_sample_value(PREFIX + "request_duration_seconds_count", {"operation": "job_list"}) == 2
            answering.cancel()
            await asyncio.wait({answering})

    asyncio.run(story())
