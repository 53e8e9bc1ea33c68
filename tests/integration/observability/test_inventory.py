"""What the census counts of each account, and what becomes of accounts that are broken, many, or gone."""

import asyncio
import math
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry, close_all
from adapters.credentials.config import ConnectionStringConfig
from proxy.keyring.keyring import KeyGrant, KeyRing
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.metrics.catalog import PREFIX
from proxy.observability.metrics.inventory import InventoryCollector
from proxy.observability.metrics.registry import ACCOUNTS, OTHER, Metrics
from proxy.observability.metrics.server import FOLDER
from proxy.worker.metrics import WorkerMetrics
from tests.support.processes import ROOT
from tests.support.storage import Storage, ago
from tests.support.worker_desk import Desk, play, shops

WINDOW = timedelta(days=15)
BROKEN = (
    "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a;"
    "QueueEndpoint=http://127.0.0.1:1/a"
)
Values = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


class Counted:
    """A census of a ring, taken once for each ring that it is given."""

    def __init__(self, storage: Storage, *, worker: bool = False) -> None:
        self.registry = CollectorRegistry()
        self.series = Metrics(self.registry, worker=worker)
        self._options = StorageOptions(storage.table_name, timedelta(hours=1), 2)
        self._entries = {storage.account: ConnectionStringConfig(storage.connection_string)}

    def take(self, *rings: Mapping[str, str], grants: Mapping[bytes, KeyGrant] | None = None) -> None:
        """Takes it with other accounts in the ring too, by their connection strings; one ring after the other."""
        asyncio.run(self._take(rings, grants or {}))

    async def _take(self, rings: tuple[Mapping[str, str], ...], grants: Mapping[bytes, KeyGrant]) -> None:
        ring = ActiveKeyRing(KeyRing({}, {}), AccountRegistry({}, self._options))
        census = InventoryCollector(ring, self.series, WINDOW, 2, lambda: True)
        for others in rings:
            entries = self._entries | {name: ConnectionStringConfig(text) for name, text in others.items()}
            await close_all(ring.replace(KeyRing(entries, grants)))
            await census.collect()
        await ring.accounts.close()

    def value(self, name: str, **labels: str) -> float | None:
        """A gauge's value, None where it has none."""
        return self.registry.get_sample_value(PREFIX + name, labels)


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
    census = Counted(storage)
    census.take({})
    found = {
        (state, age): census.value("jobs", account=storage.account, state=state, age=age)
        for state in ("Pending", "Completed", "Aborted")
        for age in ("5m", "1h", "1d", "older")
    }
    ones = {("Pending", "5m"), ("Pending", "1h"), ("Completed", "1d"), ("Aborted", "older"), ("Completed", "older")}
    assert {place for place, count in found.items() if count == 1} == ones
    assert {count for place, count in found.items() if place not in ones} == {0}
    oldest = census.value("oldest_pending_job_seconds", account=storage.account)
    assert oldest is not None
    assert 1800 <= oldest < 1830


def test_keys_are_counted_with_the_end_that_comes_next(storage: Storage) -> None:
    now = datetime.now(UTC)
    ends = [None, now - timedelta(days=1), now + timedelta(days=9), now + timedelta(days=3)]
    grants = {bytes([number]): KeyGrant(storage.account, expires=end) for number, end in enumerate(ends)}
    census = Counted(storage)
    census.take({"empty": BROKEN}, grants=grants)
    assert census.value("keys", account=storage.account, state="valid") == 3
    assert census.value("keys", account=storage.account, state="expired") == 1
    soon = census.value("next_key_end_timestamp_seconds", account=storage.account)
    assert soon == pytest.approx((now + timedelta(days=3)).timestamp())
    assert census.value("keys", account="empty", state="valid") == 0
    assert math.isnan(census.value("next_key_end_timestamp_seconds", account="empty") or 0)


def test_a_broken_account_hurts_no_other_and_is_told(storage: Storage) -> None:
    storage.job(DataSourceName="Shops")
    census = Counted(storage)
    census.take({"broken": BROKEN, "odd": "AccountName=a;AccountKey=!;TableEndpoint=nonsense"})
    assert census.value("account_broken", account=storage.account) == 0
    assert census.value("account_broken", account="broken") == 1
    assert census.value("account_broken", account="odd") == 1
    assert census.value("account_fault", account="broken", kind="unreachable") == 1
    assert census.value("account_fault", account="odd", kind="credential") == 1
    assert census.value("account_fault", account=storage.account, kind="none") == 0
    assert census.value("census_timestamp_seconds", account="broken") is None
    assert census.value("jobs", account=storage.account, state="Completed", age="1d") == 1


def test_an_account_that_has_left_the_ring_has_no_value_that_an_alert_could_see(storage: Storage) -> None:
    census = Counted(storage)
    census.take({"leaving": storage.connection_string, "broken": BROKEN}, {})
    assert math.isnan(census.value("account_fault", account="broken", kind="unreachable") or 0)
    for name in ("oldest_pending_job_seconds", "account_broken", "census_timestamp_seconds"):
        assert math.isnan(census.value(name, account="leaving") or 0), name
        assert not math.isnan(census.value(name, account=storage.account) or 0), name
    assert math.isnan(census.value("jobs", account="leaving", state="Pending", age="5m") or 0)
    assert math.isnan(census.value("keys", account="leaving", state="valid") or 0)


def test_a_worker_looks_no_more_at_an_account_that_has_left_the_ring(storage: Storage) -> None:
    census = Counted(storage, worker=True)
    worker = WorkerMetrics(census.series)
    for name in ("leaving", storage.account):
        worker.looked(name)
    census.take({"leaving": storage.connection_string}, {})
    assert math.isnan(census.value("worker_last_look_timestamp_seconds", account="leaving") or 0)
    assert abs(time.time() - (census.value("worker_last_look_timestamp_seconds", account=storage.account) or 0)) < 60


def test_a_queue_is_as_long_as_jobs_wait(storage: Storage) -> None:
    census = Counted(storage)
    census.take({})
    assert math.isnan(census.value("queue_messages", account=storage.account) or 0)  # there is none yet

    async def story(desk: Desk) -> None:
        for _ in range(2):
            await desk.load(shops("a"))

    play(storage, story)
    waiting = Counted(storage)
    waiting.take({})
    assert waiting.value("queue_messages", account=storage.account) == 2


def test_accounts_beyond_a_number_share_one_label() -> None:
    series = Metrics(CollectorRegistry())
    names = [series.account(f"account{number}") for number in range(ACCOUNTS + 50)]
    assert len(set(names)) == ACCOUNTS + 1
    assert set(names[ACCOUNTS:]) == {OTHER}
    assert series.account("account0") == "account0"
    assert series.account(None) == "none"


def test_one_of_several_processes_counts_until_it_ends(tmp_path: Path) -> None:
    code = (
        "from proxy.observability.metrics.server import acquire_leadership as lead\n"
        "print(lead(), lead(), flush=True)\n"
        "input()"
    )

    def begin() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | {FOLDER: str(tmp_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def said(process: "subprocess.Popen[str]") -> str:
        assert process.stdout is not None
        return process.stdout.readline().strip()

    with begin() as first:
        assert said(first) == "True True"
        with begin() as second:
            assert said(second) == "False False"
            second.communicate("\n")
        first.communicate("\n")
    with begin() as third:
        assert said(third) == "True True"
        third.communicate("\n")
