"""The page of jobs: filters, pages, several accounts, rows that can't be read."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from lxml.html import HtmlElement, document_fromstring

import proxy.operations.job_pages
from adapters.model.job_ids import new_job_id
from adapters.model.ticks import parse_ticks
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.fault_proxy import Mode
from tests.support.live import wait_for
from tests.support.storage import Storage, ago, date
from tests.support.two_accounts import TwoAccounts

HOSTILE = "<script>alert('x')</script>{{ 7 * 7 }}\"&amp;\u202e"


def listed(page: HtmlElement) -> list[str]:
    """The ids of the jobs on a page, in its order."""
    return [str(title) for title in page.xpath("//tbody[@id='jobs']//a/@title")]


def target(page: HtmlElement, name: str) -> str:
    """The target of the link to another page of jobs; empty where there is none."""
    return "".join(page.xpath(f"//a[@id='{name}']/@href"))


def ids(console: LiveConsole, path: str) -> list[str]:
    """The ids of the jobs on the page of this path."""
    return listed(console.page(path))


def link(console: LiveConsole, path: str, name: str) -> str:
    """The target of a link on the page of this path."""
    return target(console.page(path), name)


def cells(console: LiveConsole, path: str) -> list[list[str]]:
    """The cells of the table, blanks as one."""
    rows = console.page(path).xpath("//tbody[@id='jobs']/tr")
    return [[" ".join(cell.text_content().split()) for cell in row] for row in rows]


def spread(storage: Storage, count: int) -> list[str]:
    """Writes so many jobs, each some minutes older than the last; gives their ids, the newest first."""
    return [storage.job(CreatedDate=ago(minutes=5 + 7 * number)) for number in range(count)]


def test_a_job_is_a_line_of_the_table(storage: Storage, console: LiveConsole) -> None:
    created = ago(hours=2)
    done = {"CompletedDate": date(ago(hours=1)), "DataSourceName": "Shops", "ErrorMessage": "It broke."}
    job_id = storage.job("DataSourceIncremental", "Aborted", CreatedDate=created, **done)
    shown = created[:19].replace("T", " ")
    short = f"{job_id[:8]}…{job_id[-4:]}"
    line = [shown, short, "Aborted", "DataSourceIncremental", "Shops", "60 min", "It broke."]
    assert cells(console, "/jobs") == [line]
    (target,) = console.page("/jobs").xpath("//tbody//a/@href")
    assert target == f"/accounts/{storage.account}/jobs/{job_id}"


def test_without_jobs_the_page_says_so(console: LiveConsole) -> None:
    assert "There are no jobs." in console.text("/jobs")
    assert "No job fits." in console.text("/jobs?status=Aborted")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"status": "Pending"}, "pending"),
        ({"status": "aborted"}, "failed"),
        ({"type": "Geocode"}, "geocode"),
        ({"source": "shops"}, "pending old"),
        ({"source": "Shop"}, ""),
        ({"text": "ADDRESSES"}, "geocode"),
        ({"text": "is empty"}, "failed"),
        ({"text": "bing-17"}, "old older"),
        ({"text": "hop"}, "pending old"),
        ({"since": "{3 days}"}, "pending failed geocode"),
        ({"until": "{3 days}"}, "old older"),
        ({"since": "{20 days}", "until": "{3 days}"}, "old"),
        ({"source": "Shops", "status": "Completed", "until": "{1 days}"}, "old"),
        ({"account": "{account}", "status": "Pending"}, "pending"),
    ],
    ids=str,
)
def test_filters_leave_the_jobs_that_fit_all_of_them(
    account: Storage, shared: tuple[LiveConsole, dict[str, str]], query: dict[str, str], wanted: str
) -> None:
    console, names = shared
    given = {
        name: ago(days=int(value[1:].split()[0]))[:16]
        if value.endswith(" days}")
        else value.format(account=account.account)
        for name, value in query.items()
    }
    assert {names[job_id] for job_id in ids(console, f"/jobs?{urlencode(given)}")} == set(wanted.split())


@pytest.fixture(scope="module")
def names(account: Storage) -> dict[str, str]:
    """The ids of some jobs, with a name for each."""
    named = {
        "pending": account.job(status="Pending", DataSourceName="Shops"),
        "failed": account.job(status="Failed", ErrorMessage="The data is empty."),
        "geocode": account.job("Geocode", Description="Addresses of May"),
        "old": account.job(DataSourceName="Shops", LegacyId="Bing-17a", CreatedDate=ago(days=10)),
        "older": account.job(LegacyId="Bing-17b", CreatedDate=ago(days=400)),
    }
    return {job_id: name for name, job_id in named.items()}


@pytest.fixture
def shared(account: Storage, names: dict[str, str], open_console: StartConsole) -> tuple[LiveConsole, dict[str, str]]:
    """A console in front of those jobs."""
    return open_console(account), names


def test_an_id_leads_to_its_job(storage: Storage, console: LiveConsole) -> None:
    job_id = storage.job(LegacyId="Old Id~1")
    storage.alias("alias:id:old id~1", job_id)
    broken = storage.job("Nope")
    for text, target in ((job_id.upper(), job_id), ("OLD ID~1", job_id), (broken, broken)):
        response = console.get(f"/jobs?{urlencode({'text': text})}")
        assert (response.status_code, response.headers["Location"]) == (
            303,
            f"/accounts/{storage.account}/jobs/{target}",
        )
    fragment = console.get(f"/jobs?text={job_id}", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.text.count(f'title="{job_id}"')) == (200, 1)


def test_pages_neither_skip_nor_repeat_jobs_while_others_are_created(storage: Storage, console: LiveConsole) -> None:
    written = spread(storage, 130)
    seen, older, places = list[str](), "/jobs", []
    while older:
        places.append(older)
        page = console.page(older)
        seen += listed(page)
        storage.job(CreatedDate=ago(seconds=1))  # the newest of all
        older = target(page, "older")
    assert (seen, len(places)) == (written, 3)
    page = console.page(places[-1])
    page = console.page(target(page, "newer"))
    assert listed(page) == written[50:100]
    page = console.page(target(page, "newer"))
    assert listed(page) == written[:50]
    newest = console.get(target(page, "newer"))
    assert (newest.status_code, newest.headers["Location"]) == (303, "/jobs")
    assert ids(console, "/jobs")[3:] == written[:47]


def test_pages_keep_the_filters(storage: Storage, console: LiveConsole) -> None:
    for number in range(120):
        storage.job(CreatedDate=ago(minutes=5 + number), status=("Completed", "Aborted")[number % 2])
    first = "/jobs?status=Aborted&until=" + ago(minutes=1)[:16]
    older = link(console, first, "older")
    assert (len(ids(console, first)), len(ids(console, older)), link(console, older, "older")) == (50, 10, "")
    newer = link(console, older, "newer")
    response = console.get(newer)
    assert response.status_code == 303
    assert ids(console, response.headers["Location"]) == ids(console, first)
    assert "Updates every" in console.text(first)
    assert "Updates every" not in console.text(older)


def test_the_newest_page_shows_what_has_changed_when_it_is_read_again(storage: Storage, console: LiveConsole) -> None:
    job_id = storage.job(status="Pending")
    (part,) = console.page("/jobs?status=").xpath("//*[@hx-get]")
    wanted = {"hx-get": "/jobs", "hx-trigger": "every 5s", "hx-target": "#jobs", "hx-select": "#jobs"}
    assert {name: part.get(name) for name in wanted} == wanted
    assert part.xpath(".//tbody[@id='jobs']")
    assert cells(console, "/jobs")[0][2] == "Pending"
    storage.row(job_id, Status="Completed")
    assert cells(console, part.get("hx-get"))[0][2] == "Completed"


def test_work_for_a_filter_is_bounded_and_the_page_says_so(
    storage: Storage, console: LiveConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = spread(storage, 20)
    last = storage.job(CreatedDate=ago(days=9), ErrorMessage="needle")
    monkeypatch.setattr(proxy.operations.job_pages, "MOST_LOOKED_AT", 8)
    path, pages = "/jobs?text=needle", 0
    while not ids(console, path):
        assert "looked at 8 jobs only" in console.text(path)
        pages += 1
        older = link(console, path, "older")
        path = older
    assert (ids(console, path), pages) == ([last], 2)
    assert "jobs only" not in console.text(path)
    newer = link(console, path, "newer")
    assert "looked at 8 jobs only" in console.text(newer)
    assert written[12] in link(console, newer, "newer")


def test_keys_that_are_no_ids_are_passed_in_both_directions(
    storage: Storage, console: LiveConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = spread(storage, 12)
    for job_id in written[3:9]:
        for key in (f"{job_id[:8]}-{job_id[8:]}", job_id.upper(), f"{job_id}x", job_id[:20], f"{job_id[:9]}zz"):
            storage.row(key, JobType="Geocode", Status="Completed", CreatedDate=date(ago(minutes=1)))
    monkeypatch.setattr(proxy.operations.job_pages, "MOST_LOOKED_AT", 4)
    seen, older, last = list[str](), "/jobs", ""
    while older:
        page = console.page(older)
        seen, older, last = seen + listed(page), target(page, "older"), older
    assert seen == written
    back, newer = listed(page), target(console.page(last), "newer")
    while newer and (response := console.get(newer)).status_code == 200:
        page = document_fromstring(response.text)
        back, newer = listed(page) + back, target(page, "newer")
    assert back == written[written.index(back[0]) :]
    assert len(back) >= 8


def test_jobs_of_several_accounts_are_merged_by_time(storage: Storage, open_console: StartConsole) -> None:
    other = replace(storage, account=f"{storage.account}-b")
    moments = [ago(minutes=5 + number) for number in range(120)]
    twin = new_job_id(parse_ticks(ago(minutes=54, seconds=30)))  # the 50th, in both
    wanted = [(storage, other)[at % 3 == 0].job(CreatedDate=moment) for at, moment in enumerate(moments)]
    wanted[49:49] = [storage.job(RowKey=twin), other.job(RowKey=twin)]
    console = open_console(
        storage, accounts={other.account: {"storage": {"connection_string": storage.connection_string}}}
    )
    seen, path = list[str](), "/jobs"
    while path:
        seen += ids(console, path)
        path = link(console, path, "older")
    assert seen == sorted(wanted, reverse=True)
    shown = cells(console, "/jobs")
    assert {line[3] for line in shown} == {storage.account, other.account}
    assert ids(console, f"/jobs?account={other.account}") == sorted(rows_of(other), reverse=True)
    assert console.get(f"/jobs?text={twin}").status_code == 200  # two jobs have it, so none is led to


def rows_of(storage: Storage) -> list[str]:
    """The keys of an account's rows."""
    found = storage.table.query_entities("PartitionKey eq @name", parameters={"name": storage.account})
    return [str(row["RowKey"]) for row in found]


