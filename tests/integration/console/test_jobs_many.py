"""The page of jobs of an account with 5,000 jobs: what it reads follows the page, and not the history."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from adapters.tables.reader import Continuation, Page, TableReader
from benchmarks.rows import write_jobs
from tests.integration.console.conftest import StartConsole
from tests.support.console import LiveConsole
from tests.support.storage import Storage

pytestmark = pytest.mark.slow

JOBS = 5000
MINUTE = 1 / 60
"""In hours."""


@dataclass
class Reads:
    """The range reads of this process, with the number of rows of each."""

    rows: list[int] = field(default_factory=list)

    def of(self, ask: Callable[[], object]) -> tuple[int, int]:
        """The requests and rows of what is asked; prints them with the time and bytes."""
        self.rows.clear()
        started = time.perf_counter()
        ask()
        took = (time.perf_counter() - started) * 1000
        print(f"{took:.0f} ms, {len(self.rows)} requests, {sum(self.rows)} rows")  # noqa: T201 - the figure, with -s
        return len(self.rows), sum(self.rows)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """Counts range reads; the console is in this process."""
    found, real = Reads(), TableReader._page  # noqa: SLF001 - where every range read passes

    async def count(reader: TableReader, query: dict[str, str], after: Continuation) -> Page:
        page = await real(reader, query, after)
        found.rows.append(len(page[0]))
        return page

    monkeypatch.setattr(TableReader, "_page", count)
    return found


@pytest.fixture(scope="module")
def written(account: Storage) -> list[str]:
    """The ids of 5,000 jobs, one a minute, the newest first."""
    return write_jobs(account, JOBS, newest_hours=MINUTE, apart_hours=MINUTE)


@pytest.fixture
def many(account: Storage, written: list[str], open_console: StartConsole) -> LiveConsole:
    """A console in front of them, its connections open."""
    assert len(written) == JOBS
    console = open_console(account)
    console.get("/jobs")
    return console


def ids(console: LiveConsole, path: str) -> list[str]:
    return [str(title) for title in console.page(path).xpath("//tbody[@id='jobs']//a/@title")]


@pytest.mark.parametrize("first", [0, JOBS // 2, JOBS - 60], ids=["first", "middle", "last"])
def test_a_page_reads_no_more_than_a_few_pages_of_rows(
    many: LiveConsole, written: list[str], reads: Reads, first: int
) -> None:
    path = f"/jobs?before={written[first - 1]}" if first else "/jobs"
    assert ids(many, path) == written[first : first + 50]
    requests, rows = reads.of(lambda: many.get(path))
    assert (requests <= 8, rows <= 500) == (True, True), (requests, rows)
    assert len(many.get(path).content) < 200_000


def test_newer_pages_read_as_little(many: LiveConsole, written: list[str], reads: Reads) -> None:
    path = f"/jobs?after={written[2500]}"
    assert ids(many, path) == written[2450:2500]
    requests, rows = reads.of(lambda: many.get(path))
    assert (requests, rows <= 251) == (1, True)


@pytest.mark.parametrize("query", ["text=nowhere", "status=Aborted", "type=Geocode", "source=None"])
def test_filters_that_nothing_fits_look_at_a_bounded_number(many: LiveConsole, reads: Reads, query: str) -> None:
    requests, rows = reads.of(lambda: many.get(f"/jobs?{query}"))
    assert (requests <= 25, rows <= 4000) == (True, True), (requests, rows)
    assert "looked at 2,000 jobs only" in many.text(f"/jobs?{query}")


def test_times_long_ago_are_reached_at_once(many: LiveConsole, written: list[str], reads: Reads) -> None:
    with_time = many.page(f"/accounts/{many_account(many)}/jobs/{written[4500]}")
    when = with_time.xpath("//*[@id='timeline']//time/@datetime")[0][:16]
    path = f"/jobs?until={when}"
    assert written[4500] in ids(many, path)[:2]
    requests, rows = reads.of(lambda: many.get(path))
    assert (requests <= 8, rows <= 600) == (True, True), (requests, rows)


def many_account(console: LiveConsole) -> str:
    """The name of the console's account."""
    (target,) = console.page("/jobs").xpath("(//tbody[@id='jobs']//a/@href)[1]")
    return str(target).split("/")[2]


def test_a_burst_of_jobs_is_paged_too(storage: Storage, open_console: StartConsole, reads: Reads) -> None:
    burst = sorted(write_jobs(storage, 2000, newest_hours=24 * 30), reverse=True)
    console = open_console(storage)
    assert ids(console, "/jobs") == burst[:50]
    requests, rows = reads.of(lambda: console.get(f"/jobs?before={burst[1000]}"))
    assert ids(console, f"/jobs?before={burst[1000]}") == burst[1001:1051]
    assert (requests <= 20, rows <= 2000) == (True, True), (requests, rows)
