"""Reads of job rows by page, in both directions, whatever else is in the partition."""

import pytest

from adapters.account import AccountStorage
from adapters.model.job_ids import first_id_at, new_job_id
from adapters.model.jobs import JobRecord
from adapters.model.ticks import Ticks, parse_ticks
from adapters.tables.job_history import BATCH, BrokenJob, ListedJob
from benchmarks.rows import write_jobs
from tests.support.storage import Storage, ago, date

pytestmark = pytest.mark.anyio

FIRST = "0" * 32


async def newest(account: AccountStorage, first: str = FIRST, end: str | None = None) -> list[str]:
    return [job.row_key async for batch in account.jobs.iterate_newest(first, end) for job in batch]


async def oldest(account: AccountStorage, first: str = FIRST, end: str | None = None) -> list[str]:
    return [job.row_key async for batch in account.jobs.iterate_oldest(first, end) for job in batch]


async def test_both_directions_have_every_job_of_the_range_once(account: AccountStorage, storage: Storage) -> None:
    ids = sorted(
        [
            *(storage.job(CreatedDate=ago(days=days)) for days in (-300, -0.5, 0, 0.001, 0.5, 3, 700, 12_000)),
            *write_jobs(storage, BATCH + 50, newest_hours=100),
            storage.download("Shops"),
        ]
    )
    storage.alias("alias:id:old", ids[0])
    assert await oldest(account) == ids
    assert await newest(account) == ids[::-1]
    assert await newest(account, ids[3], ids[-3]) == ids[3:-3][::-1]
    assert await oldest(account, ids[3], ids[-3]) == ids[3:-3]
    assert await newest(account, ids[5], ids[5]) == []


async def test_an_account_without_jobs_has_none(account: AccountStorage) -> None:
    assert (await newest(account), await oldest(account)) == ([], [])


async def test_rows_that_are_no_jobs_are_described(account: AccountStorage, storage: Storage) -> None:
    good, bad = storage.job(CreatedDate=ago(hours=2)), storage.job("Nope")
    storage.row("0198-odd", JobType="Geocode", Status="Completed", CreatedDate=date(ago(hours=3)))
    found: list[ListedJob] = [job async for batch in account.jobs.iterate_newest(FIRST, None) for job in batch]
    assert [job.row_key for job in found] == [bad, good, "0198-odd"]
    broken = [(job.row_key, job.problem) for job in found if isinstance(job, BrokenJob)]
    assert broken == [(bad, "unknown JobType 'Nope'"), ("0198-odd", "RowKey is not a job id")]


async def test_a_list_has_the_whole_record_and_no_more(account: AccountStorage, storage: Storage) -> None:
    properties = {"DataSourceName": "Shops", "OutputBlob": "exports/x", "FailedBlob": "exports/y", "LegacyId": "Old"}
    job_id = storage.job(**properties, AccessId="a", Description="d", ErrorMessage="e", Work="{}", Unconfirmed=True)
    ((listed,), is_whole) = await account.jobs.list_between(FIRST, "f" * 32, 1)
    assert (listed, is_whole) == (await account.jobs.get(job_id), True)
    assert isinstance(listed, JobRecord)
    storage.job()
    assert [len(part) for part in [(await account.jobs.list_between(FIRST, "f" * 32, 1))[0]]] == [1]
    assert not (await account.jobs.list_between(FIRST, "f" * 32, 1))[1]


async def test_a_stored_row_is_given_whatever_it_holds(account: AccountStorage, storage: Storage) -> None:
    good, bad = storage.job(Work="{}", Odd="x"), storage.job("Nope", Odd="y")
    stored = await account.jobs.get_stored(good)
    assert stored is not None
    assert stored.held is not None
    assert (stored.row["Odd"], stored.held.record.row_key, stored.held.work, stored.problem) == ("x", good, "{}", "")
    broken = await account.jobs.get_stored(bad)
    assert broken is not None
    assert (broken.row["Odd"], broken.held, broken.problem) == ("y", None, "unknown JobType 'Nope'")
    for unknown in (new_job_id(parse_ticks(ago(days=1))), "alias:id:x", "x"):
        assert await account.jobs.get_stored(unknown) is None


async def test_an_id_is_found_in_each_form(account: AccountStorage, storage: Storage) -> None:
    job_id, broken = storage.job(LegacyId="Old"), storage.job("Nope")
    storage.alias("alias:id:old", job_id)
    storage.alias("alias:id:gone", first_id_at(Ticks(0)))
    storage.alias("alias:id:odd", "x")
    for text in (job_id, job_id.upper(), "OLD"):
        assert await account.jobs.find_id(text) == job_id
    assert await account.jobs.find_id(broken) == broken
    for text in ("gone", "odd", "none", "", "/", "x" * 3000, "\x00"):
        assert await account.jobs.find_id(text) is None
