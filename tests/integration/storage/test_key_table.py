"""The table of the key store, as the emulator holds it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from adapters.credentials.config import ConnectionStringConfig, Endpoints, IdentityConfig, IdentityKind
from adapters.errors import StorageError, StorageErrorCode
from adapters.model.key_records import ChangeLog, KeyRecord
from adapters.model.ticks import Ticks, parse_ticks
from adapters.tables.key_table import KeyTable, UnreadableKey
from adapters.tables.properties import MalformedRowError
from proxy.demo.azurite import Emulator
from tests.support.opened_account import SECONDS
from tests.support.storage import date
from tests.support.written_keys import WrittenKeys

pytestmark = pytest.mark.anyio

TIME = "2026-01-02T03:04:05.0000006Z"


@pytest.fixture
def written(emulator: Emulator) -> Iterator[WrittenKeys]:
    with WrittenKeys.open(emulator.connection_string) as opened:
        yield opened


@pytest.fixture
async def table(emulator: Emulator, written: WrittenKeys, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KeyTable]:
    monkeypatch.setattr("adapters.tables.key_table.LOOK_SECONDS", SECONDS)
    opened = KeyTable(ConnectionStringConfig(emulator.connection_string), written.name, SECONDS)
    yield opened
    await opened.close()


async def test_key_row_is_read_with_all_its_properties(table: KeyTable, written: WrittenKeys) -> None:
    digest = written.write(
        "key",
        Role="query",
        Name="shop",
        DataSources='["Shops*", "Cafés"]',
        ExpiresAt=date(TIME),
        CreatedAt=date(TIME),
        RevokedAt=date(TIME),
        Shadow=True,
        Note="another tool's",
    )
    ticks = parse_ticks(TIME)
    expected = KeyRecord(digest, "contoso", "query", "shop", ("Shops*", "Cafés"), ticks, ticks, ticks, shadow=True)
    assert await table.read_key(digest) == expected
    assert [key async for key in table.list_keys()] == [expected]


async def test_key_without_a_row_is_none(table: KeyTable) -> None:
    assert await table.read_key("ab" * 32) is None


@pytest.mark.parametrize(
    "properties",
    [
        {"Account": ""},
        {"Role": "owner"},
        {"Role": ""},
        {"DataSources": "[broken"},
        {"DataSources": "[1]"},
        {"DataSources": "{}"},
        {"ExpiresAt": "tomorrow"},
        {"Shadow": "yes"},
    ],
)
async def test_row_that_cannot_be_read_says_why_and_hides_no_other(
    table: KeyTable, written: WrittenKeys, properties: dict[str, str]
) -> None:
    bad, good = written.write("bad", **properties), written.write("good")
    with pytest.raises(MalformedRowError, match=next(iter(properties))):
        await table.read_key(bad)
    found = {getattr(key, "digest", None) or getattr(key, "row_key", None): key async for key in table.list_keys()}
    assert isinstance(found[bad], UnreadableKey)
    assert isinstance(found[good], KeyRecord)


async def test_revoked_key_is_revoked_although_its_row_cannot_be_read(table: KeyTable, written: WrittenKeys) -> None:
    digest = written.write("bad", Role="owner", RevokedAt="yes")
    assert await table.read_key(digest) == KeyRecord(digest, "", revoked=Ticks(0))


async def test_list_is_of_keys_alone_over_many_pages(table: KeyTable, written: WrittenKeys) -> None:
    digests = {f"{number:02x}" * 32 for number in range(16)}
    for first in digests:
        rows = [{"PartitionKey": first[:2], "RowKey": f"{first[:60]}{row:04x}", "Account": "c"} for row in range(70)]
        written.table.submit_transaction([("create", row) for row in rows])
    written.announce("key")
    written.table.create_entity({"PartitionKey": "~names", "RowKey": "shop", "Digest": "ab" * 32})
    found = [key async for key in table.list_keys(select="RowKey,Account")]
    assert len(found) == 16 * 70
    assert all(isinstance(key, KeyRecord) and key.account == "c" for key in found)
    assert [key async for key in table.list_keys("Account eq 'd'")] == []


async def test_change_row_is_read(table: KeyTable, written: WrittenKeys) -> None:
    assert await table.read_changes() is None
    written.write_changes("epoch", 2**40, [[2**40, "+"], [7, "ab" * 8]])
    changes = await table.read_changes()
    assert changes is not None
    assert changes.etag.startswith("W/")
    assert changes == ChangeLog("epoch", 2**40, ((2**40, "+"), (7, "ab" * 8)), changes.etag)


async def test_change_row_that_cannot_be_read_is_an_error(table: KeyTable, written: WrittenKeys) -> None:
    written.table.upsert_entity({"PartitionKey": "~", "RowKey": "changes", "Epoch": "e", "Recent": "[[1]]"})
    with pytest.raises(MalformedRowError):
        await table.read_changes()


async def test_table_that_is_missing_is_an_error_until_it_is_created(
    emulator: Emulator, written: WrittenKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.tables.key_table.LOOK_SECONDS", SECONDS)
    table = KeyTable(ConnectionStringConfig(emulator.connection_string), f"{written.name}x", SECONDS)
    for read in (table.read_changes, lambda: table.read_key("ab" * 32)):
        with pytest.raises(StorageError) as raised:
            await read()
        assert raised.value.code is StorageErrorCode.NO_TABLE
    await table.create()
    await table.create()
    assert await table.read_changes() is None
    await table.close()
    written.table.from_connection_string(emulator.connection_string, table_name=f"{written.name}x").delete_table()


async def test_table_of_an_identity_opens_and_closes_without_a_request() -> None:
    endpoints = Endpoints("contosokeys")
    table = KeyTable(IdentityConfig(endpoints, IdentityKind.MANAGED_IDENTITY), "keys", 5)
    assert table.writes.url == endpoints.table()
    await table.close()
