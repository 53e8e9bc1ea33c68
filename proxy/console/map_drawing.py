"""The map of entities as what its template draws: all in the units of an SVG of 960 by 480."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from proxy.operations.entity_clusters import COLUMNS, Cluster, EntityMap
from proxy.operations.map_viewports import FULL_TURN, HALF_TURN, QUARTER_TURN, Viewport

WIDTH, HEIGHT = 960, 480
_CELL = WIDTH / COLUMNS

OUTLINE_DEGREES = 3.0
"""The outline of the world is some 20 km wrong, so closer maps show lines of latitude and longitude alone."""

_DOT, _SMALLEST, _LARGEST = 8.0, 18.0, 34.0
_STEPS = (1, 2, 5)
_LINES = 6
"""About so many meridians are shown."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A cluster, or one entity: a circle that is a link."""

    x: float
    y: float
    radius: float
    text: str
    label: str
    url: str
    cluster: Cluster


@dataclass(frozen=True, slots=True)
class Line:
    """A line of latitude or longitude, and its label."""

    x1: float
    y1: float
    x2: float
    y2: float
    text: str
    label_x: float
    label_y: float


def draw_outlines(shown: Viewport) -> tuple[str, ...]:
    """The transformations that lay the outline of the world under the map, once for each turn that is shown."""
    if shown.width < OUTLINE_DEGREES:
        return ()
    scale = WIDTH / shown.width
    first = math.floor((shown.west + HALF_TURN) / FULL_TURN)
    last = math.floor((shown.west + shown.width + HALF_TURN) / FULL_TURN)
    return tuple(
        f"scale({scale:.6g}) translate({turns * FULL_TURN - shown.west:.6f} {shown.north:.6f})"
        for turns in range(first, last + 1)
    )


def draw_lines(shown: Viewport) -> tuple[Line, ...]:
    """Some lines of latitude and longitude."""
    step = _choose_step(shown.width / _LINES)
    scale, digits = WIDTH / shown.width, max(0, -math.floor(math.log10(step)))
    lines = []
    for number in range(math.ceil(shown.west / step), math.floor((shown.west + shown.width) / step) + 1):
        x = (number * step - shown.west) * scale
        degrees = (number * step + HALF_TURN) % FULL_TURN - HALF_TURN
        lines.append(Line(x, 0, x, HEIGHT, _describe(degrees, digits, "EW"), x + 4, HEIGHT - 8))
    for number in range(math.ceil((shown.north - shown.height) / step), math.floor(shown.north / step) + 1):
        y = (shown.north - number * step) * scale
        lines.append(Line(0, y, WIDTH, y, _describe(number * step, digits, "NS"), 6, y - 6))
    return tuple(lines)


def draw_marks(found: EntityMap, link: Callable[[Cluster], str]) -> tuple[Mark, ...]:
    """The clusters, the largest first, then entities that are alone. A cluster's circle stays in its cell."""
    marks = []
    most = max((each.count for each in found.clusters), default=1)
    for each in sorted(found.clusters, key=lambda each: -each.count):
        x = (each.longitude - found.viewport.west) * WIDTH / found.viewport.width
        y = (found.viewport.north - each.latitude) * WIDTH / found.viewport.width
        radius, text, label = _DOT, "", f"Entity {each.id}: show it"
        if each.count > 1:
            share = math.log(each.count) / math.log(max(most, 10))
            radius, text = _SMALLEST + (_LARGEST - _SMALLEST) * share, shorten(each.count)
            x, y = _keep_in(x, each.column, radius), _keep_in(y, each.row, radius)
            can_zoom = each.closer(found.viewport) is not None
            label = f"{each.count:,} entities: {'zoom in' if can_zoom else 'list them'}"
        marks.append(Mark(x, y, radius, text, label, link(each), each))
    return tuple(marks)


def shorten(number: int) -> str:
    """A number in at most four characters: 950, 1.2k, 34k, 1.2M."""
    for unit, word in ((1_000_000, "M"), (1_000, "k")):
        if number >= unit * 0.9995:
            short = number / unit
            return f"{short:.1f}{word}" if short < 9.95 else f"{short:.0f}{word}"  # noqa: PLR2004 - rounds to two digits
    return str(number)


def _keep_in(at: float, cell: int, radius: float) -> float:
    return min(max(at, cell * _CELL + radius), (cell + 1) * _CELL - radius)


def _choose_step(about: float) -> float:
    """A number of degrees that people count in, near to this many."""
    if about >= 20:  # noqa: PLR2004 - thirds and sixths of a right angle
        return QUARTER_TURN / 3 if about < HALF_TURN / 4 else QUARTER_TURN / 2
    power = math.floor(math.log10(about))
    return min(
        (step * 10.0**exponent for exponent in (power, power + 1) for step in _STEPS),
        key=lambda each: abs(math.log(each / about)),
    )


def _describe(degrees: float, digits: int, sides: str) -> str:
    side = "" if abs(degrees) < 10.0**-digits / 2 or abs(degrees) == HALF_TURN else f" {sides[degrees < 0]}"
    return f"{abs(degrees):.{digits}f}°{side}"
