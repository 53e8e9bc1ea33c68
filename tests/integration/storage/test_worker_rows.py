"""Heartbeats of workers, with their age by storage's own clock."""

import time
from dataclasses import replace

import pytest

from adapters.account import AccountStorage
from adapters.model.ticks import PER_SECOND, Ticks, parse_ticks
from adapters.storage_clock import StorageClock
from adapters.tables.worker_rows import LIVE_SECONDS, WorkerRow

pytestmark = pytest.mark.anyio

ROW = WorkerRow("host:7:a1b2c3", parse_ticks("2026-01-02T03:04:05.0000006Z"), "0.1.0", ("0" * 32, "1" * 32))


async def test_written_row_is_read_and_replaced(account: AccountStorage) -> None:
    for row in (ROW, replace(ROW, jobs=())):
        await account.workers.write(row)
        (found,) = await account.workers.list_live()
        assert replace(found, age=0.0) == row
        assert found.age < LIVE_SECONDS


async def test_row_holds_ten_jobs_at_most(account: AccountStorage) -> None:
    await account.workers.write(replace(ROW, jobs=tuple(f"{number:032x}" for number in range(12))))
    (found,) = await account.workers.list_live()
    assert found.jobs == tuple(f"{number:032x}" for number in range(10))


async def test_row_is_not_among_the_jobs(account: AccountStorage) -> None:
    await account.workers.write(ROW)
    assert [record async for record in account.jobs.iterate()] == []
    assert await account.jobs.list_created_since(Ticks(0)) == []


@pytest.mark.parametrize(("seconds", "live"), [(-3600, 1), (30, 1), (70, 0)])
async def test_row_is_live_for_a_minute_by_the_clock_of_storage(
    account: AccountStorage, monkeypatch: pytest.MonkeyPatch, seconds: int, live: int
) -> None:
    observe = StorageClock.observe

    def observe_later(clock: StorageClock, date: str | None) -> None:
        observe(clock, date)
        clock.last_date = Ticks((clock.last_date or 0) + seconds * PER_SECOND)

    began = time.monotonic()
    await account.workers.write(ROW)
    monkeypatch.setattr(StorageClock, "observe", observe_later)
    assert len(await account.workers.list_live()) == live
    (found,) = await account.workers.list_all()
    # Storage says whole seconds.
    assert max(0, seconds) - 1 <= found.age <= max(0, seconds) + time.monotonic() - began + 1
