"""The page of all data sources."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from adapters.account import AccountStorage
from adapters.blobs.store import VERSIONS
from adapters.errors import StorageError
from adapters.model.jobs import BlobPath
from adapters.model.ticks import Ticks
from adapters.tables.data_source_store import UnreadableRow
from proxy.console.context import Console, choose_account, console_of
from proxy.console.cut_texts import cut
from proxy.console.partial_reads import PartialReads
from proxy.console.paths import build_query, source_path
from proxy.console.rendering import render
from proxy.console.routing import page
from proxy.console.source_context import whole_number
from proxy.operations.source_usage import find_keys
from proxy.operations.source_views import SourceView, VersionState, list_source_rows

PAGE_ROWS = 150
MOST_KEYS = 4
_CELL_BYTES = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A line of the page: a data source, or what is wrong with its row."""

    account: str
    name: str
    problem: str = ""
    url: str = ""
    access_id: str = ""
    is_public: bool = False
    is_deleting: bool = False
    versions: str = ""
    entities: int | None = None
    size: int | None = None
    loaded: Ticks | None = None
    keys: Sequence[str] = ()
    more_keys: int = 0


async def show_sources(request: Request) -> Response:
    """The data sources of one account or of all, some hundred on a page."""
    console = console_of(request)
    account = choose_account(request).name if request.query_params.get("account") else ""
    text = request.query_params.get("text", "").strip()
    names = [account] if account else console.accounts.names
    reads = {name: PartialReads() for name in names}
    listings = await asyncio.gather(*(_list_account(console, name, own) for name, own in reads.items()))
    rows = [row for each in listings for row in each if text.lower() in row.name.lower()]
    skip = whole_number(request.query_params.get("skip"))
    given = {"account": account, "text": text}
    return render(
        request,
        "sources.html",
        account=account,
        with_account=len(names) > 1,
        text=text,
        rows=rows[skip : skip + PAGE_ROWS],
        found=len(rows),
        skip=skip,
        problems=[(name, what, error) for name, own in reads.items() for what, error in own.problems],
        before=f"/sources{build_query(given | {'skip': str(max(0, skip - PAGE_ROWS))})}" if skip else "",
        after=f"/sources{build_query(given | {'skip': str(skip + PAGE_ROWS)})}" if skip + PAGE_ROWS < len(rows) else "",
    )


async def _list_account(console: Console, name: str, reads: PartialReads) -> list[SourceRow]:
    """The rows of an account. Without its usage or its blobs, they say less."""
    try:
        account = console.accounts[name]
        views = await list_source_rows(account)
    except StorageError as error:
        reads.problems.append(("the data sources", error))
        return []
    sizes, keys = await asyncio.gather(
        reads.read("the sizes", account.blobs.list_sizes(VERSIONS, f"{name}/"), {}),
        reads.read("the usage of keys", find_keys(account), {}),
    )
    return [_row(account, view, sizes, keys) for view in views]


def _row(
    account: AccountStorage,
    view: SourceView | UnreadableRow,
    sizes: Mapping[BlobPath, int],
    keys: Mapping[str, tuple[str, ...]],
) -> SourceRow:
    if isinstance(view, UnreadableRow):
        return SourceRow(
            account=account.name, name=cut(view.row_key, _CELL_BYTES), problem=cut(view.reason, 3 * _CELL_BYTES)
        )
    source, published = view.source, view.of(VersionState.PUBLISHED)
    blobs = {each.version.blob for each in view.versions}
    users = keys.get(source.name.lower(), ())
    return SourceRow(
        account=account.name,
        name=cut(source.name, _CELL_BYTES),
        url=source_path(account.name, source.name),
        access_id=cut(source.access_id, _CELL_BYTES),
        is_public=source.is_public,
        is_deleting=source.deleting is not None,
        versions=_describe_versions(view),
        entities=None if published is None else published.entities,
        size=sum(sizes[blob] for blob in blobs if blob in sizes) if sizes else None,
        loaded=max((each.version.updated for each in view.versions), default=None),
        keys=[cut(each, _CELL_BYTES) for each in users[:MOST_KEYS]],
        more_keys=max(0, len(users) - MOST_KEYS),
    )


def _describe_versions(view: SourceView) -> str:
    """The versions in words, like `published, 2 earlier`."""
    states = [each.state for each in view.versions]
    earlier = states.count(VersionState.EARLIER)
    words = [state.value for state in (VersionState.PUBLISHED, VersionState.STAGED) if state in states]
    return ", ".join([*words, *([f"{earlier} earlier"] if earlier else [])])


ROUTES = (page("/sources", show_sources),)
