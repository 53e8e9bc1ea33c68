"""What loads need of an account is looked at again and again: a gauge for each part, and a log line at each change."""

import asyncio
from datetime import timedelta

import pytest
from azure.storage.queue import QueueClient
from prometheus_client import CollectorRegistry

from adapters.account import StorageOptions, close_all
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig
from adapters.job_queue import queue_name
from adapters.model.ticks import FIRST
from adapters.tables.worker_rows import WorkerRow
from proxy.keyring.keyring import KeyRing
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.load_needs import LoadNeedsMonitor
from proxy.observability.metrics.catalog import PREFIX, Metrics
from tests.integration.observability.test_inventory import BROKEN
from tests.support.opened_account import SECONDS
from tests.support.storage import Storage

NEEDS = ("blobs", "queue", "links", "workers")


@pytest.mark.slow
def test_a_load_need_is_a_gauge_and_a_line_when_it_changes(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    registry = CollectorRegistry()
    series = Metrics(registry)

    def values(account: str) -> list[float | None]:
        labels = [{"account": account, "need": need} for need in NEEDS]
        return [registry.get_sample_value(f"{PREFIX}load_need", each) for each in labels]

    def lines() -> list[str]:
        told = [record.getMessage() for record in caplog.records if record.__dict__.get("account") == storage.account]
        caplog.clear()
        return told

    async def story() -> None:
        options = StorageOptions(storage.table_name, timedelta(hours=1), SECONDS)
        entries = {storage.account: ConnectionStringConfig(storage.connection_string)}
        both = entries | {"broken": ConnectionStringConfig(BROKEN)}
        ring = ActiveKeyRing(KeyRing(both, {}), AccountRegistry(both, options))
        await ring.accounts[storage.account].create_missing()
        monitor = LoadNeedsMonitor(ring, SECONDS, series.report_load_need)
        await monitor.probe()
        assert values(storage.account) == [None, 1, 1, 0]  # a server may not read all containers
        assert values("broken") == [None, 0, 1, 0]
        await close_all(ring.replace(KeyRing(entries, {})))  # each probe of it takes seconds
        account = ring.accounts[storage.account]
        (line,) = lines()
        assert line.startswith("loads need workers: NONE")
        await account.workers.write(WorkerRow("host:1:abcdef", FIRST, "1"))
        with QueueClient.from_connection_string(
            storage.connection_string, queue_name(storage.table_name, storage.account)
        ) as queue:
            queue.delete_queue()
        await monitor.probe()
        assert values(storage.account) == [None, 0, 1, 1]
        assert sorted(lines()) == [
            "loads have workers again",
            "loads need queue: not there; serve creates it if it may",
        ]
        await monitor.probe()
        assert lines() == []
        await LoadNeedsMonitor(ring, SECONDS, series.report_load_need, signs_links=False).probe()
        assert values(storage.account) == [1, 0, 1, 1]
        await ring.accounts.close()

    asyncio.run(story())
