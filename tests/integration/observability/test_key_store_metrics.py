"""The metrics of a key store: what a process knows of it, and how many keys it has, counted by one process."""

import asyncio
import math
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from adapters.account import StorageOptions
from adapters.accounts import AccountRegistry
from adapters.instrumentation import NULL_OBSERVER
from proxy.keyring.file import parse_keyring
from proxy.keyring.reload import ActiveKeyRing
from proxy.observability.metrics import key_store
from proxy.observability.metrics.catalog import MAX_ACCOUNTS, PREFIX, Metrics
from proxy.observability.metrics.key_store import KeyStoreInventory
from proxy.observability.metrics.process_lock import ProcessLock
from proxy.observability.setup import Telemetry
from tests.support.fault_proxy import Mode
from tests.support.key_rows import KeyRows
from tests.support.live import wait_for
from tests.support.opened_account import SECONDS
from tests.support.processes import free_port
from tests.support.scrape import Metrics as Scraped
from tests.support.scrape import scrape, scrape_until
from tests.support.serve_command import serving
from tests.support.storage import Storage

LIST = "Dataflows/ListJobs"
END = datetime(2099, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def keys(storage: Storage) -> Iterator[KeyRows]:
    """A key store with keys of each state."""
    with KeyRows.open(storage) as opened:
        opened.write("good", Name="store locator")
        opened.write("ending", ExpiresAt=END)
        opened.write("ended", ExpiresAt=datetime.now(UTC) - timedelta(days=1))
        opened.write("of another ring", Account="elsewhere")
        opened.write("odd", Role="owner")
        opened.revoke("revoked", Name="old program")
        yield opened


def _malformed(metrics: Scraped) -> float:
    return metrics.value("key_store_reads_total", result="malformed")


class Counting:
    """A process that counts keys, with metrics of its own."""

    def __init__(self, storage: Storage, keys: KeyRows, ring: str | None = None) -> None:
        self.metrics = Metrics(CollectorRegistry())
        keyring = parse_keyring(ring or keys.ring())
        options = StorageOptions(storage.table_name, timedelta(hours=1), SECONDS)
        self.ring = ActiveKeyRing(keyring, AccountRegistry(keyring.accounts, options))
        self.inventory = KeyStoreInventory(self.ring, self.metrics, keys.table_name, SECONDS, NULL_OBSERVER)
        self._account = storage.account

    def keys(self, state: str) -> float | None:
        """How many keys there are; None: this process did not count."""
        labels = {"account": self._account, "state": state}
        return self.metrics.registry.get_sample_value(f"{PREFIX}keys", labels)

    @property
    def next_expiry(self) -> float:
        """When the next key ends."""
        found = self.metrics.registry.get_sample_value(
            f"{PREFIX}next_key_expiry_timestamp_seconds", {"account": self._account}
        )
        return math.nan if found is None else found


def run_until_cancelled(process: Counting) -> "asyncio.Task[None]":
    return asyncio.create_task(process.inventory.run())


async def stop(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def until(process: Counting, *, has_counted: bool = True) -> None:
    async with asyncio.timeout(SECONDS):
        while (process.keys("valid") is not None) != has_counted:  # noqa: ASYNC110 - no event marks it
            await asyncio.sleep(0.01)


@pytest.mark.anyio
async def test_keys_are_counted_by_state_with_the_end_that_comes_next(storage: Storage, keys: KeyRows) -> None:
    process = Counting(storage, keys)
    task = run_until_cancelled(process)
    await until(process)
    assert [process.keys(state) for state in ("valid", "expired", "revoked")] == [2, 1, 1]
    assert process.next_expiry == END.timestamp()
    await stop(task)


@pytest.mark.anyio
async def test_a_count_asks_for_no_more_than_it_needs_and_not_again_for_ten_minutes(
    storage: Storage, keys: KeyRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_store, "TRY_SECONDS", 0.01)
    process = Counting(storage, keys)
    task = run_until_cancelled(process)
    await until(process)
    await asyncio.sleep(0.5)
    (asked,) = [each.target for each in keys.hop.asked if "$filter" in each.target]
    assert "$select=RowKey,Account,Role,ExpiresAt,RevokedAt" in asked
    await stop(task)


@pytest.mark.anyio
async def test_one_process_of_a_machine_counts_and_another_follows_it(
    storage: Storage, keys: KeyRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_store, "TRY_SECONDS", 0.01)
    first, second = Counting(storage, keys), Counting(storage, keys)
    one = run_until_cancelled(first)
    await until(first)
    other = run_until_cancelled(second)
    await asyncio.sleep(0.3)
    assert second.keys("valid") is None
    await stop(one)
    assert first.keys("valid") is None
    await until(second)
    assert second.keys("valid") == 2
    await stop(other)


@pytest.mark.anyio
async def test_many_keys_are_counted_beside_other_work(
    storage: Storage, keys: KeyRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_store, "TRY_SECONDS", 0.01)  # a busy machine may need a second try
    rows = [{"PartitionKey": "00", "RowKey": f"00{number:062x}", "Account": storage.account} for number in range(1100)]
    for first in range(0, len(rows), 100):
        keys.table.submit_transaction([("upsert", row) for row in rows[first : first + 100]])
    process, turns = Counting(storage, keys), 0
    task = run_until_cancelled(process)
    async with asyncio.timeout(SECONDS):
        while process.keys("valid") is None:
            turns += 1
            await asyncio.sleep(0 if turns % 100 else 0.05)  # the emulator needs a processor too
    assert process.keys("valid") == 1102
    assert turns >= len(rows) / key_store.ROWS_AT_ONCE
    await stop(task)


@pytest.mark.anyio
async def test_a_ring_without_a_store_ends_the_count(
    storage: Storage, keys: KeyRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_store, "TRY_SECONDS", 0.01)
    process = Counting(storage, keys)
    task = run_until_cancelled(process)
    await until(process)
    accounts = {storage.account: {"storage": {"connection_string": storage.connection_string}}}
    process.ring.replace(parse_keyring(f'{{"accounts": {accounts}, "keys": {{}}}}'.replace("'", '"')))
    await until(process, has_counted=False)
    await stop(task)


def test_a_lock_is_held_by_one_and_released() -> None:
    name = uuid4().hex  # another run of the tests may be under way
    first, second = ProcessLock(name), ProcessLock(name)
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()
    (Path(tempfile.gettempdir()) / f"spatial-data-proxy-{os.getuid()}-{name}.lock").unlink()


def test_without_a_temporary_folder_a_process_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    assert ProcessLock("tests").acquire()


def test_the_key_store_has_a_label_of_its_own_however_many_accounts_there_are() -> None:
    metrics = Metrics(CollectorRegistry())
    for number in range(MAX_ACCOUNTS + 1):
        metrics.account_label(f"account{number}")
    Telemetry(metrics).key_store_observer().end_call((None, None), "table", "read", 0.1, None)
    labels = {"account": "~keys", "service": "table", "call": "read"}
    assert metrics.registry.get_sample_value(f"{PREFIX}storage_requests_total", labels) == 1


@pytest.mark.slow
def test_a_server_shows_what_it_knows_of_its_store(storage: Storage, keys: KeyRows, tmp_path: Path) -> None:
    file, port = tmp_path / "ring.json", free_port()
    file.write_text(keys.ring())
    with serving(storage, keyring_file=file, metrics_port=port, **keys.reading) as server:
        wait_for(lambda: server.get(LIST, "good").status_code == 200)
        # A look that comes late on a busy machine makes all others wait or fail for a moment.
        for key in ("revoked", "unknown", "unknown", "revoked"):
            wait_for(lambda key=key: server.get(LIST, key).status_code == 401)  # type: ignore[misc]  # called at once
        wait_for(lambda: bool(server.get(LIST, "odd")) and _malformed(scrape(port)) == 1)
        metrics = scrape_until(port, lambda found: found.value("keys", account=storage.account, state="valid") == 2)
        value = metrics.value
        assert 0 <= value("key_store_age_seconds") < SECONDS
        assert value("key_store_reads_total", result="looked") >= 1
        for result in ("missing", "malformed"):
            assert value("key_store_reads_total", result=result) == 1
        assert value("key_store_reads_total", result="found") == 2
        assert value("key_store_reads_total", result="shed") == 0
        assert (value("key_cache_entries", kind="known"), value("key_cache_entries", kind="unknown")) == (3, 1)
        assert value("authentication_failures_total", code="revoked") == 2
        assert value("authentication_failures_total", code="InvalidCredentials") == 2
        assert value("storage_requests_total", account="~keys", service="table", call="read") >= 5
        assert value("job_cache_lookups_total", account="~keys") == 0
        assert value("key_requests_total", account=storage.account, key="store locator") >= 1
        assert not metrics.words() & {"old program", "elsewhere"}
        keys.hop.mode = Mode.REFUSE
        failed = value("key_store_reads_total", result="failed")

        def is_away(found: Scraped) -> bool:
            unreachable = found.value("storage_errors_total", account="~keys", reason="unreachable")
            return found.value("key_store_reads_total", result="failed") > failed and unreachable >= 1

        away = scrape_until(port, is_away).value("key_store_age_seconds")
        scrape_until(port, lambda found: found.value("key_store_age_seconds") > away)
        keys.hop.mode = Mode.WELL
        looked = value("key_store_reads_total", result="looked")
        scrape_until(port, lambda found: found.value("key_store_reads_total", result="looked") > looked)
        scrape_until(port, lambda found: found.value("key_store_age_seconds") < 2)


@pytest.mark.slow
def test_a_server_that_has_never_read_its_store_shows_the_age_of_itself(
    storage: Storage, keys: KeyRows, tmp_path: Path
) -> None:
    file, port = tmp_path / "ring.json", free_port()
    file.write_text(keys.ring())
    keys.hop.mode = Mode.REFUSE
    started = time.monotonic()
    with serving(storage, keyring_file=file, metrics_port=port, **keys.reading):
        scrape_until(port, lambda found: found.value("key_store_age_seconds") > 1)
        assert scrape(port).value("key_store_age_seconds") <= time.monotonic() - started
