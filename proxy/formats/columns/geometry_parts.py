"""Makes checked shapes of the geometry library from points, for KML and shapefiles.

Points are an array of `[longitude, latitude]` or `[longitude, latitude, height]`. The reason of each
ValueError continues a sentence that begins with the property's name.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Points = npt.NDArray[np.float64]

# Limits the search for the ring around each hole. A map of 10,000 islands has some 100,000 such pairs.
_MAX_PAIRS = 300_000


def make_multipoint(points: Points) -> Any:  # noqa: ANN401  shapely ships no types
    """Several points as one shape.

    Raises:
        ValueError: a coordinate is no number.
    """
    return shapely.multipoints(shapely.points(_finite(points)))


def make_line(points: Points) -> Any:  # noqa: ANN401
    """A line.

    Raises:
        ValueError: it has fewer than two different places, or a coordinate is no number.
    """
    if not _differ(_finite(points), 2):
        raise ValueError("has a line of fewer than 2 different points")
    return shapely.linestrings(points)


def close_ring(points: Points) -> Points:
    """The points of a ring, the last one the same place as the first.

    Raises:
        ValueError: it has fewer than three different places, or a coordinate is no number.
    """
    if not _differ(_finite(points), 3):
        raise ValueError("has a ring of fewer than 3 different points")
    return points if (points[0] == points[-1]).all() else np.vstack([points, points[:1]])


def make_polygon(rings: Sequence[Points]) -> Any:  # noqa: ANN401
    """A polygon of rings that `ring` has checked: the outer one, then its holes."""
    outer, *holes = map(shapely.linearrings, rings)
    return shapely.polygons(outer, holes or None)


def collect(shapes: Sequence[Any], collect: Any) -> Any:  # noqa: ANN401
    """A single shape as it is, several as one that `collect` makes of them."""
    return shapes[0] if len(shapes) == 1 else collect(list(shapes))


def assemble_polygons(rings: Sequence[Points]) -> Any:  # noqa: ANN401
    """The polygon, or polygons, of checked rings in a shapefile's order: outer rings are clockwise, holes are not.

    A hole belongs to the smallest outer ring around it. One that lies in none is a polygon of its own, and so is each
    ring where none is clockwise.

    Raises:
        ValueError: there are too many rings in each other.
    """
    areas = [_clockwise_area(points) for points in rings]
    holes = [index for index, area in enumerate(areas) if area < 0]
    if not holes or len(holes) == len(rings):
        return collect([make_polygon([points]) for points in rings], shapely.multipolygons)
    outers = [index for index, area in enumerate(areas) if area >= 0]
    shapes = np.array([make_polygon([rings[index]]) for index in outers], object)
    shapely.prepare(shapes)
    inside: dict[int, list[Points]] = {}
    alone: list[Points] = []
    tree, pairs = shapely.STRtree(shapes), 0
    sizes = np.array([areas[index] for index in outers])
    for hole in holes:
        found = tree.query(shapely.points(rings[hole][0, :2]))
        pairs += len(found)
        if pairs > _MAX_PAIRS:
            raise ValueError(f"has {len(rings):,} rings, too many of them in each other")
        around = found[(sizes[found] >= -areas[hole]) & shapely.intersects_xy(shapes[found], *rings[hole][0, :2])]
        if len(around):
            inside.setdefault(int(around[np.argmin(sizes[around])]), []).append(rings[hole])
        else:
            alone.append(rings[hole])
    made = [make_polygon([rings[index], *inside.get(place, ())]) for place, index in enumerate(outers)]
    return collect([*made, *(make_polygon([points]) for points in alone)], shapely.multipolygons)


def _finite(points: Points) -> Points:
    if not np.isfinite(points[:, :2]).all():
        raise ValueError("has a coordinate that is no number")
    return points


def _differ(points: Points, places: int) -> bool:
    """Whether there are at least 2, or 3, different places."""
    flat = points[:, :2]
    for _ in range(places - 1):
        if not len(flat):
            return False
        flat = flat[(flat != flat[0]).any(axis=1)]
    return len(flat) > 0


@np.errstate(all="ignore")  # numbers near the largest double
def _clockwise_area(points: Points) -> float:
    """Twice the area of a ring, negative where it is counter-clockwise."""
    x, y = (points[:, :2] - points[0, :2]).T
    return float((x[1:] * y[:-1] - x[:-1] * y[1:]).sum())
