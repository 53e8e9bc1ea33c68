"""Clusters of a version's entities for a map: those of each cell of a grid over what the map shows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from proxy.operations.map_viewports import FULL_TURN, HALF_TURN, MAX_ZOOM, QUARTER_TURN, Viewport
from proxy.query.columns import KEY, locations
from proxy.query.distance import Numbers
from proxy.query.version_file import VersionFile

COLUMNS, ROWS = 12, 6
"""Cells of the grid; they are squares."""

_BINS = 360


@dataclass(frozen=True, slots=True)
class Cluster:
    """The entities of one cell.

    Args:
        count: how many.
        column, row: of the cell, from the upper left one.
        latitude, longitude: their middle; the longitude counts on from the left side, so it may be beyond 180.
        south, west, north, east: the box around them.
        id: of an entity that is alone in its cell.
    """

    count: int
    column: int
    row: int
    latitude: float
    longitude: float
    south: float
    west: float
    north: float
    east: float
    id: str | None = field(default=None, kw_only=True)

    def closer(self, shown: Viewport) -> Viewport | None:
        """What to show to see more of it; None where no map takes its entities apart."""
        is_one_place = self.south == self.north and self.west == self.east
        if is_one_place or shown.zoom == MAX_ZOOM:
            return None
        fit = Viewport.around(self.south, self.west, self.north, self.east, MAX_ZOOM)
        return Viewport.at(fit.latitude, fit.longitude, max(fit.zoom, shown.zoom + 1))


@dataclass(frozen=True, slots=True)
class EntityMap:
    """The entities of a version on a map.

    Args:
        viewport: what is shown.
        clusters: in it.
        total: entities of the version.
        unplaced: those of them without coordinates, or with some that no map has.
    """

    viewport: Viewport
    clusters: tuple[Cluster, ...]
    total: int
    unplaced: int

    @property
    def shown(self) -> int:
        """The entities in the clusters."""
        return sum(each.count for each in self.clusters)


def map_entities(viewport: Viewport | None) -> Callable[[VersionFile], EntityMap]:
    """Work that clusters the entities of a version; see `EntityQueries.use`. None shows all of them."""

    def work(file: VersionFile) -> EntityMap:
        file.check()
        latitudes, longitudes = locations(file)
        placed = (np.abs(latitudes) <= QUARTER_TURN) & (np.abs(longitudes) <= HALF_TURN)
        unplaced = file.rows - int(np.count_nonzero(placed))
        shown = viewport or _fit(latitudes, longitudes, placed if unplaced else None)
        return EntityMap(shown, _cluster(file, latitudes, longitudes, shown), file.rows, unplaced)

    return work


def _fit(latitudes: Numbers, longitudes: Numbers, placed: npt.NDArray[np.bool_] | None) -> Viewport:
    """The viewport of all entities: it leaves out the widest gap between their longitudes."""
    if placed is not None:
        latitudes, longitudes = latitudes[placed], longitudes[placed]
    if not len(latitudes):
        return Viewport()
    bins = np.bincount(np.minimum(longitudes + HALF_TURN, _BINS - 1).astype(np.intp), minlength=_BINS)
    used = np.flatnonzero(bins)
    gaps = np.diff(used, append=used[0] + _BINS)
    start = float((used[(int(gaps.argmax()) + 1) % len(used)]) - HALF_TURN)
    unrolled = (longitudes - start) % FULL_TURN
    west, east = start + float(unrolled.min()), start + float(unrolled.max())
    return Viewport.around(float(latitudes.min()), west, float(latitudes.max()), east)


def _cluster(file: VersionFile, latitudes: Numbers, longitudes: Numbers, shown: Viewport) -> tuple[Cluster, ...]:
    side = shown.width / COLUMNS
    down = shown.north - latitudes
    rows = np.flatnonzero((down >= 0) & (down <= shown.height) & (np.abs(longitudes) <= HALF_TURN))
    right = (longitudes[rows] - shown.west) % FULL_TURN
    inside = right <= shown.width
    rows, right = rows[inside], right[inside]
    down = down[rows]
    column = np.minimum(right / side, COLUMNS - 1).astype(np.uint8)
    row = np.minimum(down / side, ROWS - 1).astype(np.uint8)
    cell = row * np.uint8(COLUMNS) + column  # below 256, which is quick to sort
    order = np.argsort(cell, kind="stable")
    cells, starts, counts = np.unique(cell[order], return_index=True, return_counts=True)
    if not len(cells):
        return ()
    right, down, rows = right[order], down[order], rows[order]
    columns: list[npt.NDArray[Any]] = [
        counts,
        cells % COLUMNS,
        cells // COLUMNS,
        shown.north - np.add.reduceat(down, starts) / counts,
        shown.west + np.add.reduceat(right, starts) / counts,
        shown.north - np.maximum.reduceat(down, starts),
        shown.west + np.minimum.reduceat(right, starts),
        shown.north - np.minimum.reduceat(down, starts),
        shown.west + np.maximum.reduceat(right, starts),
        rows[starts],
    ]
    keys = file.column(KEY)
    return tuple(
        Cluster(count, *values, id=keys[row].as_py() if count == 1 else None)
        for count, *values, row in zip(*(each.tolist() for each in columns), strict=True)
    )
