"""Entities near a route (query-api.md, sections 1.3 and 2.6)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from proxy.query.columns import Rows, locations
from proxy.query.distance import EARTH_KM, Numbers, measure_all
from proxy.query.version_file import VersionFile

CORRIDOR_KM = 1.609344
"""One mile."""

_FULL_TURN, _HALF_TURN = 360.0, 180.0
_REACH = 2.0
"""Edges are looked at within so many corridors, so that the plane's small errors hide none."""
_LEAST_COSINE = 1e-3
"""At the poles a corridor has all longitudes."""
_ROUNDING = 1 + 1e-9
RUN_EDGES = 32
"""Edges of a line that are looked at together."""
_BLOCK_ENTITIES = 512
_BLOCK_EDGES = 2**18
"""Of one piece of work: some milliseconds, and a few megabytes."""

Indices = npt.NDArray[np.intp]
_Closest = tuple[Indices, Indices, Numbers, Numbers]
"""Entities, an edge of each, the closest point's place on it (0 to 1), and how far that is, in degrees of latitude."""
_NONE: _Closest = (np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0), np.zeros(0))


@dataclass(frozen=True, slots=True)
class RouteLine:
    """The points of a route from its start to its end; at least two."""

    latitudes: Numbers
    longitudes: Numbers


@dataclass(frozen=True, slots=True)
class NearLine:
    """Entities in the order of their rows.

    Args:
        rows: their numbers.
        along: kilometres from the route's start to the closest point of its line.
        away: kilometres from there to the entity.
        closest: latitudes and longitudes of these closest points.
    """

    rows: Rows
    along: Numbers
    away: Numbers
    closest: tuple[Numbers, Numbers]


def find_near_line(version: VersionFile, line: RouteLine, check: Callable[[], None]) -> NearLine:
    """The entities within a mile of a route. `check` is called between pieces of work, as in `engine.run_query`."""
    line = RouteLine(line.latitudes, np.unwrap(line.longitudes, period=_FULL_TURN))
    latitudes, longitudes = locations(version)
    pieces = list(_find_edges(latitudes, longitudes, line, check))
    found = _keep_closest(*(np.concatenate(parts) for parts in zip(*pieces, strict=True)))
    entities, edges, part, _ = found
    near_phi = line.latitudes[edges] + part * (line.latitudes[edges + 1] - line.latitudes[edges])
    near_lambda = line.longitudes[edges] + part * (line.longitudes[edges + 1] - line.longitudes[edges])
    away = measure_all(near_phi, near_lambda, latitudes[entities], longitudes[entities])
    lengths = measure_all(line.latitudes[:-1], line.longitudes[:-1], line.latitudes[1:], line.longitudes[1:])
    before = np.concatenate([[0.0], np.cumsum(lengths)])[edges]
    along = before + measure_all(line.latitudes[edges], line.longitudes[edges], near_phi, near_lambda)
    within = away <= CORRIDOR_KM
    closest = (near_phi[within], near_lambda[within])
    return NearLine(entities[within].astype(np.int32), np.round(along, 9)[within], away[within], closest)


def _find_edges(
    latitudes: Numbers, longitudes: Numbers, line: RouteLine, check: Callable[[], None]
) -> Iterator[_Closest]:
    """Entities that a route may be near to, each with an edge or more, one of which is its closest.

    A town of 100,000 entities and a route of 10,000 points make far more pairs than fit in memory. So runs of edges
    are compared first, by their boxes, and all work is done in blocks.
    """
    yield _NONE
    runs = _Runs(line)
    for places, shifted in _copy_near(latitudes, longitudes, runs):
        for start in range(0, len(places), _BLOCK_ENTITIES):
            block = slice(start, start + _BLOCK_ENTITIES)
            entities, x = places[block], shifted[block]
            y = latitudes[entities]
            pairs = runs.find_near(x, y)
            size = _BLOCK_EDGES // RUN_EDGES
            for first in range(0, len(pairs[0]), size):
                check()
                some, run = (each[first : first + size] for each in pairs)
                yield _measure_edges(entities[some], x[some], y[some], run, line)
            check()


