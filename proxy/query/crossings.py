"""Repairs shapes that cross themselves, where that takes a bounded time (query-api.md, section 1.3).

The library's repair takes the square of the number of crossings and more: 300 random points, 10,000 crossings, take ten
seconds. So crossings are counted first, some edges at a time, and counting ends at a limit.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

MAX_CROSSINGS = 500
MAX_RINGS = 1_000
MAX_POINTS = 20_000
"""With these a look and a repair take less than a second. A request holds fewer points; stored shapes may have more."""
MAX_PAIRS = 5_000_000
"""Pairs of edges that are near each other and are looked at; a second's work."""

_EDGES = 64
"""Edges that are looked at together: with 20,000 other edges they make a million pairs at most."""


class CrossingsError(ValueError):
    """The shape is too entangled. The text continues a sentence that begins with the shape."""


def make_valid(shape: Any) -> Any:  # noqa: ANN401  shapely ships no types
    """The shape as it is where it is valid, else the library's repair of it, which keeps both halves of a bow tie.

    Raises:
        CrossingsError: it is too large to be looked at, or too entangled to be repaired.
    """
    points = int(shapely.get_num_coordinates(shape))
    if points > MAX_POINTS:
        raise CrossingsError(f"has {points:,} points, and at most {MAX_POINTS:,} are allowed")
    if shapely.is_valid(shape):
        return shape
    rings = len(_lines(shape))
    if rings > MAX_RINGS:
        raise CrossingsError(f"crosses itself and has {rings:,} rings, and at most {MAX_RINGS:,} are repaired")
    check_crossings(shape, shape, MAX_CROSSINGS)
    repaired = shapely.make_valid(shape)
    if not shapely.is_valid(repaired):  # rounding of very large coordinates
        raise CrossingsError("crosses itself and can't be repaired")
    return repaired


def check_crossings(one: Any, other: Any, max_crossings: int) -> None:  # noqa: ANN401
    """Checks how often the edges of two shapes, or of one given twice, cross or touch each other.

    Edges that follow each other share a point, which does not count.

    Raises:
        CrossingsError: more often than allowed, or too many edges are near each other to be looked at.
    """
    edges, others = _edges(one), _edges(other)
    tree = shapely.STRtree(shapely.linestrings(others))
    crossings = pairs = 0
    for start in range(0, len(edges), _EDGES):
        some = edges[start : start + _EDGES]
        near = tree.query(shapely.linestrings(some))
        pairs += near.shape[1]
        crossings += int(_cross(some[near[0]], others[near[1]]).sum())
        if crossings > max_crossings * (2 if one is other else 1) or pairs > MAX_PAIRS:
            raise CrossingsError(f"has edges that cross more than {max_crossings:,} times, or lie too close together")


def _edges(shape: Any) -> npt.NDArray[np.float64]:  # noqa: ANN401
    """The edges of all lines and rings: `[n, 2, 2]`."""
    points, parts = shapely.get_coordinates(_lines(shape), return_index=True)
    edges = np.stack([points[:-1], points[1:]], axis=1)
    found: npt.NDArray[np.float64] = edges[parts[:-1] == parts[1:]]
    return found


def _lines(shape: Any) -> Any:  # noqa: ANN401
    """The lines and rings of a shape, of all parts of a collection."""
    parts = shapely.get_parts(shape)
    while (shapely.get_type_id(parts) >= 4).any():  # noqa: PLR2004  collections begin there
        parts = shapely.get_parts(parts)
    is_polygon = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    return np.concatenate([parts[~is_polygon], shapely.get_rings(parts[is_polygon])])


def _cross(some: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which pairs of edges have the ends of each on different sides of the other."""
    a, b, c, d = some[:, 0], some[:, 1], others[:, 0], others[:, 1]
    found: npt.NDArray[np.bool_] = (_side(a, b, c) * _side(a, b, d) < 0) & (_side(c, d, a) * _side(c, d, b) < 0)
    return found


def _side(
    start: npt.NDArray[np.float64], end: npt.NDArray[np.float64], point: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    along, to = end - start, point - start
    return np.sign(along[:, 0] * to[:, 1] - along[:, 1] * to[:, 0])