@pytest.mark.parametrize(
    "mode", [Mode.REFUSE, Mode.FORBID, Mode.GARBLE, pytest.param(Mode.HANG, marks=pytest.mark.slow)], ids=str
)
def test_a_broken_account_is_a_line_and_hides_no_other(
    storage: Storage, open_console: StartConsole, mode: Mode
) -> None:
    with TwoAccounts.open(storage) as accounts:
        job_id = storage.job()
        timeout = {"storage_timeout": 1} if mode is Mode.HANG else {}
        console = open_console(storage, accounts=accounts.accounts, **timeout)
        wait_for(lambda: len(ids(console, "/jobs")) == 4)
        accounts.hop.mode = mode
        page = console.text("/jobs")
        assert f"The jobs of the account {accounts.sick.account} can't be read. Storage: " in page
        wait_for(lambda: ids(console, "/jobs") == [job_id])
        assert "can't be read" in console.text(f"/jobs?account={accounts.sick.account}")


def test_a_hanging_account_delays_the_others_for_a_bounded_time(
    storage: Storage, open_console: StartConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy.operations.job_pages, "ONE_OF_MANY_SECONDS", 0.5)
    with TwoAccounts.open(storage) as accounts:
        job_id = storage.job()
        console = open_console(storage, accounts=accounts.accounts, storage_timeout=60)  # longer than a page may take
        accounts.hop.mode = Mode.HANG
        wait_for(lambda: ids(console, "/jobs") == [job_id])
        assert "Storage: timeout: not read within 0.5 s" in console.text("/jobs")


