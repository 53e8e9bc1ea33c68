"""What the pages of one data source have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from starlette.requests import Request

from adapters.account import AccountStorage
from proxy.console.context import account_of, console_of
from proxy.console.errors import PageNotFoundError
from proxy.operations.entity_queries import EntityQueries, OpenedVersion
from proxy.operations.source_views import SourceMissingError, SourceView, VersionView, show_source

VERSION = "version"
"""The query parameter that names a version by the job that made it."""

TABS = (("", "Versions"), ("entities", "Entities"), ("map", "Map"), ("query", "Query"))

_LONGEST_SHOWN = 60
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class SourcePage:
    """A data source that a page shows.

    Args:
        account: its account.
        view: the data source with its versions.
        chosen: the version that the page is about; None where there is none.
        version: the query parameter that chose it, empty where none did.
        path_name: the name in the path, in any letter case.
    """

    account: AccountStorage
    view: SourceView
    chosen: VersionView | None
    version: str
    path_name: str

    @property
    def name(self) -> str:
        """The data source's name, as it is stored; as the path has it where others stored another one."""
        name = self.view.source.name
        return name if name.lower() == self.path_name.lower() else self.path_name

    def url(self, part: str = "", parameters: Mapping[str, str] | None = None) -> str:
        """The path of a part of this data source's pages, for the same version."""
        given = {VERSION: self.version} | dict(parameters or {})
        return source_url(self.account.name, self.name, part, given)

    @property
    def tabs(self) -> tuple[tuple[str, str], ...]:
        """The paths and names of the parts."""
        return tuple((self.url(part), name) for part, name in TABS)

    async def open(self, queries: EntityQueries) -> OpenedVersion:
        """Opens the chosen version.

        Raises:
            PageNotFoundError: there is none.
            OperationError: it can't be read.
        """
        if self.chosen is None:
            raise PageNotFoundError(f"The data source {self.name} has no version, so it has no entities.")
        return await queries.open_version(self.account, self.view.source, self.chosen.version)


def source_url(account: str, name: str, part: str = "", parameters: Mapping[str, str] | None = None) -> str:
    """The path of a data source's page; parameters without a value are left out."""
    there = quote(name, safe="", errors="replace")
    path = f"/accounts/{quote(account, safe='')}/sources/{there}{'/' if part else ''}{part}"
    return path + build_query(parameters or {})


def build_query(parameters: Mapping[str, str]) -> str:
    """The query of a URL with its question mark; parameters without a value are left out."""
    given = {name: value for name, value in parameters.items() if value}
    return f"?{urlencode(given, quote_via=quote, safe='$,', errors='replace')}" if given else ""


def whole_number(text: str | None) -> int:
    """A whole number of a query; 0 for what is none."""
    text = text or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


def job_url(account: str, job_id: str) -> str:
    """The path of a job's page."""
    return f"/accounts/{quote(account, safe='')}/jobs/{quote(job_id, safe='', errors='replace')}"


async def source_of(request: Request) -> SourcePage:
    """The data source that the path names, in any letter case, and the version that the query names.

    Raises:
        PageNotFoundError: there is no such account, data source or version.
        OperationError: the row can't be read.
        StorageError: storage can't answer.
    """
    account = account_of(request)
    name = request.path_params["name"]
    try:
        view = await show_source(account, name)
    except SourceMissingError:
        raise PageNotFoundError(
            f"The account {account.name} has no data source {name[:_LONGEST_SHOWN]!r}. It may have been deleted."
        ) from None
    version = request.query_params.get(VERSION, "").strip().lower()
    if not version:
        return SourcePage(account, view, next(iter(view.versions), None), "", name)
    chosen = view.find(version)
    if chosen is None:
        raise PageNotFoundError(
            f"The data source {view.source.name} has no version {version[:_LONGEST_SHOWN]!r}, or not any more. Its"
            " page lists the versions that it has."
        )
    return SourcePage(account, view, chosen, version, name)


async def open_source(request: Request) -> tuple[SourcePage, OpenedVersion]:
    """The same, with the version opened."""
    page = await source_of(request)
    return page, await page.open(console_of(request).queries)
