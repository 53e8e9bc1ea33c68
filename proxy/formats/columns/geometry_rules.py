"""The rules that each shape of a geography has to keep, for a column of shapes at once."""

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from proxy.formats.limits import MOST_POINTS

Shapes = npt.NDArray[np.object_]
Rows = npt.NDArray[np.int64]

_LINE, _RING, _POLYGON, _FIRST_MULTIPLE = 1, 2, 3, 4  # the library's numbers of the kinds


def broken_rules(shapes: Shapes) -> dict[int, str]:
    """What is wrong with the shapes, by row."""
    wrong: dict[int, str] = {}
    points = shapely.get_num_coordinates(shapes)
    for row in np.flatnonzero(points > MOST_POINTS).tolist():
        wrong[row] = f"has {points[row]:,} points, and at most {MOST_POINTS:,} are allowed"
    parts, owners = _simple_parts(shapes, wrong)
    _note(wrong, owners[shapely.is_empty(parts)], "is empty or has an empty part")
    _note(wrong, _endless(shapes), "has a coordinate that is not a number")
    kinds = shapely.get_type_id(parts)
    lines, rings = parts[kinds == _LINE], parts[kinds == _RING]
    _note(wrong, owners[kinds == _LINE][_places(lines) < 2], "has a line of one place, and needs two")  # noqa: PLR2004
    inner, polygons = shapely.get_rings(parts[kinds == _POLYGON], return_index=True)
    rings = np.concatenate([rings, inner])
    owners = np.concatenate([owners[kinds == _RING], owners[kinds == _POLYGON][polygons]])
    _note(wrong, owners[_places(rings) < 3], "has a ring of fewer than three different places")  # noqa: PLR2004
    return wrong


def _note(wrong: dict[int, str], rows: Any, reason: str) -> None:  # noqa: ANN401  numpy's
    for row in np.unique(rows).tolist():
        wrong.setdefault(row, reason)


def _simple_parts(shapes: Shapes, wrong: dict[int, str]) -> tuple[Shapes, Rows]:
    """The points, lines and polygons that all shapes consist of, and the row of each."""
    owners = np.flatnonzero(~shapely.is_missing(shapes))
    parts = shapes[owners]
    while (multiple := shapely.get_type_id(parts) >= _FIRST_MULTIPLE).any():
        _note(wrong, owners[multiple & shapely.is_empty(parts)], "is empty or has an empty part")
        inner, of = shapely.get_parts(parts[multiple], return_index=True)
        parts, owners = (
            np.concatenate([parts[~multiple], inner]),
            np.concatenate([owners[~multiple], owners[multiple][of]]),
        )
    return parts, owners


def _endless(shapes: Shapes) -> Rows:
    """The rows with a coordinate that is no number. A height may be missing."""
    numbers, owners = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    finite = np.isfinite(numbers[:, :2]).all(axis=1) & ~np.isinf(numbers[:, 2])
    rows: Rows = owners[~finite]
    return rows


def _places(shapes: Shapes) -> Rows:
    """How many different places each shape has, up to three."""
    numbers, owners = shapely.get_coordinates(shapes, return_index=True)
    counts = np.ones(len(shapes), np.int64)
    if not len(numbers):
        return counts - 1
    first = np.searchsorted(owners, np.arange(len(shapes))).clip(max=len(owners) - 1)
    other = (numbers != numbers[first][owners]).any(axis=1)
    second = first.copy()
    rows = np.flatnonzero(other)[::-1]
    second[owners[rows]] = rows  # the first one of each shape is written last
    third = other & (numbers != numbers[second][owners]).any(axis=1)
    counts[owners[other]] = 2
    counts[owners[third]] = 3
    return counts
