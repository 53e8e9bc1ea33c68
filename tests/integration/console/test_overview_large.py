"""The overview of an account with many jobs and keys, and open in many browsers."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.account import AccountStorage
from adapters.model.job_ids import new_job_id
from adapters.model.jobs import JobRecord, JobStatus, JobType
from adapters.model.ticks import PER_SECOND, Ticks
from adapters.model.usage import hour_of
from proxy.operations import job_counts, overview, usage_hours
from tests.integration.console.conftest import StartConsole
from tests.integration.console.test_overview import facts, set_up
from tests.support.console import LiveConsole
from tests.support.opened_account import run
from tests.support.storage import Storage
from tests.support.two_accounts import TwoAccounts
from tests.support.usage_table import write_usage_row

JOBS, MOST = 2400, 1500


@pytest.mark.slow
def test_jobs_are_counted_up_to_a_bound(
    storage: Storage, console: LiveConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_counts, "MOST_COUNTED", MOST)  # more than a page of rows
    set_up(storage)

    async def write(account: AccountStorage) -> None:
        now = account.clock.now()
        created = [Ticks(now - (20 + 5 * number) * PER_SECOND) for number in range(JOBS)]
        statuses = (JobStatus.PENDING, JobStatus.ABORTED, JobStatus.PENDING, JobStatus.COMPLETED)
        await account.jobs.upsert(
            [
                JobRecord(
                    row_key=new_job_id(moment), job_type=JobType.COMPLETE, status=statuses[number % 4], created=moment
                )
                for number, moment in enumerate(created)
            ]
        )

    run(storage, write)
    response = console.get("/")
    assert (response.status_code, len(response.content) < 200_000) == (200, True)
    found = facts(console)
    unfinished, oldest = found["Unfinished jobs"].split(" or more, ")
    aborted = found["Aborted in 24 hours"].removesuffix(" or more")
    assert int(unfinished.replace(",", "")) + int(aborted.replace(",", "")) == MOST
    assert oldest == "the oldest 3 h old"  # although the newest are left out


def test_more_keys_than_are_read_are_said(
    storage: Storage, console: LiveConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_hours, "MOST_ROWS", 3)
    set_up(storage)

    async def write(account: AccountStorage) -> None:
        for number in range(5):
            write_usage_row(storage, hour_of(account.clock.now()), f"{number:016x}:a", {"job_list": [1, 0, 0, 0]})

    run(storage, write)
    assert facts(console)["24 hours"] == "3 requests, 0 errors"
    assert "More keys are in use than are counted here." in console.text("/")


def test_pages_that_stay_open_read_each_part_once(
    storage: Storage, open_console: StartConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = overview.OverviewReader._part  # noqa: SLF001 - how long a part is fresh is its default
    monkeypatch.setattr(part, "__defaults__", (600.0, None))
    with TwoAccounts.open(storage) as two:
        console = open_console(two.sick, accounts=two.accounts)
        console.page("/")
        before = len(two.hop.asked)
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(lambda _: console.get("/").status_code, range(16))) == [200] * 16
        assert before > 0  # and parts that are fresh are not read again
        assert len(two.hop.asked) == before


def test_a_part_that_fails_by_a_bug_hides_no_other(
    storage: Storage, console: LiveConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(storage)

    async def fail(*_: object) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(overview, "count_jobs", fail)
    text = console.text("/")
    assert ("Jobs can't be read: the console failed." in text, "secret" in text) == (True, False)
    assert facts(console)["Queue"] == "0 messages"
