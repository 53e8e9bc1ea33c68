"""What the inventory counts of each account, and what happens to accounts that are broken, many, or gone."""

import asyncio
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from adapters.account import StorageOptions, close_all
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig
from proxy.keyring.keyring import KeyGrant, KeyRing
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.metrics.catalog import MAX_ACCOUNTS, OTHER, PREFIX, Metrics
from proxy.observability.metrics.inventory import InventoryCollector
from proxy.worker.metrics import WorkerMetrics
from tests.support.opened_account import SECONDS
from tests.support.storage import Storage, ago
from tests.support.worker_desk import Desk, play, shops

WINDOW = timedelta(days=15)
BROKEN = (
    "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a;"
    "QueueEndpoint=http://127.0.0.1:1/a"
)


class Inventory:
    """The inventory of a ring, collected once for each ring that it is given."""

    def __init__(self, storage: Storage) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self._options = StorageOptions(storage.table_name, timedelta(hours=1), SECONDS)
        self._entries = {storage.account: ConnectionStringConfig(storage.connection_string)}

    def collect(self, *rings: Mapping[str, str], grants: Mapping[bytes, KeyGrant] | None = None) -> None:
        """Collects with other accounts in the ring too, by their connection strings; one ring after the other."""
        asyncio.run(self._collect(rings, grants or {}))

    async def _collect(self, rings: tuple[Mapping[str, str], ...], grants: Mapping[bytes, KeyGrant]) -> None:
        ring = ActiveKeyRing(KeyRing({}, {}), AccountRegistry({}, self._options))
        collector = InventoryCollector(ring, self.metrics, WINDOW, SECONDS)
        for others in rings:
            entries = self._entries | {name: ConnectionStringConfig(text) for name, text in others.items()}
            await close_all(ring.replace(KeyRing(entries, grants)))
            await collector.collect()
        await ring.accounts.close()

    def value(self, name: str, **labels: str) -> float | None:
        """A gauge's value, None where it has none."""
        return self.metrics.registry.get_sample_value(PREFIX + name, labels)


def test_jobs_are_counted_by_state_and_age(storage: Storage) -> None:
    for status, created in [
        ("Queued", ago(seconds=20)),
        ("Pending", ago(minutes=30)),
        ("Completed", ago(hours=5)),
        ("Failed", ago(days=3)),
        ("Completed", ago(days=3)),
        ("Completed", ago(days=20)),  # not in the list's window
    ]:
        storage.job(status=status, CreatedDate=created, DataSourceName="Shops")
    inventory = Inventory(storage)
    inventory.collect({})
    found = {
        (state, age): inventory.value("jobs", account=storage.account, state=state, age=age)
        for state in ("Pending", "Completed", "Aborted")
        for age in ("5m", "1h", "1d", "older")
    }
    ones = {("Pending", "5m"), ("Pending", "1h"), ("Completed", "1d"), ("Aborted", "older"), ("Completed", "older")}
    assert {place for place, count in found.items() if count == 1} == ones
    assert {count for place, count in found.items() if place not in ones} == {0}
    oldest = inventory.value("oldest_pending_job_seconds", account=storage.account)
    assert oldest is not None
    assert 1800 <= oldest < 2100


def test_keys_are_counted_with_the_end_that_comes_next(storage: Storage) -> None:
    now = datetime.now(UTC)
    ends = [None, now - timedelta(days=1), now + timedelta(days=9), now + timedelta(days=3)]
    grants = {bytes([number]): KeyGrant(storage.account, expires=end) for number, end in enumerate(ends)}
    inventory = Inventory(storage)
    inventory.collect({"empty": BROKEN}, grants=grants)
    assert inventory.value("keys", account=storage.account, state="valid") == 3
    assert inventory.value("keys", account=storage.account, state="expired") == 1
    soon = inventory.value("next_key_expiry_timestamp_seconds", account=storage.account)
    assert soon == pytest.approx((now + timedelta(days=3)).timestamp())
    assert inventory.value("keys", account="empty", state="valid") == 0
    assert math.isnan(inventory.value("next_key_expiry_timestamp_seconds", account="empty") or 0)


def test_a_broken_account_hurts_no_other_and_is_reported(storage: Storage) -> None:
    storage.job(DataSourceName="Shops")
    inventory = Inventory(storage)
    inventory.collect({"broken": BROKEN, "odd": "AccountName=a;AccountKey=!;TableEndpoint=nonsense"})
    assert inventory.value("account_up", account=storage.account) == 1
    assert inventory.value("account_up", account="broken") == 0
    assert inventory.value("account_up", account="odd") == 0
    assert inventory.value("account_fault", account="broken", reason="unreachable") == 1
    assert inventory.value("account_fault", account="odd", reason="credential") == 1
    assert inventory.value("account_fault", account=storage.account, reason="none") == 0
    assert inventory.value("inventory_last_success_timestamp_seconds", account="broken") is None
    assert inventory.value("jobs", account=storage.account, state="Completed", age="1d") == 1


def test_an_account_that_has_left_the_ring_has_no_gauge(storage: Storage) -> None:
    inventory = Inventory(storage)
    worker = WorkerMetrics(inventory.metrics)
    for name in ("leaving", storage.account):
        worker.polled(name)
        inventory.metrics.report_load_need(name, "queue", 0)
    inventory.collect({"leaving": storage.connection_string, "broken": BROKEN}, {})
    gauges = [
        sample
        for family in inventory.metrics.registry.collect()
        for sample in family.samples
        if family.type == "gauge" and sample.labels.get("account")
    ]
    assert {sample.labels["account"] for sample in gauges} == {storage.account}
    polled = inventory.value("worker_last_poll_timestamp_seconds", account=storage.account)
    assert polled is not None
    assert abs(time.time() - polled) < 60


def test_a_queue_is_as_long_as_jobs_wait(storage: Storage) -> None:
    inventory = Inventory(storage)
    inventory.collect({})
    assert math.isnan(inventory.value("queue_messages", account=storage.account) or 0)  # there is none yet

    async def story(desk: Desk) -> None:
        for _ in range(2):
            await desk.load(shops("a"))

    play(storage, story)
    waiting = Inventory(storage)
    waiting.collect({})
    assert waiting.value("queue_messages", account=storage.account) == 2


def test_accounts_beyond_a_number_share_one_label() -> None:
    metrics = Metrics(CollectorRegistry())
    labels = [metrics.account_label(f"account{number}") for number in range(MAX_ACCOUNTS + 50)]
    assert len(set(labels)) == MAX_ACCOUNTS + 1
    assert set(labels[MAX_ACCOUNTS:]) == {OTHER}
    assert metrics.account_label("account0") == "account0"
    assert metrics.account_label(None) == "none"
