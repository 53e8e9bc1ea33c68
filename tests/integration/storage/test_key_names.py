"""A name belongs to one key, however slow one of two adds is."""

import asyncio
from collections.abc import Awaitable

import pytest

from adapters.errors import NameTakenError
from adapters.model.key_records import KeyRecord
from adapters.tables import key_names
from adapters.tables.key_changes import KeyChanges
from adapters.tables.key_names import KeyNames
from adapters.tables.key_table import KeyTable
from tests.support.key_rows import KeyRows, digest_of, mark_of
from tests.support.key_writers import after_write, before_write, run
from tests.support.storage import ago, date

NAME = "Store Locator"
ROW = "store locator"


def record(key: str) -> KeyRecord:
    return KeyRecord(digest_of(key), "contoso", name=NAME)


async def result(add: Awaitable[bool]) -> bool | str:
    try:
        return await add
    except NameTakenError as error:
        return error.digest


def test_of_many_that_add_one_name_at_once_one_gets_it(rows: KeyRows) -> None:
    async def work(first: KeyTable, second: KeyTable) -> None:
        keys = [f"key-{number}" for number in range(20)]
        adds = [KeyChanges((first, second)[number % 2]).add(record(key)) for number, key in enumerate(keys)]
        results = await asyncio.gather(*map(result, adds))
        (winner,) = [key for key, outcome in zip(keys, results, strict=True) if outcome is True]
        assert set(results) == {True, digest_of(winner)}
        assert rows.named(ROW) == digest_of(winner)
        assert [key for key in keys if rows.get(key)] == [winner]

    run(rows, work)


def test_an_add_that_was_suspended_and_lost_its_name_leaves_no_key(
    rows: KeyRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_names, "ADD_SECONDS", 0.1)

    async def work(slow: KeyTable, quick: KeyTable) -> None:
        before_write(slow, "submit_transaction", digest_of("slow")[:2], lambda: KeyChanges(quick).add(record("quick")))
        assert await result(KeyChanges(slow).add(record("slow"))) == digest_of("quick")
        assert (rows.get("slow"), rows.named(ROW)) == ({}, digest_of("quick"))
        assert rows.recent == [mark_of("slow"), mark_of("quick")]  # who has read the row forgets it

    run(rows, work)


def test_an_add_that_takes_over_the_name_of_a_slow_one_gives_it_back(
    rows: KeyRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_names, "ADD_SECONDS", 0.1)

    async def work(_: KeyTable, quick: KeyTable) -> None:
        rows.write_name(ROW, digest_of("slow"))

        async def go_on() -> None:
            rows.write("slow", Name=NAME)

        after_write(quick, "update_entity", go_on)
        assert await result(KeyChanges(quick).add(record("quick"))) == digest_of("slow")
        assert (rows.get("quick"), rows.named(ROW)) == ({}, digest_of("slow"))

    run(rows, work)


def test_a_key_whose_name_was_taken_while_it_was_reinstated_stays_revoked(
    rows: KeyRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_names, "ADD_SECONDS", 0.1)
    rows.write("slow", Name=NAME, RevokedAt=date(ago(days=1)))

    async def work(slow: KeyTable, quick: KeyTable) -> None:
        before_write(slow, "update_entity", digest_of("slow")[:2], lambda: KeyChanges(quick).add(record("quick")))
        assert await result(KeyChanges(slow).reinstate(digest_of("slow"))) == digest_of("quick")
        assert "RevokedAt" in rows.get("slow")
        assert rows.named(ROW) == digest_of("quick")

    run(rows, work)


def test_of_two_adds_of_one_key_one_is_new(rows: KeyRows) -> None:
    async def work(first: KeyTable, second: KeyTable) -> None:
        other = KeyRecord(digest_of("a"), "contoso", name="other")
        before_write(first, "submit_transaction", digest_of("a")[:2], lambda: KeyChanges(second).add(other))
        assert await KeyChanges(first).add(record("a")) is False
        assert (rows.get("a")["Name"], rows.named("other"), rows.named(ROW)) == ("other", digest_of("a"), None)

    run(rows, work)


def test_a_name_of_nobody_has_no_owner(rows: KeyRows) -> None:
    async def work(table: KeyTable, _: KeyTable) -> None:
        names = KeyNames(table)
        assert await names.owner(NAME) is None
        rows.write_name(ROW, digest_of("gone"))
        assert await names.owner(NAME) is None
        await names.free(NAME, digest_of("another"))
        assert rows.named(ROW) == digest_of("gone")

    run(rows, work)
