"""Changes of operators: written to a table that is made when it is needed, read by time, deleted when they are old."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import cast
from uuid import uuid4

import pytest

from adapters.account import AccountStorage
from adapters.model.ticks import FIRST, Ticks, from_datetime
from adapters.tables.audit_rows import AuditEntry
from proxy.worker.cleanup import clean_up
from tests.support.storage import Storage

pytestmark = pytest.mark.anyio

ENTRY = AuditEntry("amy@desk", "jobs retry", "0" * 32, "Aborted: No.", "Pending")


@pytest.fixture(autouse=True)
def _own_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that no other test has, and that is missing."""
    monkeypatch.setattr("adapters.account.AUDIT_TABLE", f"audit{uuid4().hex[:12]}")


def set_clock(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    """Lets the clock be off by so many days, from now on."""

    class Off(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Off":
            return cast("Off", datetime.now(tz) + timedelta(days=days))

    monkeypatch.setattr("adapters.storage_clock.datetime", Off)
    monkeypatch.setattr("adapters.storage_clock.TOLERANCE", float("inf"))


async def test_a_missing_table_has_no_changes_and_is_made_by_the_first(account: AccountStorage) -> None:
    assert await account.audit.list_since(FIRST) == []
    await account.audit.remove_before(from_datetime(datetime.now(UTC)))
    for what in ("first", "second"):
        await account.audit.write(replace(ENTRY, what=what))
    found = await account.audit.list_since(FIRST)
    assert [replace(each, when=FIRST) for each in found] == [replace(ENTRY, what=what) for what in ("first", "second")]
    assert all(abs(each.when - from_datetime(datetime.now(UTC))) < 600_000_000 for each in found)
    assert await account.audit.list_since(Ticks(found[-1].when + 10_000)) == []


async def test_long_texts_are_cut(account: AccountStorage) -> None:
    await account.audit.write(replace(ENTRY, before="x" * 40_000))
    (found,) = await account.audit.list_since(FIRST)
    assert found.before == "x" * 2000


async def test_changes_are_deleted_after_400_days_and_those_of_other_accounts_stay(
    account: AccountStorage, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await account.audit.write(replace(ENTRY, what="new"))  # makes the table
    for days, name in ((-401, "old"), (-399, "young")):
        set_clock(monkeypatch, days)
        await account.audit.write(replace(ENTRY, what=name))
    set_clock(monkeypatch, -401)
    monkeypatch.setattr(account.audit, "_account", f"{storage.account}:x")  # begins like this account's name
    await account.audit.write(replace(ENTRY, what="other"))
    monkeypatch.setattr(account.audit, "_account", storage.account)
    set_clock(monkeypatch, 0)
    await clean_up(account)
    assert [each.what for each in await account.audit.list_since(FIRST)] == ["young", "new"]
    monkeypatch.setattr(account.audit, "_account", f"{storage.account}:x")
    assert [each.what for each in await account.audit.list_since(FIRST)] == ["other"]