def test_an_id_is_looked_for_in_the_accounts_that_answer(storage: Storage, open_console: StartConsole) -> None:
    with TwoAccounts.open(storage) as accounts:
        job_id = storage.job()
        console = open_console(storage, accounts=accounts.accounts)
        accounts.hop.mode = Mode.REFUSE
        assert console.get(f"/jobs?text={job_id}").status_code == 303
        assert "can't be read" in console.text(f"/jobs?text={accounts.finished}")


def test_a_missing_table_is_a_sentence(storage: Storage, open_console: StartConsole) -> None:
    console = open_console(storage, jobs_table="nothere")
    text = console.text("/jobs")
    assert f"The jobs of the account {storage.account} can't be read. Storage: no table" in text
    assert "What to do: create the table" in text


def test_rows_that_cannot_be_read_are_listed_or_counted(storage: Storage, console: LiveConsole) -> None:
    good, broken = storage.job(CreatedDate=ago(minutes=3)), storage.job("<b>Nope</b>", CreatedDate=ago(minutes=2))
    storage.row("0198-odd", JobType="Geocode", Status="Completed", CreatedDate=date(ago(minutes=1)))
    assert ids(console, "/jobs") == [broken, good]
    line = cells(console, "/jobs")[0]
    assert (line[0], line[2], line[6]) == (
        "unknown",
        "broken row",
        "The row can't be read: unknown JobType '<b>Nope</b>'.",
    )
    assert "1 broken row not shown" in console.text("/jobs")
    assert ids(console, "/jobs?status=Completed") == [good]
    assert "2 broken rows not shown" in console.text("/jobs?status=Completed")


