"""The worker sums usage by day: each request once, whatever other workers do and wherever one of them dies."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.errors import StorageError, StorageErrorCode
from adapters.tables.usage_store import UsageStore
from proxy.worker.usage_sweep import sweep_usage
from tests.support.storage import Storage, date
from tests.support.usage_table import usage_rows, write_usage_row
from tests.support.worker_desk import Desk

KEY, OTHER = "a" * 16, "b" * 16


def hour(hours: float) -> str:
    """The partition of an hour so long ago."""
    return f"{datetime.now(UTC) - timedelta(hours=hours):%Y%m%d%H}"


def sums(storage: Storage) -> dict[str, dict[str, list[int]]]:
    """The operations of each day and key."""
    days = [row for row in usage_rows(storage) if row["PartitionKey"].endswith(":day")]
    return {row["RowKey"]: json.loads(row["Operations"]) for row in days}


def hours(storage: Storage) -> list[str]:
    return [row["PartitionKey"][-10:] for row in usage_rows(storage) if not row["PartitionKey"].endswith(":day")]


async def test_old_hours_of_all_processes_become_one_row_of_the_day(desk: Desk, storage: Storage) -> None:
    old, young = hour(50), hour(47)
    write_usage_row(storage, old, f"{KEY}:one:1:a", {"job_list": [3, 1, 0, 0]}, KeyName="Old name", Sources='["A"]')
    write_usage_row(
        storage,
        old,
        f"{KEY}:two:2:b",
        {"job_list": [2, 0, 1, 0], "query_boundaries": [4, 0, 0, 4]},
        KeyName="Shop",
        First=date("2026-01-01T09:00:00Z"),
        Last=date("2026-01-01T10:59:00Z"),
        Sources='["B","A"]',
        Agents='["curl"]',
        Networks='["192.0.2.0/24"]',
    )
    write_usage_row(storage, old, f"{OTHER}:one:1:a")
    write_usage_row(storage, young, f"{KEY}:one:1:a")
    await sweep_usage(desk.account)
    await sweep_usage(desk.account)
    assert hours(storage) == [young]
    day = old[:8]
    assert sums(storage) == {
        f"{day}:{KEY}": {"job_list": [5, 1, 1, 0], "query_boundaries": [4, 0, 0, 4]},
        f"{day}:{OTHER}": {"job_list": [1, 0, 0, 0]},
    }
    row = next(row for row in usage_rows(storage) if row["RowKey"] == f"{day}:{KEY}")
    assert (row["KeyName"], json.loads(row["Sources"])) == ("Shop", ["A", "B"])
    assert (json.loads(row["Agents"]), json.loads(row["Networks"])) == (["curl"], ["192.0.2.0/24"])
    assert (f"{row['First']:%H:%M}", f"{row['Last']:%H:%M}") == ("09:00", "10:59")


async def test_workers_that_sum_at_once_count_each_hour_once(desk: Desk, storage: Storage) -> None:
    old = [hour(60), hour(61), hour(62)]
    for each in old:
        for process in ("one:1:a", "two:2:b"):
            write_usage_row(storage, each, f"{KEY}:{process}")
    await asyncio.gather(*(sweep_usage(desk.account) for _ in range(4)))
    found = sums(storage)
    assert hours(storage) == []
    assert sum(counts["job_list"][0] for counts in found.values()) == 6


@pytest.mark.parametrize("method", ["add_to_day", "remove"])
async def test_a_worker_that_dies_in_between_makes_nothing_count_twice(
    desk: Desk, storage: Storage, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    old = hour(55)
    for process in ("one:1:a", "two:2:b", "three:3:c"):
        write_usage_row(storage, old, f"{KEY}:{process}")
    work = getattr(UsageStore, method)

    async def die(store: UsageStore, *arguments: Any) -> None:
        if method == "remove":  # after the first of the rows
            arguments = (arguments[0][:1],)
        await work(store, *arguments)
        raise StorageError(StorageErrorCode.UNREACHABLE)

    with monkeypatch.context() as patched:
        patched.setattr(UsageStore, method, die)
        with pytest.raises(StorageError):
            await sweep_usage(desk.account)
    shown = [usage.totals[0] async for usage in desk.account.usage.iterate()]
    assert sum(shown) == 3  # `keys list --usage` counts it once too
    await sweep_usage(desk.account)
    assert (hours(storage), sums(storage)) == ([], {f"{old[:8]}:{KEY}": {"job_list": [3, 0, 0, 0]}})


async def test_a_worker_that_reads_what_another_is_deleting_adds_nothing(desk: Desk, storage: Storage) -> None:
    old, usage = hour(55), desk.account.usage
    for process in ("one:1:a", "two:2:b"):
        write_usage_row(storage, old, f"{KEY}:{process}")
    ((_, rows),) = [each async for each in usage.hours_before(desk.account.clock.now())]
    await usage.add_to_day(old, rows)
    await usage.add_to_day(old, rows[:1])
    await usage.remove(rows[:1])
    await usage.remove(rows)
    assert (hours(storage), sums(storage)) == ([], {f"{old[:8]}:{KEY}": {"job_list": [2, 0, 0, 0]}})


async def test_days_are_deleted_after_60_days_and_older_hours_with_them(desk: Desk, storage: Storage) -> None:
    kept, old = hour(59 * 24)[:8], hour(62 * 24)
    write_usage_row(storage, "day", f"{kept}:{KEY}")
    write_usage_row(storage, "day", f"{old[:8]}:{KEY}")
    write_usage_row(storage, old, f"{KEY}:one:1:a")
    await sweep_usage(desk.account)
    assert (hours(storage), list(sums(storage))) == ([], [f"{kept}:{KEY}"])


async def test_rows_of_other_accounts_and_programs_stay_and_broken_ones_go_uncounted(
    desk: Desk, storage: Storage
) -> None:
    old = hour(50)
    write_usage_row(storage, f"1:{old}", f"{KEY}:one:1:a")  # an account with a longer name
    write_usage_row(storage, "0", "of another program")
    write_usage_row(storage, old, f"{KEY}:one:1:a", Operations='{"job_list": [1, 2], "metadata": [2, 0, 0, 0], "x": 1')
    write_usage_row(storage, old, f"{KEY}:two:2:b", Operations='{"job_list": [1, 2], "metadata": [2, 0, 0, 0], "x": 1}')
    write_usage_row(storage, old, f"{KEY}:three:3:c", First="yesterday")
    write_usage_row(storage, old, "odd")
    await sweep_usage(desk.account)
    assert sums(storage) == {f"{old[:8]}:{KEY}": {"metadata": [2, 0, 0, 0]}}
    assert [row["PartitionKey"].removeprefix(storage.account) for row in usage_rows(storage)] == [
        ":0",
        f":1:{old}",
        ":day",
    ]


async def test_without_the_table_there_is_nothing_to_sum(desk: Desk) -> None:
    await sweep_usage(desk.account)
    assert [usage async for usage in desk.account.usage.iterate()] == []
