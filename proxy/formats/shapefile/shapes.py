"""The shapes of a .shp file (ESRI Shapefile Technical Description), in the file's order.

The .shx file is not read: a shape's place follows from the lengths of those before it. What a record's head says is
judged by the record's size and by the limit of points before anything is made of it.
"""

import struct
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import shapely

from proxy.formats.columns import geometry_parts
from proxy.formats.columns.geometry_parts import Points
from proxy.formats.limits import MAX_POINTS
from proxy.formats.schema import InvalidDataError

Shape = Any
"""A shape of the geometry library; None where the record has no shape; a text, the reason, where it can't be read."""

_FILE_CODE = 9994
_HEADER, _RECORD_HEAD = 100, 8
_NULL, _POINT, _LINE, _POLYGON, _MULTIPOINT, _MULTIPATCH = 0, 1, 3, 5, 8, 31
_FLAT = (_POINT, _LINE, _POLYGON, _MULTIPOINT)
_WITH_HEIGHTS, _WITH_MEASURES = 10, 20
_KINDS = {_NULL, *_FLAT, *(kind + more for kind in _FLAT for more in (_WITH_HEIGHTS, _WITH_MEASURES))}
# A polygon of the most points, each of them a part, with heights. Measures are behind what is read.
_MOST_BYTES = 44 + 4 * MAX_POINTS + 16 * MAX_POINTS + 16 + 8 * MAX_POINTS
# A height below it means that there is none.
_NO_HEIGHT = -1e38


class ShapeReader:
    """Reads a .shp file; `has_shapes` says whether its header promises any.

    Raises:
        InvalidDataError: the file is no .shp file, or of a kind that a load does not read.
    """

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._size = file, size
        header = file.read(_HEADER)
        if len(header) < _HEADER or int.from_bytes(header[:4], "big") != _FILE_CODE:
            raise InvalidDataError("the .shp file does not begin as one: it is cut off, or something else")
        self._promised_end = 2 * int.from_bytes(header[24:28], "big")
        kind = int.from_bytes(header[32:36], "little")
        _refuse(kind)
        if kind not in _KINDS:
            raise InvalidDataError(f"the .shp file has shapes of the unknown type {kind}")
        self.has_shapes = kind != _NULL

    def __iter__(self) -> Iterator[Shape]:
        """The shape of each record.

        Raises:
            InvalidDataError: it is a MultiPatch.
        """
        at = _HEADER
        while at + _RECORD_HEAD <= self._size:
            self._file.seek(at)
            length = 2 * int.from_bytes(self._file.read(_RECORD_HEAD)[4:], "big", signed=True)
            at += _RECORD_HEAD
            if length < 4:  # noqa: PLR2004  the bytes of a kind
                if at <= self._promised_end:
                    yield "is of an impossible length in the .shp file; no later shape can be found"
                return
            content = self._file.read(min(length, _MOST_BYTES))
            yield "is cut off: the .shp file ends in it" if at + length > self._size else _shape(content)
            at += length


def _refuse(kind: int) -> None:
    if kind == _MULTIPATCH:
        raise InvalidDataError(
            "the shapefile holds MultiPatch shapes, which a geography can't be; convert them to polygons"
        )


def _shape(content: bytes) -> Shape:
    kind = int.from_bytes(content[:4], "little")
    _refuse(kind)
    if kind not in _KINDS:
        return f"is a shape of the unknown type {kind}"
    if kind == _NULL:
        return None
    try:
        return _point(content, kind) if kind % 10 == _POINT else _points_of(content, kind)
    except struct.error:
        return "is in a record that is too short for a shape of its type"
    except (ValueError, shapely.GEOSException) as error:
        return str(error) if isinstance(error, ValueError) else "is no sound geometry"


def _point(content: bytes, kind: int) -> Shape:
    numbers = struct.unpack_from("<3d" if _has_heights(kind) else "<2d", content, 4)
    points = np.array([numbers])
    if numbers[-1] < _NO_HEIGHT and _has_heights(kind):
        points = points[:, :2]
    return geometry_parts.make_multipoint(points).geoms[0]


def _points_of(content: bytes, kind: int) -> Shape:
    """A shape of many points: behind its box (32 bytes) the numbers of parts and points, parts, points, heights."""
    flat = _flat(kind)
    if flat == _MULTIPOINT:
        (points,), parts, at = struct.unpack_from("<i", content, 36), 1, 40
    else:
        (parts, points), at = struct.unpack_from("<2i", content, 36), 44
    if points > MAX_POINTS:
        raise ValueError(f"has {points:,} points; at most {MAX_POINTS:,} are allowed")
    if points <= 0 or parts <= 0:
        raise ValueError("has no points")
    heights_at = at + 4 * parts * (flat != _MULTIPOINT) + 16 * points
    if parts > points or heights_at + (16 + 8 * points) * _has_heights(kind) > len(content):
        raise ValueError(f"says {parts:,} parts and {points:,} points, more than its record in the .shp file holds")
    all_points = _all_points(content, points, heights_at, high=_has_heights(kind))
    if flat == _MULTIPOINT:
        return geometry_parts.make_multipoint(all_points)
    each = _split(all_points, np.frombuffer(content, "<i4", parts, at))
    if flat == _LINE:
        return geometry_parts.collect([geometry_parts.make_line(part) for part in each], shapely.multilinestrings)
    return geometry_parts.assemble_polygons([geometry_parts.close_ring(part) for part in each])


def _all_points(content: bytes, points: int, heights_at: int, *, high: bool) -> Points:
    flat = np.frombuffer(content, "<f8", 2 * points, heights_at - 16 * points).reshape(points, 2)
    if high:
        heights = np.frombuffer(content, "<f8", points, heights_at + 16)
        if not (heights < _NO_HEIGHT).all():
            return np.column_stack([flat, np.where(heights < _NO_HEIGHT, np.nan, heights)])
    return flat


def _split(points: Points, starts: Any) -> list[Points]:  # noqa: ANN401  an array of 32-bit numbers
    ends = np.append(starts[1:], len(points))
    if starts[0] != 0 or (ends < starts).any() or ends[-1] > len(points):
        raise ValueError("has parts that are not one behind the other")
    for part in np.flatnonzero(ends == starts):
        raise ValueError(f"has an empty part: part {part + 1} of {len(starts):,}")
    return [points[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


def _flat(kind: int) -> int:
    return kind % 10


def _has_heights(kind: int) -> bool:
    return kind // 10 == 1
