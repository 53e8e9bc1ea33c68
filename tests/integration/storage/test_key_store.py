"""Keys of a store whose storage fails, comes back, and is restored (keys contract, sections 3 and 5)."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from adapters.credentials.config import ConnectionStringConfig
from adapters.tables.key_table import KeyTable
from adapters.tables.reader import CONNECTIONS
from proxy.keyring.change_watch import StoreTiming
from proxy.keyring.store import StoredKeys
from tests.support import flaky_storage
from tests.support.fault_proxy import FAULTS, Hop, Mode
from tests.support.flaky_storage import FlakyHop
from tests.support.key_store import find
from tests.support.storage import Storage, date
from tests.support.written_keys import WrittenKeys

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

INTERVAL, TIMEOUT = 0.2, 1.5
UNAVAILABLE = "KeyStoreUnavailableError"
REVOKED = {"RevokedAt": date("2026-01-02T03:04:05Z")}

# A look, its failure, the longest wait before the next one, and room for a busy machine.
SOON = 60.0


class KeyHop(Hop):
    """A hop whose fault may be for reads of keys alone."""

    spares_looks = False

    def _mode_for(self, method: str) -> Mode:
        if self.spares_looks and "PartitionKey='~'" in self.asked[-1].target:
            return Mode.WELL
        return super()._mode_for(method)

    @property
    def key_reads(self) -> list[str]:
        """The targets of the requests that were no looks."""
        return [asked.target for asked in list(self.asked) if "PartitionKey='~'" not in asked.target]


@dataclass
class Running:
    """A process that reads keys, and what is written before it."""

    keys: StoredKeys
    hop: KeyHop
    written: WrittenKeys

    async def becomes(self, key: str, expected: str) -> None:
        """Waits until a look-up of this key ends so."""
        await becomes(self.keys, key, expected)

    async def looked(self) -> None:
        """Waits until a look that begins from now on has succeeded."""
        started = time.monotonic()
        await until(lambda: self.keys.age_seconds < time.monotonic() - started)


async def until(condition: Callable[[], bool]) -> None:
    """Waits until it is true."""
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110 - others change it
            await asyncio.sleep(0.01)


async def becomes(keys: StoredKeys, key: str, expected: str) -> None:
    """Waits until a look-up of this key ends so."""
    deadline = time.monotonic() + SOON
    while (found := await find(keys, key)) != expected:
        assert time.monotonic() < deadline, f"{key} is {found}, not {expected}"
        await asyncio.sleep(0.02)


async def assert_quick(ask: Callable[[], Awaitable[float]]) -> None:
    """Asserts that one of several tries took no longer than a look-up may: a busy machine may hold up each of them."""
    seconds: list[float] = []
    while not seconds or min(seconds) >= TIMEOUT + 1:
        assert len(seconds) < 5, seconds
        seconds.append(await ask())


@asynccontextmanager
async def following(connection_string: str, table: str, seconds: float = TIMEOUT) -> AsyncIterator[StoredKeys]:
    """The keys of a process that looks for changes; `seconds` is the longest time of a look-up."""
    reader = KeyTable(ConnectionStringConfig(connection_string), table, seconds)
    keys = StoredKeys(reader, StoreTiming(INTERVAL, 3600, seconds), lambda account: account == "contoso")
    task = asyncio.create_task(keys.run())
    try:
        yield keys
    finally:
        task.cancel()
        await asyncio.wait([task])
        await keys.close()


@pytest.fixture
def hop(storage: Storage) -> Iterator[KeyHop]:
    with KeyHop.before(storage) as opened:
        assert isinstance(opened, KeyHop)
        yield opened


@pytest.fixture
def written(storage: Storage) -> Iterator[WrittenKeys]:
    with WrittenKeys.open(storage.connection_string) as opened:
        opened.add("key")
        yield opened


@pytest.fixture
async def running(hop: KeyHop, written: WrittenKeys) -> AsyncIterator[Running]:
    async with following(hop.connection_string, written.name) as keys:
        yield Running(keys, hop, written)


async def test_changes_are_in_force_after_a_look(running: Running) -> None:
    await running.becomes("key", "contoso")
    await running.becomes("new", "UnknownKeyError")
    running.written.add("new")
    await running.becomes("new", "contoso")
    running.written.add("new", **REVOKED)
    await running.becomes("new", "RevokedKeyError")
    running.written.add("new")
    await running.becomes("new", "contoso")
    await running.becomes("many", "UnknownKeyError")
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

        async def ask(key: str = key, expected: str = expected) -> float:
            started = time.monotonic()
            assert await find(running.keys, key) == expected
            return time.monotonic() - started

        await assert_quick(ask)
    running.written.add("new")
    running.written.add("key", **REVOKED)
    running.hop.mode = Mode.WELL
    await running.becomes("new", "contoso")
    await running.becomes("key", "RevokedKeyError")
    await running.becomes("none", "UnknownKeyError")


async def test_store_that_fails_between_two_looks_refuses_within_the_deadline(running: Running) -> None:
    async def ask() -> float:
        running.hop.mode = Mode.WELL
        await running.becomes("key", "contoso")
        await running.looked()
        running.hop.mode = Mode.HANG
        started = time.monotonic()
        found = await asyncio.gather(*(find(running.keys, f"new{number}") for number in range(100)))
        assert set(found) == {UNAVAILABLE}
        return time.monotonic() - started

    await assert_quick(ask)


async def test_faults_by_chance_give_no_wrong_answer(
    storage: Storage, written: WrittenKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flaky_storage, "MOMENT", 0.2)
    monkeypatch.setattr(flaky_storage, "QUIET", 0.15)
    with FlakyHop.before(storage) as hop:
        assert isinstance(hop, FlakyHop)
        async with following(hop.connection_string, written.name) as keys:
            await becomes(keys, "key", "contoso")
            deadline, number = time.monotonic() + SOON, 0
            while hop.done.total() - hop.done[Mode.WELL.value] < 15 and time.monotonic() < deadline:
                number += 1
                # The second where it was named and can't be read.
                assert await find(keys, "key") in {"contoso", UNAVAILABLE}
                assert await find(keys, f"none{number}") in {"UnknownKeyError", UNAVAILABLE}
                await asyncio.to_thread(written.announce, "key")
            hop.is_flaky = False
            written.add("key", **REVOKED)
            await becomes(keys, "key", "RevokedKeyError")


async def test_reads_of_keys_that_hang_delay_no_look(hop: KeyHop, written: WrittenKeys) -> None:
    used = [f"used{number}" for number in range(CONNECTIONS + 1)]
    await asyncio.to_thread(lambda: [written.write(key) for key in used])
    async with following(hop.connection_string, written.name, seconds=10 * SOON) as keys:
        running = Running(keys, hop, written)
        for key in ("key", *used):
            await running.becomes(key, "contoso")
        hop.spares_looks = True
        hop.mode = Mode.HANG
        hop.asked.clear()
        written.announce(*used)
        await running.looked()
        hanging = [asyncio.create_task(find(keys, key)) for key in used]
        await until(lambda: len(hop.key_reads) >= CONNECTIONS)
        await running.looked()  # one that needs a connection of theirs has none as long as they hang
        assert not any(task.done() for task in hanging)
        assert await find(keys, "key") == "contoso"
        hop.mode = Mode.REFUSE
        assert set(await asyncio.gather(*hanging)) == {UNAVAILABLE}


async def test_names_of_other_accounts_that_take_long_delay_no_look(storage: Storage, written: WrittenKeys) -> None:
    hanging = threading.Event()
    others = [asyncio.get_running_loop().run_in_executor(None, hanging.wait) for _ in range(64)]
    by_name = storage.connection_string.replace("127.0.0.1", "localhost")
    try:
        async with following(by_name, written.name) as keys:
            await becomes(keys, "key", "contoso")
    finally:
        hanging.set()
        await asyncio.gather(*others)


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


async def test_keys_in_use_are_read_once_while_a_thousand_others_are_added(running: Running) -> None:
    used = [f"used{number}" for number in range(100)]
    await asyncio.to_thread(lambda: [running.written.write(key) for key in used])  # the process goes on looking
    for key in used:
        await running.becomes(key, "contoso")
    running.hop.asked.clear()
    started = time.monotonic()
    for number in range(0, 1000, 100):  # more than the change row has room for
        await asyncio.to_thread(running.written.announce, *(f"new{number + each}" for each in range(100)))
        assert {await find(running.keys, key) for key in used} == {"contoso"}
        await running.looked()
    assert {await find(running.keys, key) for key in used} == {"contoso"}
    assert running.hop.key_reads == []
    # A look that fails on a busy machine is tried again, and repeated sooner.
    assert len(running.hop.asked) <= 2 * (time.monotonic() - started) / INTERVAL + 3
