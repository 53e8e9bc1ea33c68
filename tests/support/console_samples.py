"""An account with something of everything that the console's pages show. Its numbers are the same in every run."""

import asyncio
import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from adapters.account import AccountStorage
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.model.usage import Usage, hour_of
from adapters.tables.audit_rows import AuditEntry
from adapters.tables.worker_rows import WorkerRow
from proxy.demo.samples import DATA, DATA_SOURCE
from tests.support.opened_account import open_account
from tests.support.storage import Storage, ago
from tests.support.worker_desk import Desk, play, shops
from tests.support.written_reports import compared, migrated

OTHER_SOURCE = "Stores"
HOSTILE = "<b>Shops</b> & 'co' <script>alert(1)</script>"
"""A name that is shown as text, or else breaks its page."""
FINDER = "key-of-the-finder"
_FINDER_DIGEST = sha256(FINDER.encode()).hexdigest()[:16]
MAPS_VARIABLE = "NORTHWIND_MAPS_KEY"
ENTITY = "-22067"
COMPARISON, MIGRATION = "compare-20261127T101500Z.json", "migrate-20261126T080000Z.json"
WORKERS = ("worker-1:17:3fa2c1", "worker-2:17:90be44")


@dataclass(frozen=True, slots=True)
class ConsoleSamples:
    """What a test's pages are of: the account, and ids of jobs that are done, aborted and unfinished."""

    storage: Storage
    earlier: str
    completed: str
    aborted: str
    pending: str

    @property
    def fields(self) -> dict[str, str]:
        """The names that stand in the paths of pages."""
        return {
            "account": self.storage.account,
            "source": DATA_SOURCE,
            "entity": ENTITY,
            "other_source": OTHER_SOURCE,
            "key": _FINDER_DIGEST,
            "comparison": COMPARISON,
            "migration": MIGRATION,
            "earlier": self.earlier,
            "completed": self.completed,
            "aborted": self.aborted,
            "pending": self.pending,
        }

    @property
    def ring(self) -> dict[str, Any]:
        """A key ring of the account; one of its keys ends soon. MAPS_VARIABLE must be set."""
        account, soon = self.storage.account, datetime.now(UTC) + timedelta(days=12, hours=1)
        finder = {"account": account, "name": "store finder", "role": "query", "data_sources": [f"{DATA_SOURCE}*"]}
        loader = {"account": account, "name": "nightly load", "expires": soon.isoformat(timespec="seconds")}
        entry = {
            "storage": {"connection_string": self.storage.connection_string},
            "maps": {"subscription_key_env": MAPS_VARIABLE},
        }
        return {
            "accounts": {account: entry},
            "keys": {FINDER: finder, "key-of-the-loader": loader},
        }


def write_console_samples(storage: Storage) -> ConsoleSamples:
    """Loads data sources, and writes jobs, workers, usage and changes."""
    done = dict[str, str]()

    async def story(opened: Desk) -> None:
        desk = replace(opened, context=replace(opened.context, worker=WORKERS[0]))
        load: dict[str, Any] = {"input": "pipe", "public": True}
        for name in ("earlier", "completed"):
            done[name] = (await desk.done(desk.load(DATA.read_bytes(), name=DATA_SOURCE, **load))).row_key
        await desk.done(desk.load(DATA.read_bytes(), "completeStaging", DATA_SOURCE, **load))
        await desk.done(desk.load(shops("a", "b", "c", note="open"), name=OTHER_SOURCE))
        await desk.done(desk.download(name=OTHER_SOURCE))
        broken = shops("a").replace(b"primaryKey", b"key")
        done["aborted"] = (await desk.done(desk.load(broken, name=OTHER_SOURCE))).row_key
        done["pending"] = await desk.load(shops("z"), name=OTHER_SOURCE)
        await _write_history(desk.account)

    play(storage, story)
    storage.job("DataSourceComplete", DataSourceName=HOSTILE, CreatedDate=ago(days=2), Description=HOSTILE)
    storage.job("Geocode", CreatedDate=ago(days=3), TotalEntityCount=1200, ProcessedEntityCount=1200)
    show_workers(storage)
    return ConsoleSamples(storage, **done)


def write_sample_reports(folder: Path) -> None:
    """Writes a report of each command into a folder."""
    for name, report in ((COMPARISON, compared(with_values=True)), (MIGRATION, migrated())):
        (folder / name).write_text(json.dumps(report), encoding="utf-8")


def show_workers(storage: Storage) -> None:
    """Lets the workers seem alive for another minute."""

    async def write() -> None:
        async with open_account(storage) as account:
            for number, name in enumerate(WORKERS):
                await account.workers.write(
                    WorkerRow(name, Ticks(account.clock.now() - number * 3600 * PER_SECOND), "0.1.0")
                )

    asyncio.run(write())


async def _write_history(account: AccountStorage) -> None:
    now = account.clock.now()
    for back in range(24):
        moment = Ticks(now - back * 3600 * PER_SECOND)
        requests = 900 + round(700 * math.sin(back / 3.8))
        operations = {
            "query_nearby": [requests, back % 5 if back % 3 == 0 else 0, 0, 0],
            "job_status": [120, 0, 2, 0],
            "isochrone": [7, 0, 0, 7],
        }
        finder = Usage(_FINDER_DIGEST, "store finder", moment, moment, operations, {DATA_SOURCE: None})
        await account.usage.write(hour_of(moment), "server-1:1:aaaaaa", [finder])
    for what, on, before, after in (
        ("sources set-public", DATA_SOURCE, "False", "True"),
        ("jobs retry", f"job of {HOSTILE}", "Aborted", "Pending"),
        ("keys add", "store finder", "", "query"),
    ):
        await account.audit.write(AuditEntry("olga@example.com", what, on, before, after))
