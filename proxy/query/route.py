"""Entities near a route (query-api.md, sections 1.3 and 2.6)."""

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


def find_near_line(version: VersionFile, line: RouteLine) -> NearLine:
    """The entities within a mile of a route."""
    turned = np.unwrap(line.longitudes, period=_FULL_TURN)
    latitudes, longitudes = locations(version)
    entities, edges = _find_pairs(latitudes, longitudes, line.latitudes, turned)
    phi, from_phi, to_phi = latitudes[entities], line.latitudes[edges], line.latitudes[edges + 1]
    # A plane around the entity, with east scaled by the cosine of its latitude.
    scale = np.cos(np.radians(phi))
    start_x = _wrap(turned[edges] - longitudes[entities]) * scale
    step_x, step_y = (turned[edges + 1] - turned[edges]) * scale, to_phi - from_phi
    start_y = from_phi - phi
    square = step_x**2 + step_y**2
    part = -(start_x * step_x + start_y * step_y) / np.where(square > 0, square, 1)
    part = np.clip(part, 0, 1)
    apart = np.hypot(start_x + part * step_x, start_y + part * step_y)
    # The closest edge of each entity, the first of several.
    best = np.lexsort((edges, apart, entities))
    best = best[np.unique(entities[best], return_index=True)[1]]
    entities, edges, part = entities[best], edges[best], part[best]
    near_phi = line.latitudes[edges] + part * (line.latitudes[edges + 1] - line.latitudes[edges])
    near_lambda = turned[edges] + part * (turned[edges + 1] - turned[edges])
    away = measure_all(near_phi, near_lambda, latitudes[entities], longitudes[entities])
    lengths = measure_all(line.latitudes[:-1], turned[:-1], line.latitudes[1:], turned[1:])
    before = np.concatenate([[0.0], np.cumsum(lengths)])[edges]
    along = np.round(before + measure_all(line.latitudes[edges], turned[edges], near_phi, near_lambda), 9)
    within = away <= CORRIDOR_KM
    closest = (near_phi[within], near_lambda[within])
    return NearLine(entities[within].astype(np.int32), along[within], away[within], closest)


def _find_pairs(
    latitudes: Numbers, longitudes: Numbers, line_latitudes: Numbers, turned: Numbers
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Entities and edges of the line that may be near each other."""
    reach = np.degrees(_REACH * CORRIDOR_KM / EARTH_KM)
    farthest = np.abs(line_latitudes).max() + reach
    reach_x = min(_HALF_TURN, reach / max(_LEAST_COSINE, float(np.cos(np.radians(min(farthest, 90.0))))))
    edges_at = ((line_latitudes[:-1], line_latitudes[1:]), (turned[:-1], turned[1:]))
    lows, highs = ([pick(*ends) for ends in edges_at] for pick in (np.minimum, np.maximum))
    boxes = shapely.box(lows[1] - reach_x, lows[0] - reach, highs[1] + reach_x, highs[0] + reach)
    tree = shapely.STRtree(boxes)
    south, north = lows[0].min() - reach, highs[0].max() + reach
    west, east = lows[1].min() - reach_x, highs[1].max() + reach_x
    inside = np.flatnonzero((latitudes >= south) & (latitudes <= north))
    found: list[npt.NDArray[np.intp]] = [np.zeros((2, 0), np.intp)]
    for turns in range(
        int(np.floor((west - _HALF_TURN) / _FULL_TURN)), int(np.ceil((east + _HALF_TURN) / _FULL_TURN)) + 1
    ):
        shifted = longitudes[inside] + turns * _FULL_TURN
        some = (shifted >= west) & (shifted <= east)
        pairs = tree.query(shapely.points(shifted[some], latitudes[inside][some]))
        found.append(np.stack([inside[some][pairs[0]], pairs[1]]))
    entities, edges = np.unique(np.concatenate(found, axis=1), axis=1)
    return entities, edges


def _wrap(longitudes: Numbers) -> Numbers:
    """Differences of longitudes as the shorter way around."""
    wrapped: Numbers = (longitudes + _HALF_TURN) % _FULL_TURN - _HALF_TURN
    return wrapped
