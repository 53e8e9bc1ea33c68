"""The page of one data source: its versions, their schema, and what may be done with it."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from adapters.blobs.store import VERSIONS
from adapters.model.data_sources import DataSourceVersion
from adapters.model.jobs import BlobPath
from proxy.console.cut_texts import cut
from proxy.console.partial_reads import PartialReads
from proxy.console.paths import SOURCE, job_path, source_path
from proxy.console.rendering import render
from proxy.console.routing import page
from proxy.console.source_context import VERSION, SourcePage, source_of
from proxy.operations.source_usage import find_keys
from proxy.operations.source_views import VersionState, VersionView

MOST_PROPERTIES = 400
"""A load has at most 352; others' rows may have any number."""
MOST_KEYS = 50
_NAME_BYTES = 200


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A line of the table of versions. `size` is None where the blob is not there."""

    state: VersionState
    version: DataSourceVersion
    entity_type: str
    job_url: str
    schema_url: str
    size: int | None
    is_chosen: bool


async def show_source_page(request: Request) -> Response:
    """The versions of a data source, and the schema of one of them."""
    shown = await source_of(request)
    account, source = shown.account, shown.view.source
    reads = PartialReads()
    sizes, keys = await asyncio.gather(
        reads.read("the sizes", account.blobs.list_sizes(VERSIONS, f"{account.name}/{source.name.lower()}/"), {}),
        reads.read("the usage of keys", find_keys(account), None),
    )
    users = () if keys is None else keys.get(source.name.lower(), ())
    return render(
        request,
        "source.html",
        shown=shown,
        source=source,
        access_id=cut(source.access_id, _NAME_BYTES),
        rows=[_row(shown, each, sizes) for each in shown.view.versions],
        size=sum(sizes.get(each.version.blob, 0) for each in shown.view.versions) if sizes else None,
        schema=None if shown.chosen is None else _read_schema(shown.chosen.version),
        keys=[cut(each, _NAME_BYTES) for each in users[:MOST_KEYS]],
        is_usage_known=keys is not None,
        more_keys=max(0, len(users) - MOST_KEYS),
        problems=reads.problems,
        deleting_url=None if source.deleting is None else job_path(account.name, source.deleting),
        has_staged=shown.view.of(VersionState.STAGED) is not None,
    )


def _row(shown: SourcePage, each: VersionView, sizes: Mapping[BlobPath, int]) -> VersionRow:
    version, account = each.version, shown.account.name
    return VersionRow(
        each.state,
        version,
        cut(version.entity_type, _NAME_BYTES),
        job_path(account, version.job_id),
        f"{source_path(account, shown.name, '', {VERSION: version.job_id})}#schema",
        sizes.get(version.blob),
        shown.chosen is not None and version.job_id == shown.chosen.version.job_id,
    )


@dataclass(frozen=True, slots=True)
class SchemaTable:
    """The properties of an entity type, name and type, cut, and how many are left out."""

    key: str
    properties: tuple[tuple[str, str], ...]
    left_out: int


def _read_schema(version: DataSourceVersion) -> SchemaTable | None:
    """The schema of a version; None where others wrote one that can't be read."""
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        read = json.loads(version.schema)
        found = [
            (cut(str(name), _NAME_BYTES), cut(str(kind), _NAME_BYTES)) for name, kind in read["properties"].items()
        ]
        shown = tuple(found[:MOST_PROPERTIES])
        return SchemaTable(cut(str(read["key"]), _NAME_BYTES), shown, len(found) - len(shown))
    return None


ROUTES = (page(SOURCE, show_source_page),)
