"""Entities by their geographies, and what these have in common with a shape (query-api.md, sections 1.3 and 2.5).

An entity without a geography has its point. Of a large source's geographies only those are read that may meet the
shape: bounds beside the entities rule out the others.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from proxy.formats.columns.buffers import offsets
from proxy.query.areas import Geometry
from proxy.query.columns import BOUNDS, GEOGRAPHY, Rows, locations
from proxy.query.crossings import CrossingsError, check_crossings, make_valid
from proxy.query.distance import Numbers
from proxy.query.errors import QueryError
from proxy.query.version_file import VersionFile

Shapes = npt.NDArray[np.object_]

_CHUNK_BYTES = 256 * 1024
"""Bytes of WKB between two looks at the deadline: some milliseconds, and a megabyte of the library's memory."""
_CHUNK_ROWS = 4_096
_BOX_POINTS = 5
"""The last is the first again."""
_EASY_PAIRS = 200_000
"""Pairs of points of two shapes up to which their common part is quick, however they lie."""
_MAX_CROSSINGS = 20_000


@np.errstate(all="ignore")  # of longitudes near the largest double the library computes infinite ones
def find_intersecting(
    version: VersionFile, shape: Geometry, check: Callable[[], None], wanted: int | None = None
) -> Rows:
    """The entities that meet a shape, touching included, in the order of their rows.

    Args:
        version: the entities.
        shape: a valid shape in two dimensions; edges are planar.
        check: is called each few milliseconds, and ends the work by an exception.
        wanted: how many of the first are enough; None is all of them.
    """
    west, south, east, north = shapely.bounds(shape).tolist()
    sides = _bounds(version)
    near = (sides[0] <= east) & (sides[2] >= west) & (sides[1] <= north) & (sides[3] >= south)
    if not _is_box(shape):
        found, count = [np.zeros(0, np.int32)], 0
        for rows in _chunks(version, np.flatnonzero(near), check):
            found.append(rows[_meet(version, rows, shape, check)])
            count += len(found[-1])
            if wanted is not None and count >= wanted:
                break
        return np.concatenate(found)
    # What lies within the box whole need not be read: of a map's view that is nearly all.
    inside = near & (sides[0] >= west) & (sides[2] <= east) & (sides[1] >= south) & (sides[3] <= north)
    for rows in _chunks(version, np.flatnonzero(near & ~inside), check):
        inside[rows] = _meet(version, rows, shape, check)
    return np.flatnonzero(inside).astype(np.int32)


@np.errstate(all="ignore")  # the same
def intersect(version: VersionFile, rows: Rows, shape: Geometry, check: Callable[[], None]) -> list[bytes | None]:
    """What each of some entities has in common with a shape, as ISO WKB; None where there is nothing.

    Raises:
        QueryError: the shapes cross so often that this would take long, or a geography is too entangled.
    """
    found: list[bytes | None] = []
    points = int(shapely.get_num_coordinates(shape))
    _check_alone(shape)
    for of in _read(version, rows, check):
        check()
        if not shapely.intersects(shapely.envelope(of), shape):  # spares a look at shapes that can't be repaired
            found.append(None)
            continue
        _check_alone(of)
        if points * shapely.get_num_coordinates(of) > _EASY_PAIRS:
            # Only what lies within the other's bounds can cross.
            _check_common(shapely.clip_by_rect(shape, *shapely.bounds(of)), of)
        common = shapely.intersection(of, shape)
        found.append(None if shapely.is_empty(common) else shapely.to_wkb(common, flavor="iso"))
    return found


def _check_alone(shape: Geometry) -> None:
    """Refuses a stored shape that could not be repaired, and a line that crosses itself endlessly."""
    if not shapely.is_valid(shape):
        raise QueryError(
            "The parameter $select has intersection(..), and the geography of an entity crosses itself too often for"
            " it: leave it out."
        )
    if shapely.get_num_coordinates(shape) ** 2 > _EASY_PAIRS and not shapely.is_simple(shape):
        _check_common(shape, shape)


def _check_common(shape: Geometry, of: Geometry) -> None:
    try:
        check_crossings(shape, of, _MAX_CROSSINGS)
    except CrossingsError as error:
        raise QueryError(f"The shape of intersection(..) {error}: send a simpler one.") from error


def _bounds(version: VersionFile) -> list[Numbers]:
    """West, south, east and north of all entities."""
    if GEOGRAPHY in version:
        return [version.column(name).to_numpy() for name in BOUNDS]
    latitudes, longitudes = locations(version)
    return [longitudes, latitudes, longitudes, latitudes]


def _is_box(shape: Geometry) -> bool:
    """Whether a shape is a rectangle with sides along the meridians and parallels."""
    is_polygon = shapely.get_type_id(shape) == shapely.GeometryType.POLYGON
    has_four_corners = shapely.get_num_coordinates(shape) == _BOX_POINTS
    return bool(is_polygon and has_four_corners and shapely.equals(shape, shapely.box(*shapely.bounds(shape))))


def _chunks(version: VersionFile, rows: npt.NDArray[np.intp], check: Callable[[], None]) -> Iterator[Rows]:
    """The rows some at a time, with a look at the deadline before each."""
    if GEOGRAPHY not in version:
        pieces = np.arange(len(rows)) // _CHUNK_ROWS
    else:
        sizes = np.diff(offsets(version.column(GEOGRAPHY)))[rows]
        pieces = np.maximum(np.cumsum(sizes, dtype=np.int64) // _CHUNK_BYTES, np.arange(len(rows)) // _CHUNK_ROWS)
    starts = np.flatnonzero(np.diff(pieces, prepend=-1))
    for chunk in np.split(rows.astype(np.int32), starts[1:]):
        check()
        yield chunk


def _meet(version: VersionFile, rows: Rows, shape: Geometry, check: Callable[[], None]) -> npt.NDArray[np.bool_]:
    """Which of some entities meet a shape. Where their bounds decide, their geographies are not read."""
    shapely.prepare(shape)
    found: npt.NDArray[np.bool_]
    if GEOGRAPHY not in version:
        latitudes, longitudes = locations(version, rows)
        found = shapely.intersects_xy(shape, longitudes, latitudes)
        return found
    west, south, east, north = (side[rows] for side in _bounds(version))
    boxes = shapely.box(west, south, east, north)
    has_area = (west < east) & (south < north)  # the library compares no rectangle without an area
    found = has_area & shapely.contains(shape, boxes)
    unsure = ~found & (~has_area | shapely.intersects(shape, boxes))
    found[unsure] = shapely.intersects(shape, _read(version, rows[unsure], check))
    return found


def _read(version: VersionFile, rows: Rows, check: Callable[[], None]) -> Shapes:
    """The shapes of some entities, valid as far as they can be repaired, with a look at the deadline before each."""
    latitudes, longitudes = locations(version, rows)
    if GEOGRAPHY not in version:
        return np.asarray(shapely.points(longitudes, latitudes), object)
    column: pa.Array = version.column(GEOGRAPHY).take(pa.array(rows))
    shapes = np.asarray(shapely.from_wkb(column.to_numpy(zero_copy_only=False), on_invalid="ignore"), object)
    missing = shapely.is_missing(shapes)
    shapes[missing] = shapely.points(longitudes[missing], latitudes[missing])
    for place in np.flatnonzero(~shapely.is_valid(shapes)):
        check()
        shapes[place] = _repair(shapes[place])
    return shapes


def _repair(shape: Any) -> Any:  # noqa: ANN401  shapely ships no types
    try:
        return make_valid(shape)
    except CrossingsError:
        return shape
