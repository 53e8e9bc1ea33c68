"""A placemark's geometry as WKB."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import shapely

from proxy.formats.columns import geometry_parts as shape_parts
from proxy.formats.columns.geometry_parts import Points
from proxy.formats.limits import MOST_POINTS

_NUMBER = re.compile(r"[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[Ee][+-]?[0-9]++)?")
_LONGEST_TUPLE = 1_000
_SHOWN = 50
_LINES, _COLLECTION = {"LineString", "LinearRing"}, "MultiGeometry"
_KINDS = {"Point", "Polygon", _COLLECTION} | _LINES
_OTHERS = {"Track", "MultiTrack", "Model"}
_NO_GEOMETRY = {"ExtendedData", "Metadata", "Style", "StyleMap"}
_COORDINATES = ("coordinates", "coord", "posList", "pos")


def wkb(placemark: Element) -> bytes | None:
    """The geometry of a placemark; None if it has none. Several of one kind are one of that kind.

    Raises:
        ValueError: its coordinates are none, or it is of a kind that can't be loaded.
    """
    geometries = [child for child in placemark if child.tag in _KINDS or _is_other(child)]
    if not geometries:
        return None
    made: bytes = shapely.to_wkb(_shape(_leaves(geometries)))
    return made


def has_geometry(placemark: Element) -> bool:
    """Whether a placemark has a geometry, sound or not."""
    return any(child.tag in _KINDS or _is_other(child) for child in placemark)


def _is_other(element: Element) -> bool:
    """Whether this is a geometry that is none of KML's, or one that can't be loaded."""
    if not len(element) or element.tag in _NO_GEOMETRY:
        return element.tag in _OTHERS
    return element.tag in _OTHERS or any(element.find(f".//{name}") is not None for name in _COORDINATES)


def _leaves(geometries: list[Element]) -> list[Element]:
    """The geometries, and those inside of collections."""
    found: list[Element] = []
    for element in geometries:
        if element.tag == _COLLECTION:
            found += _leaves(list(element))
        elif element.tag in _KINDS:
            found.append(element)
        elif _is_other(element):
            raise ValueError(
                f"is a {element.tag[:_SHOWN]}, which can't be loaded; Point, LineString, LinearRing, Polygon and "
                "MultiGeometry can"
            )
    return found


def _shape(leaves: list[Element]) -> Any:  # noqa: ANN401  shapely ships no types
    kinds = {"LineString" if leaf.tag in _LINES else leaf.tag for leaf in leaves}
    if len(kinds) > 1:
        raise ValueError(f"is a MultiGeometry of several kinds: {', '.join(sorted(kinds))}; it has to be of one kind")
    if not leaves:
        raise ValueError("is a MultiGeometry that holds no geometry")
    kind = kinds.pop()
    return shape_parts.one_of(list(map(_MAKERS[kind], _all_points(leaves))), _COLLECTED[kind])


def _all_points(leaves: list[Element]) -> list[list[Points]]:
    """The points of each ring of each geometry, all with heights or all without.

    Heights of 0 are none: most writers say 0, and mean the ground.
    """
    left, found = MOST_POINTS, []
    for leaf in leaves:
        rings = []
        for ring in _rings(leaf):
            rings.append(_points(ring, left))
            left -= len(rings[-1])
        if leaf.tag == "LinearRing":
            rings = [shape_parts.ring(rings[0])]
        found.append(rings)
    high = any(ring[:, 2].any() for rings in found for ring in rings)
    return found if high else [[ring[:, :2] for ring in rings] for rings in found]


def _rings(leaf: Element) -> Iterator[Element]:
    """The elements that hold the coordinates: a polygon's rings, the outer one first; else the geometry itself."""
    if leaf.tag != "Polygon":
        yield leaf
        return
    outer = leaf.findall("outerBoundaryIs/LinearRing")
    if len(outer) != 1:
        raise ValueError(
            f"is a Polygon with {len(outer) or 'no'} outer rings (outerBoundaryIs/LinearRing) instead of one"
        )
    yield from outer
    yield from leaf.iterfind("innerBoundaryIs/LinearRing")


def _point(points: list[Points]) -> Any:  # noqa: ANN401
    if len(points[0]) != 1:
        raise ValueError(f"is a Point with {len(points[0]):,} coordinates instead of one")
    return shape_parts.multipoint(points[0]).geoms[0]


_MAKERS: dict[str, Callable[[list[Points]], Any]] = {
    "Point": _point,
    "LineString": lambda points: shape_parts.line(points[0]),
    "Polygon": lambda points: shape_parts.polygon([shape_parts.ring(ring) for ring in points]),
}
_COLLECTED: dict[str, Callable[[list[Any]], Any]] = {
    "Point": shapely.multipoints,
    "LineString": shapely.multilinestrings,
    "Polygon": shapely.multipolygons,
}


def _points(element: Element, most: int) -> Points:
    """The coordinates of an element, each with a height."""
    coordinates = element.find("coordinates")
    written = "" if coordinates is None else "".join(coordinates.itertext())
    # Some writers put a space beside a comma.
    few = written.count(",") <= 2 * most
    tuples = ",".join(part.strip() for part in written.split(",")).split(None, most) if few else []
    if not few or len(tuples) > most:
        raise ValueError(f"has more than {MOST_POINTS:,} points")
    if not tuples:
        raise ValueError(f"is a {element.tag} without coordinates")
    return np.array([_numbers(one) for one in tuples])


def _numbers(written: str) -> tuple[float, float, float]:
    parts = written.split(",", 3)
    if len(parts) not in {2, 3} or len(written) > _LONGEST_TUPLE or None in map(_NUMBER.fullmatch, parts):
        raise ValueError(f"has coordinates that are not longitude,latitude[,height]: {written[:_SHOWN]}")
    return float(parts[0]), float(parts[1]), float(parts[2]) if len(parts) == 3 else 0.0  # noqa: PLR2004  with a height
