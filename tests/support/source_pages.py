"""Data sources for the console's pages, and how a test reads these."""

from lxml import html

from adapters.model.jobs import JobStatus
from tests.support.console import LiveConsole
from tests.support.storage import Storage
from tests.support.worker_desk import Desk, play, shops

PAGE_BYTES = 200_000
"""The most that a page has."""


def base(storage: Storage, name: str = "Shops") -> str:
    """The path of a data source's pages."""
    return f"/accounts/{storage.account}/sources/{name}"


def load_versions(storage: Storage) -> list[str]:
    """Loads an earlier, a published and a staged version of the data source Shops: the ids of their jobs."""
    jobs = list[str]()

    async def load(desk: Desk) -> None:
        for ids, operation in (("a", "complete"), ("bcd", "complete"), ("e", "completeStaging")):
            record = await desk.done(desk.load(shops(*ids), operation))
            assert record.status is JobStatus.COMPLETED
            jobs.append(record.row_key)

    play(storage, load)
    return jobs


def table(page: html.HtmlElement, label: str) -> list[list[str]]:
    """The cells of the table in the region of this label, blanks as one, without its head."""
    rows = page.xpath("//div[@aria-label=$label]//tbody/tr", label=label)
    return [[" ".join(cell.text_content().split()) for cell in row] for row in rows]


def links(page: html.HtmlElement, text: str) -> list[str]:
    """Where the links with this text lead to."""
    return [str(each.get("href")) for each in page.xpath("//a") if " ".join(each.text_content().split()) == text]


def problem(page: html.HtmlElement) -> str:
    """The one sentence about what is wrong."""
    (found,) = page.xpath("//*[@class='problem']")
    return " ".join(found.text_content().split())


def assert_small(console: LiveConsole, path: str) -> str:
    """The text of a page of a bounded size."""
    response = console.get(path)
    assert response.status_code == 200, response.text
    assert len(response.content) <= PAGE_BYTES
    return response.text
