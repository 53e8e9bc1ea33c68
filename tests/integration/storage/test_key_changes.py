"""Changes of key rows where other writers are first, and imports that meet them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from adapters.errors import AnnouncementError, ConflictError, NameTakenError, StorageError
from adapters.model.key_imports import ImportCounts, ImportOutcome, KeyImport
from adapters.model.key_records import KeyRecord
from adapters.model.ticks import UNIX_EPOCH
from adapters.tables import key_changes, key_import, key_names
from adapters.tables.key_announcements import announce
from adapters.tables.key_changes import KeyChanges
from adapters.tables.key_import import KeyImporter
from adapters.tables.key_names import KeyNames
from adapters.tables.key_table import KeyTable
from tests.support.key_table_rows import KeyTableRows, digest_of, mark_of
from tests.support.key_writers import after_write, before_write, run
from tests.support.storage import ago, date


def test_a_change_waits_for_no_writer_and_is_made_to_the_row_that_is_there(rows: KeyTableRows) -> None:
    rows.write("a", Account="contoso")

    async def work(first: KeyTable, second: KeyTable) -> None:
        async def change() -> None:
            rows.write("a", Account="fabrikam")

        before_write(first, "update_entity", digest_of("a")[:2], change)
        assert await KeyChanges(first).revoke(digest_of("a")) is True
        assert rows.get("a")["Account"] == "fabrikam"
        assert "RevokedAt" in rows.get("a")
        assert await KeyChanges(second).revoke(digest_of("a")) is False

    run(rows, work)


def test_a_revocation_of_another_operator_stands_whatever_is_written(rows: KeyTableRows) -> None:
    rows.write("a", Role="query")
    revoked = date(ago(days=1))

    async def work(first: KeyTable, _: KeyTable) -> None:
        async def revoke() -> None:
            rows.write("a", Role="query", RevokedAt=revoked)

        before_write(first, "update_entity", digest_of("a")[:2], revoke)
        importer = KeyImporter(first, KeyImport([KeyRecord(digest_of("a"), "contoso")]))
        assert await importer.look(lambda _: None) == []
        counts = ImportCounts()
        await importer.write(counts, lambda _: None)
        assert counts == {("contoso", ImportOutcome.REVOKED): 1}
        assert (rows.get("a")["Role"], "RevokedAt" in rows.get("a")) == ("query", True)

    run(rows, work)


def test_a_key_that_another_operator_adds_meanwhile_is_the_same(rows: KeyTableRows) -> None:
    async def work(first: KeyTable, second: KeyTable) -> None:
        record = KeyRecord(digest_of("a"), "contoso")
        before_write(first, "submit_transaction", digest_of("a")[:2], lambda: KeyChanges(second).add(record))
        importer = KeyImporter(first, KeyImport([record]))
        await importer.look(lambda _: None)
        counts = ImportCounts()
        await importer.write(counts, lambda _: None)
        assert counts == {("contoso", ImportOutcome.SAME): 1}

    run(rows, work)


def test_a_name_that_is_taken_after_the_look_is_an_error_and_the_rest_stands(rows: KeyTableRows) -> None:
    async def work(first: KeyTable, second: KeyTable) -> None:
        records = [KeyRecord(digest_of(key), "contoso", name=key) for key in ("a", "b")]
        importer = KeyImporter(first, KeyImport(records))
        await importer.look(lambda _: None)
        await KeyChanges(second).add(KeyRecord(digest_of("owner"), "contoso", name="B"))
        with pytest.raises(NameTakenError):
            await importer.write(ImportCounts(), lambda _: None)
        assert (rows.named("a"), rows.named("b"), rows.get("b")) == (digest_of("a"), digest_of("owner"), {})
        assert rows.recent == ["+", mark_of("owner")]

    run(rows, work)


def test_an_answer_that_was_lost_is_no_other_writer(rows: KeyTableRows) -> None:
    async def work(first: KeyTable, second: KeyTable) -> None:
        record = KeyRecord(digest_of("a"), "contoso", name="CRM", created=UNIX_EPOCH)
        before_write(first, "submit_transaction", digest_of("a")[:2], lambda: KeyChanges(second).insert(record))
        assert await KeyChanges(first).add(record) is True
        assert rows.named("crm") == digest_of("a")

    run(rows, work)


@pytest.mark.parametrize("change", [KeyChanges.revoke, KeyChanges.reinstate])
def test_a_row_that_is_gone_can_not_be_changed(
    rows: KeyTableRows, change: Callable[[KeyChanges, str], Awaitable[bool]]
) -> None:
    async def work(table: KeyTable, _: KeyTable) -> None:
        with pytest.raises(ConflictError, match="the key's row is gone"):
            await change(KeyChanges(table), digest_of("a"))
        assert rows.sequence == 0

    run(rows, work)


def test_a_row_that_goes_while_it_is_reinstated_is_not_made_anew(rows: KeyTableRows) -> None:
    rows.write("a", RevokedAt=date(ago(days=91)), Name="CRM")

    async def work(table: KeyTable, _: KeyTable) -> None:
        async def delete() -> None:
            rows.table.delete_entity(digest_of("a")[:2], digest_of("a"))

        after_write(table, "submit_transaction", delete)  # that of the name
        with pytest.raises(ConflictError, match="the key's row is gone"):
            await KeyChanges(table).reinstate(digest_of("a"))
        assert rows.get("a") == {}

    run(rows, work)


def test_writers_that_are_always_first_end_a_change(rows: KeyTableRows, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (key_changes, key_import, key_names):
        monkeypatch.setattr(module, "CHANGE_ATTEMPTS", 2)
    rows.write("a", Role="query")
    rows.write_name("crm", "x")

    async def lose(_: object, call: Awaitable[object]) -> bool:
        asyncio.ensure_future(call).cancel()
        return False

    async def work(table: KeyTable, _: KeyTable) -> None:
        monkeypatch.setattr(KeyChanges, "_try", lose)
        with pytest.raises(ConflictError, match="other writers kept changing the key's row"):
            await KeyChanges(table).revoke(digest_of("a"))
        importer = KeyImporter(table, KeyImport([KeyRecord(digest_of("a"), "contoso")]))
        await importer.look(lambda _: None)
        with pytest.raises(ConflictError, match="other writers kept changing the key's row"):
            await importer.write(ImportCounts(), lambda _: None)
        monkeypatch.setattr(KeyNames, "_try", lose)
        with pytest.raises(ConflictError, match="other writers kept changing the name's row"):
            await KeyNames(table).take("CRM", digest_of("b"))

    run(rows, work)


def test_a_table_that_goes_is_not_waited_for(rows: KeyTableRows) -> None:
    async def work(table: KeyTable, _: KeyTable) -> None:
        rows.table.delete_table()
        with pytest.raises(AnnouncementError, match="no table"):
            await announce(table, [digest_of("a")])
        with pytest.raises(StorageError, match="no table"):
            await KeyChanges(table).add(KeyRecord(digest_of("a"), "contoso"))

    run(rows, work)