def test_hostile_texts_are_shown_as_text(storage: Storage, console: LiveConsole) -> None:
    hostile = dict.fromkeys(("DataSourceName", "Description", "ErrorMessage", "LegacyId", "AccessId"), HOSTILE)
    storage.job(**hostile)
    storage.job(ErrorMessage="see https://x.example/?sig=c2lnbmF0dXJl " + "long " * 100)
    response = console.get("/jobs")
    assert "<script>alert" not in response.text
    assert "c2lnbmF0dXJl" not in response.text
    page = console.page("/jobs")
    assert not page.xpath("//script[not(@src)]")
    assert HOSTILE in page.text_content()
    assert max(len(cell) for line in cells(console, "/jobs") for cell in line) < 200
    searched = console.page(f"/jobs?{urlencode({'text': HOSTILE, 'source': HOSTILE})}")
    assert searched.xpath("//input[@name='text']/@value") == [HOSTILE]
    assert len(searched.xpath("//tbody[@id='jobs']//a")) == 1


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("status=Lost", "The status 'Lost' is unknown."),
        ("type=<b>", "The type '<b>' is unknown."),
        ("since=today&until=1", "Since: 'today' is no time."),
        ("before=..%2f", "The page begins before '../', which is no row's key."),
        ("after=%00", "The page begins after '\\x00', which is no row's key."),
    ],
)
def test_wrong_parameters_get_a_sentence(console: LiveConsole, query: str, sentence: str) -> None:
    response = console.get(f"/jobs?{query}")
    assert response.status_code == 400
    assert sentence.replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;") in response.text


@pytest.mark.parametrize(
    "query", ["text=%00", "text=%2F%5C%23%3F", "text=" + "x" * 3000, "source=%ff", "text=alias:id:x"]
)
def test_strange_texts_find_nothing(console: LiveConsole, query: str) -> None:
    assert "No job fits." in console.text(f"/jobs?{query}")


def test_an_unknown_account_is_no_page(console: LiveConsole) -> None:
    response = console.get("/jobs?account=other")
    assert (response.status_code, "no account of this name" in response.text) == (404, True)
