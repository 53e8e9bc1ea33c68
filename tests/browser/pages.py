"""The pages of the console that tests and screenshots look at. A new page is a new line."""

from dataclasses import dataclass
from typing import Literal

import pytest

from tests.support.console import LiveConsole
from tests.support.console_browser import Tab
from tests.support.console_samples import ConsoleSamples

SCREENSHOT = "console-{page}-{width}-{scheme}.png"
"""A screenshot's name in docs/images."""


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """A page.

    Args:
        name: its name in tests and screenshots.
        path: its path, with fields of ConsoleSamples in braces.
        title: its h1.
        console: the console that has it: one of this machine without a sign-in, or one that is closed without it.
        status: its status.
        is_documented: whether docs/console.md shows it.
    """

    name: str
    path: str
    title: str
    console: Literal["local", "closed"] = "local"
    status: int = 200
    is_documented: bool = True


_JOB = "/accounts/{account}/jobs/"
_SOURCE = "/accounts/{account}/sources/{source}"
_AREA = "area=nearby&latitude=28&longitude=-82.7&km=250"

PAGES = (
    ConsolePage("overview", "/", "Overview"),
    ConsolePage("jobs", "/jobs?account={account}", "Jobs"),
    ConsolePage("job", _JOB + "{completed}", "DataSourceComplete of {source}"),
    ConsolePage("job-aborted", _JOB + "{aborted}", "DataSourceComplete of {other_source}"),
    ConsolePage("sources", "/sources?account={account}", "Data sources"),
    ConsolePage("source", _SOURCE, "{source}"),
    ConsolePage("source-entities", _SOURCE + "/entities", "{source}"),
    ConsolePage("source-map", _SOURCE + "/map?" + _AREA, "{source}"),
    ConsolePage(
        "source-query",
        _SOURCE + "/query?$top=2&$select=EntityID,PrimaryCity&$format=json&" + _AREA,
        "{source}",
    ),
    ConsolePage("load", "/load", "Load a file"),
    ConsolePage("load-file", "{preview}", "Load {other_source}"),
    ConsolePage("keys", "/keys?account={account}", "Keys"),
    ConsolePage("key-add", "/keys/add?account={account}", "Add a key"),
    ConsolePage("check", "/check", "Check"),
    ConsolePage("reports", "/reports", "Reports"),
    ConsolePage("audit", "/audit?account={account}", "Audit"),
    ConsolePage("confirm", _JOB + "{aborted}/retry", "Try the job again"),
    ConsolePage("report", "/reports/{comparison}", "{comparison}"),
    ConsolePage("report-migrate", "/reports/{migration}", "{migration}"),
    ConsolePage("sign-in", "/sign-in", "Sign in", "closed"),
    ConsolePage("error", "/no-such-page", "This did not work", status=404),
    *(
        ConsolePage(name, path, title, is_documented=False)
        for name, path, title in (
            ("job-pending", _JOB + "{pending}", "DataSourceComplete of {other_source}"),
            ("abort", _JOB + "{pending}/abort", "End the job"),
            ("entity", _SOURCE + "/entity?id={entity}", "{source}"),
            ("map-entity", _SOURCE + "/map?entity={entity}", "{source}"),
            ("publish", _SOURCE + "/publish", "Publish {source}"),
            ("roll-back", _SOURCE + "/roll-back?version={earlier}", "Roll back {source}"),
            ("access", _SOURCE + "/access", "Make private {source}"),
            ("delete", _SOURCE + "/delete", "Delete {source}"),
            ("delete-staged", _SOURCE + "/delete-staged", "Delete the staged version of {source}"),
            ("revoke", "/accounts/{account}/keys/{key}/revoke", "Revoke a key"),
            ("findings", "/check/findings", "Check"),
            ("ask-maps", "/accounts/{account}/ask-maps", "Test Azure Maps"),
        )
    ),
)

DOCUMENTED = tuple(page for page in PAGES if page.is_documented)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
each_documented_page = pytest.mark.parametrize("page", DOCUMENTED, ids=lambda page: page.name)
"""One page of each kind."""


@dataclass(frozen=True, slots=True)
class Site:
    """The consoles of these tests, the account that they show, and the path of the page of a file that was sent."""

    samples: ConsoleSamples
    preview: str
    local: LiveConsole
    closed: LiveConsole
    read_only: LiveConsole
    token: str

    def url(self, page: ConsolePage, console: LiveConsole | None = None) -> str:
        """Where a page is, on its console or on another."""
        own = self.local if page.console == "local" else self.closed
        return (console or own).url + page.path.format_map(self.samples.fields | {"preview": self.preview})

    def open(self, page: ConsolePage, tab: Tab) -> None:
        """Opens a page, which must have its status and its h1."""
        tab.open(self.url(page), page.status)
        titles = tab.page.locator("h1").all_inner_texts()
        assert titles == [page.title.format_map(self.samples.fields)], titles
