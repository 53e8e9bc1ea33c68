"""What loads need of an account is looked at again and again: a gauge for each part, and a log line at each change."""

import asyncio
import math
from datetime import timedelta

import pytest
from azure.storage.queue import QueueClient
from prometheus_client import CollectorRegistry

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry, close_all
from adapters.credentials.config import ConnectionStringConfig
from adapters.job_queue import queue_name
from adapters.model.ticks import FIRST
from adapters.tables.worker_rows import WorkerRow, write_worker_row
from proxy.keyring.keyring import KeyRing
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.load_needs import LoadNeedsWatch
from proxy.observability.metrics.catalog import PREFIX
from proxy.observability.metrics.registry import Metrics
from tests.integration.observability.test_inventory import BROKEN
from tests.support.storage import Storage

NEEDS = ("blobs", "queue", "links", "workers")


def test_what_loads_need_is_a_gauge_and_a_log_line_when_it_changes(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    registry = CollectorRegistry()
    series = Metrics(registry, worker=False)

    def values(account: str) -> list[float | None]:
        labels = [{"account": account, "need": need} for need in NEEDS]
        return [registry.get_sample_value(f"{PREFIX}load_need", each) for each in labels]

    def lines() -> list[str]:
        told = [record.getMessage() for record in caplog.records if record.__dict__.get("account") == storage.account]
        caplog.clear()
        return told

    async def story() -> None:
        options = StorageOptions(storage.table_name, timedelta(hours=1), 5)
        entries = {
            storage.account: ConnectionStringConfig(storage.connection_string),
            "broken": ConnectionStringConfig(BROKEN),
        }
        ring = ActiveKeyRing(KeyRing(entries, {}), AccountRegistry(entries, options))
        account = ring.accounts[storage.account]
        await account.create_missing()
        watch = LoadNeedsWatch(ring, 5, series.report_load_need)
        await watch.look()
        assert values(storage.account) == [None, 1, 1, 0]  # a server may not read all containers
        assert values("broken") == [None, 0, 1, 0]
        (line,) = lines()
        assert line.startswith("loads need workers: NONE")
        await write_worker_row(account, WorkerRow("host:1:abcdef", FIRST, "1"))
        with QueueClient.from_connection_string(
            storage.connection_string, queue_name(storage.table_name, storage.account)
        ) as queue:
            queue.delete_queue()
        await watch.look()
        assert values(storage.account) == [None, 0, 1, 1]
        assert sorted(lines()) == [
            "loads have workers again",
            "loads need queue: not there; serve creates it if it may",
        ]
        await watch.look()
        assert lines() == []
        await LoadNeedsWatch(ring, 5, series.report_load_need, signs=False).look()
        assert values(storage.account) == [1, 0, 1, 1]
        await close_all(ring.replace(KeyRing({storage.account: entries[storage.account]}, {})))
        await watch.look()
        assert all(math.isnan(value or 0) for value in values("broken")[1:])
        await ring.accounts.close()

    asyncio.run(story())
