"""The map of a data source's entities, with an area drawn on it."""

from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from proxy.console.area_form import PARAMETER, AreaForm
from proxy.console.area_outlines import AreaDrawing, draw, fit, outline
from proxy.console.context import console_of
from proxy.console.entity_details import EntityDetail, read_entity
from proxy.console.map_drawing import HEIGHT, WIDTH, draw_lines, draw_marks, draw_outlines
from proxy.console.paths import SOURCE, build_query
from proxy.console.rendering import render
from proxy.console.routing import page
from proxy.console.source_context import SourcePage, open_source
from proxy.operations.entity_clusters import Cluster, EntityMap, map_entities
from proxy.operations.entity_queries import BILLED, EntityQueries, OpenedVersion, end_after
from proxy.operations.entity_tables import find_page
from proxy.operations.errors import OperationError
from proxy.operations.map_viewports import CLOSE_ZOOM, FULL_TURN, HALF_TURN, QUARTER_TURN, Viewport
from proxy.query.areas import BoundingBox, Intersects, Nearby, ResolvedArea

LONGEST_IN_LINKS = 300
"""Characters of an area in a URL. Some 200 links have it, and a page has 200 KB."""

QUERY_SECONDS = 20.0
_MARGIN = 1e-9
"""Degrees by which the box of a list is wider, so that rounding loses none."""


@dataclass(frozen=True, slots=True)
class _ShownArea:
    """An area of the form: what it is, or what is wrong with it, and how many entities are in it."""

    area: ResolvedArea | None = None
    problem: str = ""
    count: int = 0


async def show_map(request: Request) -> Response:
    """The entities around a place, in clusters; without one, all of them."""
    shown, opened = await open_source(request)
    queries, given = console_of(request).queries, request.query_params
    form = AreaForm.read(given)
    area = await _read_area(queries, opened, form)
    id_ = given.get("entity", "")
    entity = await read_entity(queries, opened, id_) if id_ else None
    shape = None if area.area is None else outline(area.area)
    viewport = Viewport.parse(given.get("at", "")) or _choose(entity) or (None if shape is None else fit(shape))
    found = await queries.use(opened, map_entities(viewport))
    is_long = len(quote(form.spatial_filter)) > LONGEST_IN_LINKS
    links = _Links(shown, "" if is_long or area.problem else form.spatial_filter)
    return render(
        request,
        "source_map.html",
        shown=shown,
        form=form,
        area=area,
        entity=entity,
        is_entity_missing=bool(id_) and entity is None,
        found=found,
        width=WIDTH,
        height=HEIGHT,
        outlines=draw_outlines(found.viewport),
        lines=draw_lines(found.viewport),
        drawing=AreaDrawing("") if shape is None else draw(shape, found.viewport, WIDTH),
        marks=draw_marks(found, lambda each: links.of(each, found)),
        spot=_place(entity, found.viewport),
        moves=links.moves(found.viewport),
        is_area_dropped=is_long and not area.problem,
        query_url=shown.url("query", form.parameters),
        entity_url=shown.url("entity", {"id": id_}),
    )


@dataclass(frozen=True, slots=True)
class _Links:
    """The links of a map. Those to itself are relative, since there are many."""

    shown: SourcePage
    spatial_filter: str

    def to(self, viewport: Viewport | None, entity: str = "") -> str:
        """The map of another viewport."""
        at = "" if viewport is None else str(viewport)
        given = {"version": self.shown.version, "at": at, PARAMETER: self.spatial_filter, "entity": entity}
        return build_query(given) or "?"

    def of(self, cluster: Cluster, found: EntityMap) -> str:
        """What a cluster leads to: its entity, a closer map, or the list of its entities."""
        if cluster.id is not None:
            return self.to(found.viewport, cluster.id)
        closer = cluster.closer(found.viewport)
        return self.to_list(cluster) if closer is None else self.to(closer)

    def to_list(self, cluster: Cluster) -> str:
        """The table of a cluster's entities."""
        south, north = cluster.south - _MARGIN, cluster.north + _MARGIN
        west, east = (
            (each + HALF_TURN) % FULL_TURN - HALF_TURN for each in (cluster.west - _MARGIN, cluster.east + _MARGIN)
        )
        box = f"bbox({max(south, -QUARTER_TURN):.9f},{west:.9f},{min(north, QUARTER_TURN):.9f},{east:.9f})"
        return self.shown.url("entities", {PARAMETER: box})

    def moves(self, viewport: Viewport) -> list[tuple[str, str]]:
        """The links that move the map, with their words; without those that would not move it."""
        moves = (
            ("Zoom in", viewport.zoom_by(1)),
            ("Zoom out", viewport.zoom_by(-1)),
            ("North", viewport.move(0, 0.5)),
            ("South", viewport.move(0, -0.5)),
            ("West", viewport.move(-0.5, 0)),
            ("East", viewport.move(0.5, 0)),
        )
        return [("All", self.to(None)), *((word, self.to(to)) for word, to in moves if to != viewport)]


async def _read_area(queries: EntityQueries, opened: OpenedVersion, form: AreaForm) -> _ShownArea:
    try:
        area = form.parse()
        if area is None:
            return _ShownArea()
        if not isinstance(area, Nearby | BoundingBox | Intersects):
            return _ShownArea(problem=BILLED)
        parameters = {
            PARAMETER.lower(): form.spatial_filter,
            "$select": opened.schema.key,
            "$top": "1",
            "$inlinecount": "allpages",
        }
        found = await queries.use(opened, find_page(opened, parameters, end_after(QUERY_SECONDS)))
        return _ShownArea(area, count=found.count or 0)
    except OperationError as error:
        return _ShownArea(problem=str(error))


def _choose(entity: EntityDetail | None) -> Viewport | None:
    if entity is None or entity.place is None:
        return None
    return Viewport.at(*entity.place, CLOSE_ZOOM)


def _place(entity: EntityDetail | None, shown: Viewport) -> tuple[float, float] | None:
    """Where the chosen entity is on the map; None where it is not on it."""
    if entity is None or entity.place is None:
        return None
    latitude, longitude = entity.place
    right, down = (longitude - shown.west) % FULL_TURN, shown.north - latitude
    is_shown = right <= shown.width and 0 <= down <= shown.height
    return (right * WIDTH / shown.width, down * WIDTH / shown.width) if is_shown else None


ROUTES = (page(f"{SOURCE}/map", show_map),)
