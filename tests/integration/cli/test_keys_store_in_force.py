"""What a command changes is in force in a process that reads the store, with the next look and one read."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from adapters.credentials.config import ConnectionStringConfig
from adapters.tables.key_table import KeyTable
from proxy.keyring.change_watch import StoreTiming
from proxy.keyring.store import StoredKeys
from tests.integration.cli.conftest import Outcome, Run
from tests.support.key_store import find
from tests.support.key_table_rows import KeyTableRows, digest_of
from tests.support.storage import ago, date

pytestmark = pytest.mark.anyio

INTERVAL = 0.2
SECONDS = 60.0

Command = Callable[..., Awaitable[Outcome]]


@pytest.fixture
async def reader(rows: KeyTableRows) -> AsyncIterator[StoredKeys]:
    """A process that reads the keys; none was ever added."""
    table = KeyTable(ConnectionStringConfig(rows.make().connection_string), rows.name, SECONDS)
    stored = StoredKeys(table, StoreTiming(INTERVAL, 3600, SECONDS), ("contoso", "fabrikam").__contains__)
    following = asyncio.create_task(stored.run())
    yield stored
    following.cancel()
    await asyncio.wait([following])
    await stored.close()


@pytest.fixture
def command(keys: Run) -> Command:
    """Runs `keys ...` beside the reader."""

    async def run(*arguments: str, typed: str = "") -> Outcome:
        return await asyncio.to_thread(keys, *arguments, typed=typed)

    return run


async def becomes(reader: StoredKeys, key: str, expected: str) -> None:
    end = time.monotonic() + SECONDS
    while (found := await find(reader, key)) != expected:
        assert time.monotonic() < end, f"{key} is {found}, not {expected}"
        await asyncio.sleep(0.02)


async def test_each_command_is_in_force_for_keys_that_were_asked_with_before(
    reader: StoredKeys, command: Command
) -> None:
    await becomes(reader, "key-a", "UnknownKeyError")
    await command("add", "--account", "contoso", "--name", "CRM", typed="key-a")
    await becomes(reader, "key-a", "contoso")
    await command("revoke", "--name", "CRM")
    await becomes(reader, "key-a", "RevokedKeyError")
    await command("reinstate", digest_of("key-a"))
    await becomes(reader, "key-a", "contoso")
    assert await find(reader, "b") == "UnknownKeyError"
    await command("import", "-", typed="key,account\nkey-a,fabrikam\nb,contoso\n")
    await becomes(reader, "key-a", "fabrikam")
    await becomes(reader, "b", "contoso")


async def test_a_pruned_key_stays_refused(rows: KeyTableRows, reader: StoredKeys, command: Command) -> None:
    rows.add("key-a", RevokedAt=date(ago(days=91)))
    await becomes(reader, "key-a", "RevokedKeyError")
    await command("prune")
    assert rows.get("key-a") == {}
    await asyncio.sleep(3 * INTERVAL)
    assert await find(reader, "key-a") in {"RevokedKeyError", "UnknownKeyError"}
    await command("add", "--account", "contoso", typed="key-a")
    await becomes(reader, "key-a", "contoso")


async def test_a_change_row_that_was_deleted_is_made_anew(
    rows: KeyTableRows, reader: StoredKeys, command: Command
) -> None:
    await command("add", "--account", "contoso", typed="key-a")
    await becomes(reader, "key-a", "contoso")
    epoch = rows.epoch
    rows.table.delete_entity("~", "changes")
    await command("revoke", digest_of("key-a"))
    assert (rows.epoch != epoch, rows.sequence) == (True, 1)
    await becomes(reader, "key-a", "RevokedKeyError")
