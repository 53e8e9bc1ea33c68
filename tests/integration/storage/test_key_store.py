"""Keys of a store whose storage fails, comes back, and is restored (keys contract, sections 3 and 5)."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from adapters.credentials.config import ConnectionStringConfig
from adapters.tables.key_table import LOOK_SECONDS, KeyTable
from adapters.tables.reader import CONNECTIONS
from proxy.keyring.change_watch import StoreTiming
from proxy.keyring.store import StoredKeys
from tests.support.fault_proxy import FAULTS, Hop, Mode
from tests.support.flaky_storage import FlakyHop
from tests.support.key_store import find
from tests.support.storage import Storage, date
from tests.support.written_keys import WrittenKeys

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

INTERVAL, TIMEOUT = 0.2, 1.5
TIMING = StoreTiming(INTERVAL, 3600, TIMEOUT)
UNAVAILABLE = "KeyStoreUnavailableError"
REVOKED = {"RevokedAt": date("2026-01-02T03:04:05Z")}

# A look, its failure, the longest wait before the next one, and room for a busy machine.
SOON = 20.0


class KeyHop(Hop):
    """A hop whose fault may be for reads of keys alone."""

    spares_looks = False

    def _mode_for(self, method: str) -> Mode:
        if self.spares_looks and "PartitionKey='~'" in self.asked[-1].target:
            return Mode.WELL
        return super()._mode_for(method)


@dataclass
class Running:
    """A process that reads keys through a hop, and what is written before it."""

    keys: StoredKeys
    hop: KeyHop
    written: WrittenKeys

    async def becomes(self, key: str, expected: str) -> None:
        """Waits until a look-up of this key ends so."""
        await becomes(self.keys, key, expected)


async def becomes(keys: StoredKeys, key: str, expected: str) -> None:
    """Waits until a look-up of this key ends so."""
    deadline = time.monotonic() + SOON
    while (found := await find(keys, key)) != expected:
        assert time.monotonic() < deadline, f"{key} is {found}, not {expected}"
        await asyncio.sleep(0.02)


@pytest.fixture
def hop(storage: Storage) -> Iterator[Hop]:
    with KeyHop.before(storage) as opened:
        yield opened


@pytest.fixture
async def running(storage: Storage, hop: KeyHop) -> AsyncIterator[Running]:
    with WrittenKeys.open(storage.connection_string) as written:
        written.add("key")
        table = KeyTable(ConnectionStringConfig(hop.connection_string), written.name, TIMEOUT)
        keys = StoredKeys(table, TIMING, lambda account: account == "contoso")
        task = asyncio.create_task(keys.run())
        yield Running(keys, hop, written)
        task.cancel()
        await keys.close()


async def test_changes_are_in_force_after_a_look(running: Running) -> None:
    await running.becomes("key", "contoso")
    assert await find(running.keys, "new") == "UnknownKeyError"
    running.written.add("new")
    await running.becomes("new", "contoso")
    running.written.add("new", **REVOKED)
    await running.becomes("new", "RevokedKeyError")
    running.written.add("new")
    await running.becomes("new", "contoso")
    assert await find(running.keys, "many") == "UnknownKeyError"
    running.written.write("many")
    running.written.announce("+")
    await running.becomes("many", "contoso")


@pytest.mark.parametrize("fault", [*FAULTS, Mode.FAIL])
async def test_store_that_fails_harms_no_known_key_and_makes_no_other_unknown(running: Running, fault: Mode) -> None:
    await running.becomes("key", "contoso")
    await running.becomes("none", "UnknownKeyError")
    running.hop.mode = fault
    await running.becomes("none", UNAVAILABLE)
    for key, expected in (("key", "contoso"), ("none", UNAVAILABLE), ("new", UNAVAILABLE)):
        started = time.monotonic()
        assert await find(running.keys, key) == expected
        assert time.monotonic() - started < TIMEOUT + 1
    running.written.add("new")
    running.written.add("key", **REVOKED)
    running.hop.mode = Mode.WELL
    await running.becomes("new", "contoso")
    await running.becomes("key", "RevokedKeyError")
    await running.becomes("none", "UnknownKeyError")


async def test_store_that_fails_between_two_looks_refuses_within_the_deadline(running: Running) -> None:
    await running.becomes("key", "contoso")
    running.hop.mode = Mode.HANG
    started = time.monotonic()
    found = await asyncio.gather(*(find(running.keys, f"new{number}") for number in range(100)))
    assert time.monotonic() - started < TIMEOUT + 1
    assert set(found) == {UNAVAILABLE}


async def test_faults_by_chance_give_no_wrong_answer(storage: Storage) -> None:
    with FlakyHop.before(storage) as hop, WrittenKeys.open(storage.connection_string) as written:
        assert isinstance(hop, FlakyHop)
        written.add("key")
        keys = StoredKeys(
            KeyTable(ConnectionStringConfig(hop.connection_string), written.name, TIMEOUT), TIMING, lambda _: True
        )
        task = asyncio.create_task(keys.run())
        await becomes(keys, "key", "contoso")
        until = time.monotonic() + 5
        number = 0
        while time.monotonic() < until:
            number += 1
            assert await find(keys, "key") in {
                "contoso",
                UNAVAILABLE,
            }  # the second where it was named and can't be read
            assert await find(keys, f"none{number}") in {"UnknownKeyError", UNAVAILABLE}
            await asyncio.to_thread(written.announce, "key")
        hop.is_flaky = False
        written.add("key", **REVOKED)
        await becomes(keys, "key", "RevokedKeyError")
        task.cancel()
        await keys.close()


async def test_reads_of_keys_that_hang_delay_no_look(running: Running) -> None:
    used = [f"used{number}" for number in range(2 * CONNECTIONS)]
    await asyncio.to_thread(lambda: [running.written.write(key) for key in used])
    for key in ("key", *used):
        await running.becomes(key, "contoso")
    running.hop.spares_looks = True
    running.hop.mode = Mode.HANG
    running.written.announce(*used)
    await asyncio.sleep(2 * INTERVAL)
    hanging = [asyncio.create_task(find(running.keys, key)) for key in used]
    ages = []
    for _ in range(13):
        await asyncio.sleep(0.1)
        ages.append(running.keys.age_seconds)
    assert max(ages) < INTERVAL + LOOK_SECONDS  # a look that waits for them fails
    assert await find(running.keys, "key") == "contoso"
    assert set(await asyncio.gather(*hanging)) == {UNAVAILABLE}


async def test_names_of_other_accounts_that_take_long_delay_no_look(storage: Storage) -> None:
    hanging = threading.Event()
    others = [asyncio.get_running_loop().run_in_executor(None, hanging.wait) for _ in range(64)]
    with WrittenKeys.open(storage.connection_string) as written:
        written.add("key")
        by_name = storage.connection_string.replace("127.0.0.1", "localhost")
        keys = StoredKeys(KeyTable(ConnectionStringConfig(by_name), written.name, TIMEOUT), TIMING, lambda _: True)
        try:
            assert await find(keys, "key") == "contoso"
        finally:
            hanging.set()
            await asyncio.gather(*others)
            await keys.close()


async def test_table_that_is_deleted_cannot_be_read_until_it_is_there_again(running: Running) -> None:
    await running.becomes("key", "contoso")
    running.written.table.delete_table()
    await running.becomes("none", UNAVAILABLE)
    running.written.table.create_table()
    await asyncio.sleep(3 * INTERVAL)
    assert [await find(running.keys, key) for key in ("key", "none")] == ["contoso", UNAVAILABLE]
    running.written.add("new")
    await running.becomes("new", "contoso")
    await running.becomes("key", "UnknownKeyError")


async def test_table_restored_from_a_backup_is_in_force_after_a_look(running: Running) -> None:
    written = running.written
    await running.becomes("key", "contoso")
    epoch, sequence, recent = written.changes() or ("", 0, [])
    written.add("key", **REVOKED)
    written.add("later")
    await running.becomes("later", "contoso")
    await running.becomes("key", "RevokedKeyError")
    written.write("key")
    written.write("later", **REVOKED)
    written.write_changes(epoch, sequence, recent)
    await running.becomes("key", "contoso")
    await running.becomes("later", "RevokedKeyError")
    written.write_changes("another", sequence + 1, recent)
    written.write("later")
    await running.becomes("later", "contoso")


async def test_a_thousand_keys_in_use_are_read_once_while_a_thousand_others_are_added(running: Running) -> None:
    used = [f"used{number}" for number in range(1000)]
    await asyncio.to_thread(lambda: [running.written.write(key) for key in used])  # the process goes on looking
    for key in used:
        assert await find(running.keys, key) == "contoso"
    running.hop.asked.clear()
    started = time.monotonic()
    for number in range(1000):
        await asyncio.to_thread(running.written.add, f"new{number}")
        if number % 50 == 0:
            assert {await find(running.keys, key) for key in used} == {"contoso"}
    looks = (time.monotonic() - started) / INTERVAL + 2
    await asyncio.sleep(2 * INTERVAL)
    assert {await find(running.keys, key) for key in used} == {"contoso"}
    reads = [asked.target for asked in running.hop.asked if "PartitionKey='~'" not in asked.target]
    assert reads == []
    assert len(running.hop.asked) <= looks + 3
