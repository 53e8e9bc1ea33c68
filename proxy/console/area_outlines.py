"""The outline of a query's area on a map. Shapes have degrees: x is the longitude, which may go on beyond 180."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.affinity import translate

from proxy.operations.map_viewports import FULL_TURN, HALF_TURN, QUARTER_TURN, Viewport
from proxy.query.areas import BoundingBox, Geometry, Intersects, Nearby, ResolvedArea
from proxy.query.distance import EARTH_KM

_CORNERS = 120
"""Of a circle."""
_NEAR_POLE = 1e-6
_MOST_POINTS = 3_000
"""Of a drawn shape: some 40 KB."""
_TOLERANCE = 0.5
_COARSEST = 64.0
_MOST_TURNS = 3
"""That a shape is looked for beside the map. Its longitudes may be any numbers, so it may lie across any turns."""
_MARGIN = 0.02
"""Parts of a side beyond which nothing is drawn."""

Coordinates = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AreaDrawing:
    """The data of an SVG path in the map's units. `is_box`: too entangled to draw, so its bounds are."""

    path: str
    is_box: bool = False


def outline(area: ResolvedArea) -> Geometry:
    """The shape of an area."""
    match area:
        case Nearby():
            return _circle(area)
        case BoundingBox(south, west, north, east):
            return shapely.box(west, south, east + (FULL_TURN if area.is_across_antimeridian else 0), north)
        case Intersects(shape):
            return shape


def fit(shape: Geometry) -> Viewport:
    """What shows a shape whole."""
    west, south, east, north = (float(side) for side in shapely.bounds(shape))
    farthest = _MOST_TURNS * FULL_TURN
    west = min(max(west, -farthest), farthest)
    east = min(max(east, west), west + FULL_TURN)
    return Viewport.around(max(south, -QUARTER_TURN), west, min(north, QUARTER_TURN), east)


def draw(shape: Geometry, shown: Viewport, width: int) -> AreaDrawing:
    """A shape as far as it is shown, `width` units from west to east."""
    scale = width / shown.width
    beyond = _MARGIN * shown.width
    west, east = shown.west - beyond, shown.west + shown.width + beyond
    south, north = shown.north - shown.height - beyond, shown.north + beyond
    left, _, right, _ = shapely.bounds(shape)
    first, last = math.floor((west - right) / FULL_TURN), math.ceil((east - left) / FULL_TURN)
    turns = range(max(first, -_MOST_TURNS), min(last, _MOST_TURNS) + 1)
    turned = [translate(shape, each * FULL_TURN) for each in turns]

    def place(points: Coordinates) -> Coordinates:
        return np.column_stack([(points[:, 0] - shown.west) * scale, (shown.north - points[:, 1]) * scale])

    with np.errstate(all="ignore"):  # of longitudes near the largest double
        parts = [shapely.transform(shapely.clip_by_rect(each, west, south, east, north), place) for each in turned]
    tolerance = _TOLERANCE
    while True:
        simple = [shapely.simplify(each, tolerance) for each in parts]
        if sum(int(shapely.get_num_coordinates(each)) for each in simple) <= _MOST_POINTS:
            return AreaDrawing("".join(map(_to_path, simple)))
        tolerance *= 2
        if tolerance > _COARSEST:
            return AreaDrawing("".join(_to_path(shapely.envelope(each)) for each in parts), is_box=True)


def _circle(area: Nearby) -> Geometry:
    """The points at a distance, on the sphere. Around a pole the line goes from side to side, so the pole closes it."""
    angle = area.kilometres / EARTH_KM
    latitude = math.radians(min(max(area.center.latitude, -QUARTER_TURN + _NEAR_POLE), QUARTER_TURN - _NEAR_POLE))
    bearings = np.linspace(0, 2 * np.pi, _CORNERS + 1)
    y = np.arcsin(np.sin(latitude) * np.cos(angle) + np.cos(latitude) * np.sin(angle) * np.cos(bearings))
    x = np.arctan2(np.sin(bearings) * np.sin(angle) * np.cos(latitude), np.cos(angle) - np.sin(latitude) * np.sin(y))
    longitudes = area.center.longitude + np.degrees(np.unwrap(x))
    points = list(zip(longitudes.tolist(), np.degrees(y).tolist(), strict=True))
    if abs(longitudes[-1] - longitudes[0]) > HALF_TURN:
        pole = math.copysign(QUARTER_TURN, area.center.latitude)
        points += [(points[-1][0], pole), (points[0][0], pole)]
    return shapely.Polygon(points)


def _to_path(shape: Geometry) -> str:
    """The data of a path; a point is a line without a length, of which round ends make a dot."""
    match shapely.get_type_id(shape):
        case shapely.GeometryType.POINT if not shapely.is_empty(shape):
            return f"M{shape.x:.1f} {shape.y:.1f}h0"
        case shapely.GeometryType.LINESTRING | shapely.GeometryType.LINEARRING:
            return _to_line(shape)
        case shapely.GeometryType.POLYGON:
            return "".join(_to_line(ring) + "z" for ring in (shape.exterior, *shape.interiors) if not ring.is_empty)
    return "".join(map(_to_path, getattr(shape, "geoms", ())))


def _to_line(line: Geometry) -> str:
    points = " ".join(f"{x:.1f} {y:.1f}" for x, y in shapely.get_coordinates(line).tolist())
    return f"M{points}" if points else ""
