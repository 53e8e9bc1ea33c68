"""The page of how the accounts are."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.account import AccountStorage
from adapters.model.ticks import PER_SECOND, Ticks, parse_ticks
from adapters.model.usage import hour_of
from adapters.storage_clock import StorageClock
from adapters.tables.worker_rows import WorkerRow
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.fault_proxy import Hop, Mode
from tests.support.live import wait_for
from tests.support.opened_account import run
from tests.support.storage import BUSY_SECONDS, Storage, ago, date
from tests.support.two_accounts import TwoAccounts
from tests.support.usage_table import write_usage_row
from tests.support.written_keys import WrittenKeys

CALM = "All is well."


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def set_up(storage: Storage, *, workers: int = 1) -> None:
    """Creates all that loads need, with live workers."""

    async def work(account: AccountStorage) -> None:
        await account.create_missing()
        for number in range(workers):
            row = WorkerRow(f"host:{number}:abcdef", account.clock.now(), "1.0", ("0" * 32,))
            await account.workers.write(row)

    run(storage, work)


def problems(console: LiveConsole) -> list[str]:
    return [" ".join(each.text_content().split()) for each in console.page("/").xpath("//ul[@class='problems']/li")]


def facts(console: LiveConsole) -> dict[str, str]:
    pairs = console.page("/").xpath("//dl[@class='facts' or @class='counts']/div")
    return {pair[0].text_content(): " ".join(pair[1].text_content().split()) for pair in pairs}


@pytest.fixture
def _standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of storage stands, so that no hour ends within a test."""
    monkeypatch.setattr(StorageClock, "now", lambda _: parse_ticks("2026-05-04T09:30:00Z"))


@pytest.mark.usefixtures("_standing_clock")
def test_an_account_without_problems_is_calm(storage: Storage, console: LiveConsole) -> None:
    set_up(storage)
    assert (CALM in console.text("/"), problems(console)) == (True, [])
    assert facts(console) == {
        "Workers": "1 alive host:0:abcdef seen 0 s ago, runs 1 job",
        "Queue": "0 messages",
        "Unfinished jobs": "none",
        "Aborted in 24 hours": "none",
        "Keys near their end": "none",
        "Since 09:00 UTC": "0 requests, 0 errors",
        "The hour before": "0 requests, 0 errors",
        "24 hours": "0 requests, 0 errors",
        "Asked for, not served": "nothing",
    }


def test_the_page_renews_itself_and_says_when_it_does_not(storage: Storage, console: LiveConsole) -> None:
    set_up(storage)
    (live,) = console.page("/").xpath("//*[@id='overview']")
    assert {name: live.get(name) for name in ("hx-get", "hx-trigger", "hx-select", "hx-swap")} == {
        "hx-get": "/",
        "hx-trigger": "every 10s",
        "hx-select": "#overview",
        "hx-swap": "outerHTML",
    }
    assert live.xpath(".//*[contains(@class, 'stale')]/a/@href") == ["/"]


def test_jobs_that_need_an_eye_are_counted(storage: Storage, console: LiveConsole) -> None:
    set_up(storage)
    storage.job(status="Pending", CreatedDate=ago(hours=5))
    storage.job(status="InProgress")  # another program's word
    storage.job(status="Pending", CreatedDate=ago(days=40))  # older than the list of jobs reaches
    storage.job(status="Aborted")
    storage.job(status="failed")
    storage.job(status="Aborted", CreatedDate=ago(days=3), CompletedDate=date(ago(hours=2)))
    storage.job(status="Aborted", CreatedDate=ago(days=3), CompletedDate=date(ago(hours=30)))
    storage.job()
    storage.row("0199" * 8, JobType="DataSourceComplete", Status="Pending")  # without a time
    storage.job(status="succeeded", CompletedDate=date(ago(hours=1)))
    found = facts(console)
    assert (found["Unfinished jobs"], found["Aborted in 24 hours"]) == ("2, the oldest 5 h old", "3")
    oldest, aborted = sorted(problems(console), reverse=True)
    assert oldest.startswith("The oldest unfinished job is 5 h old. Open the job")
    assert aborted.startswith("3 jobs were aborted in the last 24 hours. Each job shows why")
    (link,) = console.page("/").xpath("//a[starts-with(@id, 'aborted-')]/@href")
    query = parse_qs(urlsplit(link).query)
    assert (urlsplit(link).path, query["account"], query["status"]) == ("/jobs", [storage.account], ["Aborted"])
    since = datetime.fromisoformat(query["since"][0])
    assert timedelta(days=2, hours=23) < datetime.now(UTC) - since < timedelta(days=3, minutes=10)


def test_no_worker_is_worse_while_jobs_wait(storage: Storage, console: LiveConsole, open_console: StartConsole) -> None:
    set_up(storage, workers=0)
    assert problems(console)[0].startswith("No worker is alive. A load would wait. Start one: python -m proxy worker.")
    storage.job(status="Pending")
    again = open_console(storage)
    assert problems(again)[0].startswith("No worker is alive, and jobs are waiting. Start one")
    assert "broken" in again.text("/")


def test_parts_of_storage_that_are_missing_are_named(console: LiveConsole) -> None:
    text = " ".join(problems(console))
    assert "Loads need queue: not there; serve creates it if it may." in text
    assert facts(console)["Queue"] == "0 messages"