class _Runs:
    """Edges of a line, some that follow each other together, by the boxes around them."""

    def __init__(self, line: RouteLine) -> None:
        edges = len(line.latitudes) - 1
        self._firsts = np.arange(0, edges, RUN_EDGES)
        self._line = line
        reach = np.degrees(_REACH * CORRIDOR_KM / EARTH_KM)
        farthest = np.abs(line.latitudes).max() + reach
        reach_x = min(_HALF_TURN, reach / max(_LEAST_COSINE, float(np.cos(np.radians(min(farthest, 90.0))))))
        # A run ends at the point that the next one begins with.
        self._south, self._north = self._bounds(line.latitudes)
        self._west, self._east = self._bounds(line.longitudes)
        wide = (self._west - reach_x, self._south - reach, self._east + reach_x, self._north + reach)
        self.west, self.south = wide[0].min(), wide[1].min()
        self.east, self.north = wide[2].max(), wide[3].max()
        self._tree = shapely.STRtree(shapely.box(*wide))

    def find_near(self, x: Numbers, y: Numbers) -> tuple[Indices, Indices]:
        """Numbers of points, and of the runs one of which has the edge closest to the point."""
        points, runs = self._tree.query(shapely.points(x, y))
        scale = np.cos(np.radians(y))[points]
        x, y = x[points], y[points]
        first = self._firsts[runs]
        farthest = np.hypot((self._line.longitudes[first] - x) * scale, self._line.latitudes[first] - y)
        least = np.full(points.max(initial=-1) + 1, np.inf)
        np.minimum.at(least, points, farthest)
        apart_x = np.maximum(0, np.maximum(self._west[runs] - x, x - self._east[runs])) * scale
        apart_y = np.maximum(0, np.maximum(self._south[runs] - y, y - self._north[runs]))
        kept = np.hypot(apart_x, apart_y) <= least[points] * _ROUNDING
        return points[kept], runs[kept]

    def _bounds(self, values: Numbers) -> tuple[Numbers, Numbers]:
        after = np.append(values[self._firsts[1:]], values[-1])
        lows = np.minimum(np.minimum.reduceat(values[:-1], self._firsts), after)
        highs = np.maximum(np.maximum.reduceat(values[:-1], self._firsts), after)
        return lows, highs


def _copy_near(latitudes: Numbers, longitudes: Numbers, runs: _Runs) -> Iterator[tuple[Indices, Numbers]]:
    """The entities in the box around all runs, and their longitudes there, which may be beyond a half turn."""
    inside = np.flatnonzero((latitudes >= runs.south) & (latitudes <= runs.north))
    first, last = (runs.west - _HALF_TURN) / _FULL_TURN, (runs.east + _HALF_TURN) / _FULL_TURN
    for turns in range(int(np.floor(first)), int(np.ceil(last)) + 1):
        shifted = longitudes[inside] + turns * _FULL_TURN
        some = (shifted >= runs.west) & (shifted <= runs.east)
        yield inside[some], shifted[some]


def _measure_edges(entities: Indices, x: Numbers, y: Numbers, runs: Indices, line: RouteLine) -> _Closest:
    """The closest edge of each entity among those of its runs, on a plane around the entity."""
    edges = (runs[:, None] * RUN_EDGES + np.arange(RUN_EDGES)).clip(max=len(line.latitudes) - 2)
    scale = np.cos(np.radians(y))[:, None]  # of what is east
    start_x = (line.longitudes[edges] - x[:, None]) * scale
    step_x = (line.longitudes[edges + 1] - line.longitudes[edges]) * scale
    start_y = line.latitudes[edges] - y[:, None]
    step_y = line.latitudes[edges + 1] - line.latitudes[edges]
    square = step_x**2 + step_y**2
    part = np.clip(-(start_x * step_x + start_y * step_y) / np.where(square > 0, square, 1), 0, 1)
    apart = np.hypot(start_x + part * step_x, start_y + part * step_y)
    best = np.arange(len(edges)), apart.argmin(axis=1)
    return _keep_closest(entities, edges[best], part[best], apart[best])


def _keep_closest(entities: Indices, edges: Indices, part: Numbers, apart: Numbers) -> _Closest:
    """The closest edge of each entity, the first of several."""
    best = np.lexsort((edges, apart, entities))
    best = best[np.unique(entities[best], return_index=True)[1]]
    return entities[best], edges[best], part[best], apart[best]
