"""Entities by their points: around a place, and in a box (query-api.md, section 1.3).

Row numbers are arrays of `int32`. Edges belong to an area.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from proxy.query.conversion import LATITUDE, LONGITUDE, NEAR_LATITUDE, NEAR_LONGITUDE, NEAR_ROW
from proxy.query.distance import EARTH_KM, Numbers, measure_all
from proxy.query.version_file import VersionFile

Rows = npt.NDArray[np.int32]

_FULL_TURN, _HALF_TURN, _QUARTER_TURN = 360.0, 180.0, 90.0
_MARGIN = 1e-7
"""Degrees, about a centimetre, by which windows are wider: rounding must not lose who stands on the edge."""


@dataclass(frozen=True, slots=True)
class Near:
    """Rows in no order, and the distance of each in kilometres."""

    rows: Rows
    distances: Numbers


def find_near(version: VersionFile, latitude: float, longitude: float, km: float) -> Near:
    """The entities within some kilometres of a place."""
    latitudes = _numbers(version, NEAR_LATITUDE)
    window = math.degrees(km / EARTH_KM) + _MARGIN
    start, end = np.searchsorted(latitudes, (latitude - window, np.nextafter(latitude + window, np.inf)))
    longitudes = _numbers(version, NEAR_LONGITUDE)[start:end]
    turn = _longitude_window(latitude, km)
    if turn is None:
        picked = np.arange(start, end)
    else:
        away = np.abs(longitudes - longitude)
        picked = start + np.flatnonzero((away <= turn) | (away >= _FULL_TURN - turn))
    distances = measure_all(latitude, longitude, latitudes[picked], _numbers(version, NEAR_LONGITUDE)[picked])
    within = distances <= km
    rows: Rows = version.column(NEAR_ROW).to_numpy()[picked[within]]
    return Near(rows, distances[within])


def _longitude_window(latitude: float, km: float) -> float | None:
    """How many degrees of longitude a circle reaches to each side; None where it holds a pole."""
    angle = km / EARTH_KM
    if abs(latitude) + math.degrees(angle) >= _QUARTER_TURN - _MARGIN:
        return None
    return math.degrees(math.asin(math.sin(angle) / math.cos(math.radians(latitude)))) + _MARGIN


def find_in_box(version: VersionFile, south: float, west: float, north: float, east: float) -> Rows:
    """The entities in a box, in the order of their rows; it crosses the 180th meridian where west is beyond east."""
    latitudes, longitudes = _numbers(version, LATITUDE), _numbers(version, LONGITUDE)
    inside = (latitudes >= south) & (latitudes <= north)
    if west <= east:
        inside &= (longitudes >= west) & (longitudes <= east)
    else:
        inside &= (longitudes >= west) | (longitudes <= east)
    return np.flatnonzero(inside).astype(np.int32)


def find_middle(south: float, west: float, north: float, east: float) -> tuple[float, float]:
    """Latitude and longitude from which a box measures distances (section 2.4)."""
    if west <= east:
        return (south + north) / 2, (west + east) / 2
    longitude = west + (east - west + _FULL_TURN) / 2
    return (south + north) / 2, longitude - _FULL_TURN if longitude >= _HALF_TURN else longitude


def distances_from(version: VersionFile, rows: Rows, latitude: float, longitude: float) -> Numbers:
    """The distances of some entities from a place."""
    latitudes, longitudes = _numbers(version, LATITUDE)[rows], _numbers(version, LONGITUDE)[rows]
    return measure_all(latitude, longitude, latitudes, longitudes)


def _numbers(version: VersionFile, name: str) -> Numbers:
    numbers: Numbers = version.column(name).to_numpy(zero_copy_only=False)
    return numbers