@pytest.mark.usefixtures("_standing_clock")
def test_usage_is_shown_by_hour(storage: Storage, console: LiveConsole) -> None:
    set_up(storage)

    async def write(account: AccountStorage) -> None:
        now = account.clock.now()
        hours = [hour_of(Ticks(now - back * 3600 * PER_SECOND)) for back in (0, 1, 24)]
        for hour, operations in zip(
            hours,
            ({"job_list": [5, 1, 0, 0]}, {"job_list": [7, 2, 3, 0], "<b>": [2, 0, 0, 2]}, {"job_list": [99, 9, 9, 9]}),
            strict=True,
        ):
            for process in ("a", "b"):
                write_usage_row(storage, hour, f"{'ab' * 8}:{process}", operations)
        write_usage_row(storage, hours[0], "not-ours", {"job_list": [1000, 0, 0, 0]})

    run(storage, write)
    found = facts(console)
    assert list(found.values())[-4:] == [
        "10 requests, 2 errors",
        "18 requests, 4 errors",
        "28 requests, 6 errors, 6 refused",
        "<b> 4",
    ]
    page = console.page("/")
    assert [len(page.xpath(f"//svg/path[@class='{name}']/@d")[0].split("M")) - 1 for name in ("bars", "errors")] == [
        2,
        2,
    ]
    assert page.xpath("//svg/@role") == ["img"]


def test_usage_that_is_off_is_said(storage: Storage, open_console: StartConsole) -> None:
    set_up(storage)
    assert "Not counted: PROXY_USAGE is off." in open_console(storage, usage="off").text("/")


@pytest.mark.parametrize("days", [20.1, 3.1, -2.1])
def test_keys_of_the_ring_that_end_soon_are_named(storage: Storage, open_console: StartConsole, days: float) -> None:
    set_up(storage)
    account = storage.account
    console = open_console(
        storage,
        keys={
            "a-key-1": {"account": account, "name": "<i>finder", "expires": in_days(days)},
            "a-key-2": {"account": account, "expires": in_days(29)},
            "a-key-3": {"account": account, "name": "late", "expires": in_days(40)},
            "a-key-4": {"account": account, "name": "gone", "expires": in_days(-10)},
        },
    )
    (problem,) = problems(console)
    when = "ended 2 days ago" if days < 0 else f"ends in {days:.0f} days"
    assert problem.startswith(f"The key <i>finder {when}, and 1 more ends soon. After its end the server refuses it.")
    assert facts(console)["Keys near their end"].count("ends") == (1 if days < 0 else 2)


def test_keys_of_the_key_store_that_end_soon_are_named(storage: Storage, open_console: StartConsole) -> None:
    set_up(storage)
    with WrittenKeys.open(storage.connection_string) as keys:
        for name, days in (("finder", 3.1), ("late", 60), ("gone", -10)):
            keys.write(f"key-{name}", Account=storage.account, Name=name, ExpiresAt=date(in_days(days)))
        keys.write(
            "k", Account=storage.account, Name="revoked", ExpiresAt=date(in_days(2)), RevokedAt=date(ago(days=1))
        )
        keys.write("l", Account="other", Name="of another", ExpiresAt=date(in_days(2)))
        store = {"connection_string": storage.connection_string}
        console = open_console(storage, key_store=store, keys_table=keys.name)
        (problem,) = problems(console)
    assert problem.startswith("The key finder ends in 3 days.")


def test_a_key_store_that_is_away_is_said(storage: Storage, open_console: StartConsole) -> None:
    set_up(storage)
    with Hop.before(storage) as hop:
        hop.mode = Mode.HANG
        console = open_console(storage, key_store={"connection_string": hop.connection_string}, storage_timeout=1)
        # The account's own parts answer within that second unless the machine stalls.
        wait_for(lambda: [each.partition(":")[0] for each in problems(console)] == ["Keys can't be read"])
        assert facts(console)["Keys near their end"] == "not known"


def test_a_maps_that_can_not_be_asked_is_said(storage: Storage, open_console: StartConsole) -> None:
    set_up(storage)
    entry = {
        "storage": {"connection_string": storage.connection_string},
        "maps": {"subscription_key_env": "NO_SUCH_VARIABLE"},
    }
    (problem,) = problems(open_console(storage, accounts={storage.account: entry}))
    assert problem.startswith("Maps can't be read: ")
    assert "NO_SUCH_VARIABLE" in problem


@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.FORBID, pytest.param(Mode.HANG, marks=pytest.mark.slow)])
def test_a_broken_account_comes_first_and_hides_no_other(
    storage: Storage, open_console: StartConsole, mode: Mode
) -> None:
    with TwoAccounts.open(storage) as two:
        set_up(storage)
        seconds = 2 if mode is Mode.HANG else BUSY_SECONDS
        accounts = two.accounts | {"closed": {"storage": {"connection_string": "AccountName=x"}}}
        console = open_console(storage, accounts=accounts, storage_timeout=seconds)
        two.hop.mode = mode
        wait_for(lambda: "Unfinished jobs none" in console.text("/"))  # of the account that is well
        page = console.page("/")
        sections = [" ".join(each.xpath(".//text()")) for each in page.xpath("//section")]
        sections = [" ".join(text.split()) for text in sections]
        assert [text.split()[0] for text in sections] == ["closed", two.sick.account, two.well.account]
        assert "The account can't be opened: credential" in sections[0]
        assert "can't be read: " in sections[1]
        assert "Aborted in 24 hours not known" in sections[1]
        assert "Unfinished jobs none" in sections[2]
        assert "2 of 3 accounts need attention." in console.text("/")
        two.hop.mode = Mode.WELL
        wait_for(lambda: "Unfinished jobs 1, the oldest" in console.text("/"))
