"""How a query runs, from top to bottom: find by area, filter, count, order, take a page, show (query-api.md).

The entities are a version's file (proxy/query/conversion.py), open and shared by all threads. A query works on numbers
of rows: these are quick to filter and to order, and only the page's entities become values of Python.
"""

import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from proxy.query.areas import Area, BoundingBox, Intersects, Nearby, NearRoute, Point
from proxy.query.columns import KEY, Rows, locations, lower, take, text_column
from proxy.query.distance import Numbers, measure, measure_all
from proxy.query.filters import filter_first_rows, mask_rows
from proxy.query.points import find_in_box, find_near, widen
from proxy.query.query import Distance, Intersection, Member, Query
from proxy.query.result import Cell, Result, ResultColumn
from proxy.query.route import RouteLine, find_near_line
from proxy.query.schema import Property
from proxy.query.shapes import find_intersecting, intersect
from proxy.query.sorting import Positions, find_page, find_sorted_page, read_keys
from proxy.query.version_file import VersionFile

Check = Callable[[], None]
"""Is called each few milliseconds of long work. Ends it by an exception: at a deadline, or when no client waits any
more."""


def run_query(version: VersionFile, query: Query, check: Check, route: RouteLine | None = None) -> Result:
    """The page of entities that a query asks for.

    Args:
        version: the entities; those of the schema to which the query is bound.
        query: an address in it is geocoded already.
        check: see `Check`.
        route: the line of the route, where the area is near one.

    Returns:
        The page; of a query for one entity that there is not, an empty one.

    Raises:
        DamagedVersionError: the file was changed since it was written; fetch it anew and run again.
        QueryError: the shape of an `intersection(..)` is too entangled.
    """
    version.check()
    if query.entity_id is not None:
        found = _Found(_find_entity(version, query.entity_id))
        return _show(version, query, found, check)
    found = _find(version, query, route, check)
    count = len(found.rows) if query.is_counted else None
    check()
    page = found.pick(_find_page(version, query, found))
    return replace(_show(version, query, page, check), count=count)


def run_in_parts(version: VersionFile, query: Query, check: Check, rows: int) -> Iterator[Result]:
    """All entities that a query asks for, whatever its page, at most so many rows at a time.

    The numbers of all found rows are in memory, and the values of one part.

    Raises:
        DamagedVersionError, QueryError: as `run_query`.
    """
    version.check()
    query = replace(query, skip=0, top=max(version.rows, 1))
    found = _find(version, query, None, check)
    places = _find_page(version, query, found)
    for start in range(0, len(places), rows):
        version.check()
        yield _show(version, query, found.pick(places[start : start + rows]), check)


@dataclass(frozen=True, slots=True)
class _Found:
    """Entities on their way through a query.

    Args:
        rows: their numbers, in ascending order where there are no ranks.
        ranks: by which the default order goes before the id (section 2.6).
        origins: latitudes and longitudes from which each measures its distance, where the area has distances.
    """

    rows: Rows
    ranks: tuple[Numbers, ...] = ()
    origins: tuple[Numbers, Numbers] | None = None

    def pick(self, places: Positions) -> "_Found":
        """The entities at some places."""
        origins = None if self.origins is None else (self.origins[0][places], self.origins[1][places])
        return _Found(self.rows[places], tuple(rank[places] for rank in self.ranks), origins)

    def find_ends(self, version: VersionFile) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Latitudes and longitudes between which distances are: the origins, and the entities."""
        if self.origins is None:
            raise TypeError("the area has no distances")
        return *self.origins, *locations(version, self.rows)


def _find_entity(version: VersionFile, id_: str) -> Rows:
    """The entity with this id, else the first in the order of ids that has it in other letter case."""
    ids = version.column(KEY)
    row = bisect.bisect_left(range(len(ids)), id_, key=lambda row: ids[row].as_py())
    if row == len(ids) or ids[row].as_py() != id_:
        row = pc.index(text_column(version, KEY), pa.scalar(lower(id_), pa.string())).as_py()
    return np.array([row] if row >= 0 else [], np.int32)


def _find(version: VersionFile, query: Query, route: RouteLine | None, check: Check) -> _Found:
    """The entities that the query is for; where only the first in the default order are wanted, at least those."""
    if query.order or query.is_counted:
        return _filter(version, query, _find_in_area(version, query.area, route, check), check)
    wanted = query.skip + query.top
    if query.area is None and query.condition is not None:
        return _Found(filter_first_rows(version, query.condition, wanted, check))
    if isinstance(query.area, Intersects) and query.condition is None:
        return _Found(find_intersecting(version, query.area.shape, check, wanted))
    areas = widen(version, query.area) if isinstance(query.area, Nearby) else [query.area]
    for area in areas:
        found = _filter(version, query, _find_in_area(version, area, route, check), check)
        if len(found.rows) >= wanted:
            break
    return found


def _filter(version: VersionFile, query: Query, found: _Found, check: Check) -> _Found:
    if query.condition is None:
        return found
    rows = None if query.area is None else found.rows
    return found.pick(np.flatnonzero(mask_rows(version, query.condition, rows, check)))


def _find_in_area(version: VersionFile, area: Area | None, route: RouteLine | None, check: Check) -> _Found:
    match area:
        case None:
            return _Found(np.arange(version.rows, dtype=np.int32))
        case Nearby():
            near = find_near(version, area)
            return _Found(near.rows, (near.distances,), _from(area.center, near.rows))
        case BoundingBox():
            rows = find_in_box(version, area)
            return _Found(rows, (), _from(area.center, rows))
        case Intersects():
            return _Found(find_intersecting(version, area.shape, check))
        case NearRoute() if route is not None:
            line = find_near_line(version, route, check)
            return _Found(line.rows, (line.along, line.away), line.closest)
    raise TypeError(f"{type(area).__name__} has to be resolved before the query runs")


def _from(place: Point, rows: Rows) -> tuple[Numbers, Numbers]:
    """The same origin for all rows, in the memory of one."""
    return np.broadcast_to(place.latitude, len(rows)), np.broadcast_to(place.longitude, len(rows))


def _find_page(version: VersionFile, query: Query, found: _Found) -> Positions:
    if not query.order:
        return find_page(found.rows, found.ranks, query.skip, query.top)
    criteria = ((keys, each.is_descending) for each in query.order for keys in _read_keys(version, found, each.by))
    return find_sorted_page(criteria, found.rows, found.ranks, query.skip, query.top)


def _read_keys(version: VersionFile, found: _Found, by: Property | Distance) -> list[pa.Array]:
    if isinstance(by, Property):
        return read_keys(version, found.rows, by)
    return [pa.array(measure_all(*found.find_ends(version)))]


def _show(version: VersionFile, query: Query, page: _Found, check: Check) -> Result:
    columns = tuple(ResultColumn(member, _values(version, page, member, check)) for member in query.members)
    return Result(take(version.column(KEY), page.rows).to_pylist(), columns)


def _values(version: VersionFile, page: _Found, member: Member, check: Check) -> Sequence[Cell]:
    match member:
        case Distance():
            # As Python's numbers: the last digits are those of its `math`.
            ends = (numbers.tolist() for numbers in page.find_ends(version))
            return [measure(*place) for place in zip(*ends, strict=True)]
        case Intersection():
            return intersect(version, page.rows, member.shape, check)
        case _:
            values: list[Cell] = take(version.column(member.name), page.rows).to_pylist()
            return values
