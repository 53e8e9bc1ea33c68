"""The entities of a data source: a page of them, one of them, and all as CSV."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from proxy.console.context import console_of
from proxy.console.cut_texts import cut
from proxy.console.entity_details import TABLE_BYTES, cut_value, read_entity
from proxy.console.errors import PageNotFoundError
from proxy.console.paths import SOURCE
from proxy.console.rendering import render
from proxy.console.routing import page
from proxy.console.source_context import open_source, whole_number
from proxy.operations.entity_queries import OpenedVersion, bind_query, end_after
from proxy.operations.entity_tables import EntityTable, find_page, stream_csv
from proxy.operations.errors import OperationError
from proxy.query.version_file import VersionFile

PAGE_ENTITIES = 50
USUAL_COLUMNS = 8
"""Without `$select`."""
MOST_COLUMNS = 20
QUERY_SECONDS = 20.0
CSV_SECONDS = 600.0
MOST_NAMES = 60
"""Of the columns that are left out."""

_CELL_BYTES = 400

PARAMETERS = ("$filter", "$orderby", "$select", "spatialFilter")


async def show_entities(request: Request) -> Response:
    """A page of the entities that a filter finds, in an order."""
    shown, opened = await open_source(request)
    given = _read_parameters(request)
    skip = whole_number(request.query_params.get("skip"))
    parameters = _lower(given) | {"$top": str(PAGE_ENTITIES), "$skip": str(skip), "$inlinecount": "allpages"}
    found, problem = EntityTable((), (), ()), ""
    try:
        found = await console_of(request).queries.use(opened, find_page(opened, parameters, end_after(QUERY_SECONDS)))
    except OperationError as error:
        problem = str(error)
    count = found.count or 0
    # The key is the link in front of each row.
    places = [place for place, name in enumerate(found.columns) if name != opened.schema.key]
    shown_places = places[: MOST_COLUMNS if given["$select"] else USUAL_COLUMNS]
    most = min(_CELL_BYTES, TABLE_BYTES // max(1, len(shown_places) * len(found.ids)))
    return render(
        request,
        "source_entities.html",
        shown=shown,
        given=given,
        problem=problem,
        key=cut(opened.schema.key, _CELL_BYTES),
        columns=[
            (cut(found.columns[place], _CELL_BYTES), _is_number(opened, found.columns[place])) for place in shown_places
        ],
        rows=[[cut_value(row[place], most) for place in shown_places] for row in found.rows],
        links=[shown.url("entity", {"id": id_}) for id_ in found.ids],
        ids=[cut(id_, _CELL_BYTES) for id_ in found.ids],
        left_out=[cut(found.columns[place], _CELL_BYTES) for place in places[len(shown_places) :]],
        most_names=MOST_NAMES,
        most_columns=MOST_COLUMNS,
        count=count,
        skip=skip,
        csv=shown.url("entities.csv", given),
        before=shown.url("entities", given | {"skip": str(max(0, skip - PAGE_ENTITIES))}) if skip else "",
        after=shown.url("entities", given | {"skip": str(skip + PAGE_ENTITIES)})
        if skip + PAGE_ENTITIES < count
        else "",
    )


async def show_entity(request: Request) -> Response:
    """One entity with all its properties."""
    shown, opened = await open_source(request)
    id_ = request.query_params.get("id", "")
    entity = await read_entity(console_of(request).queries, opened, id_)
    if entity is None:
        raise PageNotFoundError(f"The version has no entity {id_[:60]!r}.")
    return render(request, "source_entity.html", shown=shown, entity=entity, map_url=shown.url("map", {"entity": id_}))


async def download_csv(request: Request) -> Response:
    """All entities that a filter finds, in an order, as CSV."""
    shown, opened = await open_source(request)
    parameters = _lower(_read_parameters(request))

    def begin(file: VersionFile) -> Iterator[bytes]:
        parts = stream_csv(file, bind_query(opened, parameters), end_after(CSV_SECONDS))
        head = [next(parts)]
        with suppress(StopIteration):  # of no entities
            head.append(next(parts))
        return chain(head, parts)

    parts = await console_of(request).queries.use(opened, begin)

    async def send() -> AsyncIterator[bytes]:
        held = opened  # the file stays readable until the end
        while (part := await asyncio.to_thread(next, parts, None)) is not None:
            yield part
        del held

    name = quote(f"{shown.name}.csv", safe="", errors="replace")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return StreamingResponse(send(), media_type="text/csv; charset=utf-8", headers=headers)


def _read_parameters(request: Request) -> dict[str, str]:
    return {name: request.query_params.get(name, "").strip() for name in PARAMETERS}


def _lower(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in parameters.items()}


def _is_number(opened: OpenedVersion, name: str) -> bool:
    found = opened.schema.find(name)
    return found is not None and found.type in {"Int64", "Double"}


ROUTES = (
    page(f"{SOURCE}/entities", show_entities),
    page(f"{SOURCE}/entity", show_entity),
    page(f"{SOURCE}/entities.csv", download_csv),
)
