"""What operators see of Azure Maps: items, calls, errors, the day's share, and whether jobs have what they need."""

import asyncio
import logging
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry
from adapters.credentials.config import ConnectionStringConfig, MapsEntry
from adapters.maps.errors import MapsError
from adapters.maps.options import MapsOptions
from adapters.maps.throttle import Throttles
from proxy.demo.maps.stand_in import KEY, MapsStandIn
from proxy.keyring.keyring import KeyRing
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.load_needs import LoadNeedsMonitor
from proxy.observability.metrics.catalog import PREFIX, Metrics
from proxy.observability.metrics.inventory import InventoryCollector
from proxy.observability.setup import DISABLED, Telemetry
from tests.integration.maps.conftest import FAST, Waits, towns
from tests.support.opened_account import SECONDS
from tests.support.storage import Storage

pytestmark = pytest.mark.usefixtures("noon")

VARIABLE = "MAPS_TEST_KEY"


def test_calls_items_errors_and_the_days_share_are_counted(
    storage: Storage, maps: MapsStandIn, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    metrics = Metrics(CollectorRegistry())

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(PREFIX + name, labels)

    async def work() -> None:
        entries = {storage.account: ConnectionStringConfig(storage.connection_string)}
        maps_entries = {storage.account: MapsEntry(VARIABLE, endpoint=maps.url)}
        bound = MapsOptions(20, Throttles(FAST), Telemetry(metrics).maps_observer)
        options = StorageOptions(storage.table_name, timedelta(hours=1), SECONDS, maps=bound)
        ring = ActiveKeyRing(
            KeyRing(entries, {}, maps=maps_entries), AccountRegistry(entries, options, maps=maps_entries)
        )
        client = ring.accounts[storage.account].maps
        maps.modes = {1: "429", 2: "item errors"}
        await client.ask(towns(3), "en-US")
        maps.modes = {4: "403"}
        with pytest.raises(MapsError):
            await client.ask(towns(3), "en-US")
        await client.give_back()
        await InventoryCollector(ring, metrics, timedelta(days=1), SECONDS).collect()
        await ring.accounts.close()

    asyncio.run(work())
    account = storage.account
    found = {
        outcome: value("maps_items_total", account=account, outcome=outcome)
        for outcome in ("asked", "answered", "failed", "repeated")
    }
    assert found == {"asked": 12, "answered": 3, "failed": 0, "repeated": 6}
    assert value("maps_errors_total", account=account, reason="throttled") == 1
    assert value("maps_errors_total", account=account, reason="refused") == 1
    assert value("maps_call_duration_seconds_count", operation="geocode") == 4
    assert value("maps_day_share", account=account) == 12 / 20
    assert waits.longest == [1]


def test_a_process_without_metrics_observes_nothing() -> None:
    DISABLED.maps_observer("contoso").call_ended("geocode", 1, 0.1, None)


def test_a_missing_key_and_a_used_up_day_are_what_jobs_need(
    storage: Storage, maps: MapsStandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "proxy.observability.load_needs")
    metrics = Metrics(CollectorRegistry())

    async def probe(monitor: LoadNeedsMonitor) -> list[str]:
        caplog.clear()
        await monitor.probe()
        return [text for record in caplog.records if "maps" in (text := record.getMessage())]

    async def work() -> None:
        entries = {name: ConnectionStringConfig(storage.connection_string) for name in (storage.account, "other")}
        maps_entries = {storage.account: MapsEntry(VARIABLE, endpoint=maps.url)}
        options = StorageOptions(storage.table_name, timedelta(hours=1), SECONDS, maps=MapsOptions(2))
        ring = ActiveKeyRing(KeyRing(entries, {}), AccountRegistry(entries, options, maps=maps_entries))
        monitor = LoadNeedsMonitor(ring, SECONDS, metrics.report_load_need)
        assert await probe(monitor) == [
            f"loads need maps: Azure Maps: credential: the environment variable {VARIABLE} is not set"
        ]
        monkeypatch.setenv(VARIABLE, KEY)
        assert await probe(monitor) == ["loads have maps again"]
        await ring.accounts[storage.account].maps.ask(towns(2), "en-US")
        assert await probe(monitor) == [
            "loads need maps: 2 of the 2 items of this UTC day are used; geocode jobs wait for the next day"
        ]
        await ring.accounts.close()

    asyncio.run(work())
    labels = {"need": "maps", "account": storage.account}
    assert metrics.registry.get_sample_value(f"{PREFIX}load_need", labels) == 0
    assert metrics.registry.get_sample_value(f"{PREFIX}load_need", labels | {"account": "other"}) is None
