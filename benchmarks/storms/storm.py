"""The storm: clients, a server and workers over flaky storage, and a check of everything at the end."""

import asyncio
import json
import random
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import httpx

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig
from benchmarks.soak.server import logged
from benchmarks.storms.clients import Client
from benchmarks.storms.judging import MISHAP, Found, check
from benchmarks.storms.workers import Workers
from tests.support.flaky_storage import FlakyStorage
from tests.support.live import NO_TLS, PUBLIC_URL
from tests.support.storage import Storage

ACCOUNTS, DATA_SOURCES, WORKERS = 2, 5, 2
QUIET_SECONDS = 240.0


def storm(storage: Storage, kills: int, seed: int, sources: int = DATA_SOURCES) -> Found:
    """Kills so many workers, then checks what is stored; each account has so many data sources, each with a client."""
    with FlakyStorage.before(storage) as flaky, TemporaryDirectory() as folder:
        return asyncio.run(_storm(storage, flaky, Path(folder), kills, random.Random(seed), sources))  # noqa: S311 - no secret


async def _storm(
    storage: Storage, flaky: FlakyStorage, folder: Path, kills: int, chance: random.Random, sources: int
) -> Found:
    names = [f"storm-{uuid4().hex[:8]}" for _ in range(ACCOUNTS)]
    keys = {f"key-of-{name}": {"account": name} for name in names}
    ring = {
        "accounts": {name: {"storage": {"connection_string": flaky.connection_string}} for name in names},
        "keys": keys,
    }
    common = {"keyring": json.dumps(ring), "jobs_table": storage.table_name}
    limits = {"max_active_jobs": 1_000, "max_jobs_per_day": 1_000_000}
    workers = Workers(common | {"worker_lease": 3, "worker_tries": 100, "worker_jobs": 3}, folder, chance)
    found = Found()
    entries = {name: ConnectionStringConfig(storage.connection_string) for name in names}
    options = StorageOptions(storage.table_name, timedelta(hours=1), 30)
    async with AsyncExitStack() as stack:
        accounts = await stack.enter_async_context(AccountRegistry(entries, options))
        for name in names:
            await accounts[name].create_missing()
        stack.callback(workers.kill)
        server = stack.enter_context(logged(**common | limits, public_url=PUBLIC_URL, host="127.0.0.1"))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=server.url, timeout=60, verify=NO_TLS))
        clients = [
            Client(accounts[key["account"]], f"Shops{number}", text, http, random.Random(f"{text} {number}"))  # noqa: S311
            for text, key in keys.items()
            for number in range(sources)
        ]
        watching = asyncio.create_task(workers.watch())
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(workers.kill_and_replace(kills))
            for client in clients:
                group.create_task(client.run(lambda: workers.kills < kills))
        flaky.calm()
        calm = time.monotonic()
        for client in clients:
            await _wait_until_quiet(client, found)
            found.statuses.update(client.statuses)
        found.quiet_after = time.monotonic() - calm
        watching.cancel()
        if any(workers.end()):
            found.wrong.append("mishap: a worker ended with a status other than 0")
        for name in names:
            of_account = [client for client in clients if client.account.name == name]
            await check(storage, accounts[name], of_account, folder, found)
        found.wrong += [f"mishap: the server's log: {server.mishaps()} lines"] * bool(server.mishaps())
    found.wrong += [f"mishap: {line}" for line in workers.logs().splitlines() if MISHAP.search(line)]
    found.requests.update(flaky.done)
    found.kills, found.busy_kills, found.reader_kills = workers.kills, workers.busy_kills, workers.reader_kills
    found.worker_mb, found.reader_mb = workers.worker_mb, workers.reader_mb
    return found


async def _wait_until_quiet(client: Client, found: Found) -> None:
    """Waits until no job is unfinished."""
    account = client.account
    try:
        async with asyncio.timeout(QUIET_SECONDS):
            while await account.jobs.list_waiting("0") or await account.queue.approximate_length():  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.2)
    except TimeoutError:
        waiting = [job.row_key for job in await account.jobs.list_waiting("0")]
        found.wrong.append(f"lost: unfinished: {waiting}; messages: {await account.queue.approximate_length()}")
