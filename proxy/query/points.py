"""Entities by their points: around a place, and in a box (query-api.md, section 1.3). Edges belong to an area."""

import math
from dataclasses import dataclass, replace

import numpy as np

from proxy.query.areas import BoundingBox, Nearby
from proxy.query.columns import NEAR_LATITUDE, NEAR_LONGITUDE, NEAR_ROW, Rows, locations, numbers
from proxy.query.distance import EARTH_KM, Numbers, measure_all
from proxy.query.version_file import VersionFile

_FULL_TURN, _QUARTER_TURN = 360.0, 90.0
_MARGIN_KM = 1e-6
"""A millimetre by which windows are wider: rounding must not lose an entity on the edge."""
_PARTS = (16, 4, 1)
_MANY = 4096
"""Entities at the latitudes of a circle from which on a smaller one is tried first."""


@dataclass(frozen=True, slots=True)
class Near:
    """Rows in no order, and the distance of each in kilometres."""

    rows: Rows
    distances: Numbers


def widen(version: VersionFile, area: Nearby) -> list[Nearby]:
    """Circles around the same place up to the area itself: each has all that is nearer than what only the next has."""
    start, end = _find_latitudes(version, area)
    parts = _PARTS if end - start > _MANY else _PARTS[-1:]
    return [replace(area, kilometres=area.kilometres / part) for part in parts]


def find_near(version: VersionFile, area: Nearby) -> Near:
    """The entities around a place."""
    latitude, longitude, km = area.center.latitude, area.center.longitude, area.kilometres
    latitudes = numbers(version, NEAR_LATITUDE)
    angle = (km + _MARGIN_KM) / EARTH_KM
    start, end = _find_latitudes(version, area)
    longitudes = numbers(version, NEAR_LONGITUDE)[start:end]
    turn = _longitude_window(latitude, angle)
    if turn is None:
        picked = np.arange(start, end)
    else:
        away = np.abs(longitudes - longitude)
        picked = start + np.flatnonzero((away <= turn) | (away >= _FULL_TURN - turn))
    distances = measure_all(latitude, longitude, latitudes[picked], numbers(version, NEAR_LONGITUDE)[picked])
    within = distances <= km
    rows: Rows = version.column(NEAR_ROW).to_numpy()[picked[within]]
    return Near(rows, distances[within])


def _find_latitudes(version: VersionFile, area: Nearby) -> tuple[int, int]:
    """The part of the points in the order of their latitudes that a circle reaches."""
    window = math.degrees((area.kilometres + _MARGIN_KM) / EARTH_KM)
    south, north = area.center.latitude - window, np.nextafter(area.center.latitude + window, np.inf)
    start, end = np.searchsorted(numbers(version, NEAR_LATITUDE), (south, north))
    return int(start), int(end)


def _longitude_window(latitude: float, angle: float) -> float | None:
    """How many degrees of longitude a circle reaches to each side; None where it holds a pole."""
    if abs(latitude) + math.degrees(angle) >= _QUARTER_TURN:
        return None
    return math.degrees(math.asin(min(1.0, math.sin(angle) / math.cos(math.radians(latitude)))))


def find_in_box(version: VersionFile, box: BoundingBox) -> Rows:
    """The entities in a box, in the order of their rows."""
    latitudes, longitudes = locations(version)
    inside = (latitudes >= box.south) & (latitudes <= box.north)
    if box.is_across_antimeridian:
        inside &= (longitudes >= box.west) | (longitudes <= box.east)
    else:
        inside &= (longitudes >= box.west) & (longitudes <= box.east)
    return np.flatnonzero(inside).astype(np.int32)
