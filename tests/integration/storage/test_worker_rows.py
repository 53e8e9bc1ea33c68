"""Workers' signs of life: what one writes, another process reads, with its age by storage's own clock."""

from dataclasses import replace

import pytest

from adapters.account import AccountStorage
from adapters.model.ticks import PER_SECOND, Ticks, parse
from adapters.storage_clock import StorageClock
from adapters.tables.worker_rows import GONE_SECONDS, WorkerRow, live_workers, write_worker_row
from tests.support.opened_account import run
from tests.support.storage import Storage

ROW = WorkerRow("host:7:a1b2c3", parse("2026-01-02T03:04:05.0000006Z"), "0.1.0", ("0" * 32, "1" * 32))


def test_a_written_row_is_read_as_it_is_and_the_next_one_takes_its_place(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        for row in (ROW, replace(ROW, jobs=())):
            await write_worker_row(account, row)
            (found,) = await live_workers(account)
            assert replace(found, age=0.0) == row
            assert found.age < GONE_SECONDS

    run(storage, work)


def test_of_more_jobs_than_ten_the_first_are_told(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        await write_worker_row(account, replace(ROW, jobs=tuple(f"{number:032x}" for number in range(12))))
        (found,) = await live_workers(account)
        assert found.jobs == tuple(f"{number:032x}" for number in range(10))

    run(storage, work)


def test_a_row_is_not_among_the_account_s_jobs(storage: Storage) -> None:
    async def work(account: AccountStorage) -> None:
        await write_worker_row(account, ROW)
        assert [record async for record in account.jobs.all()] == []
        assert await account.jobs.created_since(Ticks(0)) == []

    run(storage, work)


@pytest.mark.parametrize(("seconds", "live"), [(-3600, 1), (50, 1), (70, 0)])
def test_a_row_s_age_is_told_by_storage_s_clock_and_ends_its_life_after_a_minute(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, seconds: int, live: int
) -> None:
    hear = StorageClock.observe

    def hear_later(clock: StorageClock, date: str | None) -> None:
        hear(clock, date)
        clock.told_at = Ticks((clock.told_at or 0) + seconds * PER_SECOND)

    async def work(account: AccountStorage) -> None:
        await write_worker_row(account, ROW)
        monkeypatch.setattr(StorageClock, "observe", hear_later)
        assert len(await live_workers(account)) == live
        assert (await account.workers.all())[0].age == pytest.approx(max(0, seconds), abs=5)

    run(storage, work)
