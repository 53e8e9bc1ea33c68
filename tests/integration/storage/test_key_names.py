"""A name belongs to one key, however slow one of two adds is."""

import asyncio
from collections.abc import Awaitable
from functools import partial
from random import Random

import pytest

from adapters.errors import ConflictError, NameTakenError
from adapters.model.key_records import KeyRecord
from adapters.tables import key_names
from adapters.tables.key_changes import KeyChanges
from adapters.tables.key_names import KeyNames
from adapters.tables.key_table import KeyTable
from tests.support.key_table_rows import KeyTableRows, digest_of, mark_of
from tests.support.key_writers import after_write, before_write, run
from tests.support.opened_account import SECONDS
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


def test_of_many_that_add_one_name_at_once_one_gets_it(rows: KeyTableRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_names, "ADD_SECONDS", SECONDS)

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
    rows: KeyTableRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_names, "ADD_SECONDS", 0.1)

    async def work(slow: KeyTable, quick: KeyTable) -> None:
        before_write(slow, "submit_transaction", digest_of("slow")[:2], lambda: KeyChanges(quick).add(record("quick")))
        assert await result(KeyChanges(slow).add(record("slow"))) == digest_of("quick")
        assert (rows.get("slow"), rows.named(ROW)) == ({}, digest_of("quick"))
        assert rows.recent == [mark_of("slow"), mark_of("quick")]  # a process that has read the row forgets it

    run(rows, work)


def test_an_add_that_takes_over_the_name_of_a_slow_one_gives_it_back(
    rows: KeyTableRows, monkeypatch: pytest.MonkeyPatch
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
    rows: KeyTableRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_names, "ADD_SECONDS", 0.1)
    rows.write("slow", Name=NAME, RevokedAt=date(ago(days=1)))

    async def work(slow: KeyTable, quick: KeyTable) -> None:
        before_write(slow, "update_entity", digest_of("slow")[:2], lambda: KeyChanges(quick).add(record("quick")))
        assert await result(KeyChanges(slow).reinstate(digest_of("slow"))) == digest_of("quick")
        assert "RevokedAt" in rows.get("slow")
        assert rows.named(ROW) == digest_of("quick")

    run(rows, work)


@pytest.mark.parametrize("moment", ["update_entity", "delete_entity"])
def test_a_key_that_is_reinstated_while_it_is_revoked_keeps_its_name(rows: KeyTableRows, moment: str) -> None:
    async def work(first: KeyTable, second: KeyTable) -> None:
        await KeyChanges(first).add(record("a"))
        reinstate = partial(KeyChanges(second).reinstate, digest_of("a"))
        if moment == "update_entity":
            after_write(first, moment, reinstate)
        else:
            before_write(first, moment, "~names", reinstate)
        await KeyChanges(first).revoke(digest_of("a"))
        assert "RevokedAt" not in rows.get("a")
        assert rows.named(ROW) == digest_of("a")

    run(rows, work)


def test_of_two_adds_of_one_key_one_is_new(rows: KeyTableRows) -> None:
    async def work(first: KeyTable, second: KeyTable) -> None:
        other = KeyRecord(digest_of("a"), "contoso", name="other")
        before_write(first, "submit_transaction", digest_of("a")[:2], lambda: KeyChanges(second).add(other))
        assert await KeyChanges(first).add(record("a")) is False
        assert (rows.get("a")["Name"], rows.named("other"), rows.named(ROW)) == ("other", digest_of("a"), None)

    run(rows, work)


def test_a_name_of_nobody_has_no_owner(rows: KeyTableRows) -> None:
    async def work(table: KeyTable, _: KeyTable) -> None:
        names = KeyNames(table)
        assert await names.owner(NAME) is None
        rows.write_name(ROW, digest_of("gone"))
        assert await names.owner(NAME) is None
        await names.free(NAME, digest_of("another"))
        assert rows.named(ROW) == digest_of("gone")

    run(rows, work)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_whatever_operators_do_at_once_a_name_has_one_key_and_a_key_in_force_has_its_name(
    rows: KeyTableRows, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(key_names, "ADD_SECONDS", 0.1)
    names = {"a": "first", "b": "First", "c": "second", "d": "Second"}
    changes = 0

    async def operate(table: KeyTable, random: Random) -> None:
        nonlocal changes
        keys = KeyChanges(table)
        for _ in range(25):
            key = random.choice("abcd")
            record = KeyRecord(digest_of(key), "contoso", name=names[key])
            kind = random.choice(("add", "revoke", "reinstate"))
            try:
                await (keys.add(record) if kind == "add" else getattr(keys, kind)(record.digest))
                changes += 1
            except (NameTakenError, ConflictError):  # taken, or no such row yet
                continue

    async def work(first: KeyTable, second: KeyTable) -> None:
        randoms = [Random(seed * 10 + number) for number in range(4)]  # noqa: S311 - a test's
        await asyncio.gather(*map(operate, (first, second) * 2, randoms))
        in_force = [key for key in names if rows.get(key) and "RevokedAt" not in rows.get(key)]
        assert len({names[key].lower() for key in in_force}) == len(in_force)
        assert all(rows.named(names[key].lower()) == digest_of(key) for key in in_force)
        assert rows.sequence >= changes > 12

    run(rows, work)
