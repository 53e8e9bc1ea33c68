"""A placemark's geometry as WKB."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import shapely
from lxml.etree import _Element

from proxy.formats.columns import geometry_parts
from proxy.formats.columns.geometry_parts import Points
from proxy.formats.limits import MAX_POINTS
from proxy.formats.xml.parser import local_name

_NUMBER = re.compile(r"[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[Ee][+-]?[0-9]++)?")
_LONGEST_TUPLE = 1_000
_SHOWN = 50
# What each loadable kind becomes.
_KINDS = {"Point": "Point", "LineString": "LineString", "LinearRing": "LineString", "Polygon": "Polygon"}
_COLLECTION = "MultiGeometry"
_UNLOADABLE = {"Track", "MultiTrack", "Model"}
_WITHOUT_GEOMETRY = {"ExtendedData", "Metadata", "Style", "StyleMap"}
_COORDINATES = [f".//{{*}}{name}" for name in ("coordinates", "coord", "posList", "pos")]


def to_wkb(placemark: _Element) -> bytes | None:
    """The geometry of a placemark; None if it has none. Several of one kind are one of that kind.

    Raises:
        ValueError: its coordinates are none, or it is of a kind that can't be loaded.
    """
    geometries = [child for child in placemark if _is_geometry(child)]
    if not geometries:
        return None
    wkb: bytes = shapely.to_wkb(_build(list(_leaves(geometries))))
    return wkb


def has_geometry(placemark: _Element) -> bool:
    """Whether a placemark has a geometry, sound or not."""
    return any(map(_is_geometry, placemark))


def _is_geometry(element: _Element) -> bool:
    """Whether this is a geometry, even one that KML doesn't have or that can't be loaded."""
    name = local_name(element)
    if name in _KINDS or name == _COLLECTION or name in _UNLOADABLE:
        return True
    return name not in _WITHOUT_GEOMETRY and any(element.find(path) is not None for path in _COORDINATES)


def _leaves(geometries: list[_Element]) -> Iterator[_Element]:
    """The geometries, and those inside of collections."""
    for element in geometries:
        name = local_name(element)
        if name == _COLLECTION:
            yield from _leaves(list(element))
        elif name in _KINDS:
            yield element
        elif _is_geometry(element):
            raise ValueError(
                f"is a {name[:_SHOWN]}, which can't be loaded; Point, LineString, LinearRing, Polygon and "
                "MultiGeometry can"
            )


def _build(leaves: list[_Element]) -> Any:  # noqa: ANN401  shapely ships no types
    kinds = {_KINDS[local_name(leaf)] for leaf in leaves}
    if len(kinds) > 1:
        raise ValueError(f"is a MultiGeometry of several kinds: {', '.join(sorted(kinds))}; it has to be of one kind")
    if not leaves:
        raise ValueError("is a MultiGeometry that holds no geometry")
    build, collect = _BUILDERS[kinds.pop()]
    return geometry_parts.collect([build(rings) for rings in _parse_leaves(leaves)], collect)


def _parse_leaves(leaves: list[_Element]) -> list[list[Points]]:
    """The points of each ring of each geometry, all with heights or all without.

    Heights of 0 are none: most writers mean the ground by 0.
    """
    most, geometries = MAX_POINTS, []
    for leaf in leaves:
        rings = []
        for ring in _rings(leaf):
            rings.append(_parse_coordinates(ring, most))
            most -= len(rings[-1])
        if local_name(leaf) == "LinearRing":
            rings = [geometry_parts.close_ring(rings[0])]
        geometries.append(rings)
    if any(ring[:, 2].any() for rings in geometries for ring in rings):
        return geometries
    return [[ring[:, :2] for ring in rings] for rings in geometries]


def _rings(leaf: _Element) -> list[_Element]:
    """The elements that hold the coordinates: a polygon's rings, the outer one first; else the geometry itself."""
    if local_name(leaf) != "Polygon":
        return [leaf]
    outer = leaf.findall("{*}outerBoundaryIs/{*}LinearRing")
    if len(outer) != 1:
        raise ValueError(
            f"is a Polygon with {len(outer) or 'no'} outer rings (outerBoundaryIs/LinearRing) instead of one"
        )
    return outer + leaf.findall("{*}innerBoundaryIs/{*}LinearRing")


def _point(rings: list[Points]) -> Any:  # noqa: ANN401
    if len(rings[0]) != 1:
        raise ValueError(f"is a Point with {len(rings[0]):,} coordinates instead of one")
    return geometry_parts.make_multipoint(rings[0]).geoms[0]


_BUILDERS: dict[str, tuple[Callable[[list[Points]], Any], Callable[[list[Any]], Any]]] = {
    "Point": (_point, shapely.multipoints),
    "LineString": (lambda rings: geometry_parts.make_line(rings[0]), shapely.multilinestrings),
    "Polygon": (
        lambda rings: geometry_parts.make_polygon([geometry_parts.close_ring(ring) for ring in rings]),
        shapely.multipolygons,
    ),
}
"""How to build a geometry of its rings, and one of several."""


def _parse_coordinates(element: _Element, most: int) -> Points:
    """The coordinates of an element, each with a height."""
    coordinates = element.find("{*}coordinates")
    text = "" if coordinates is None else "".join(coordinates.itertext())
    if text.count(",") > 2 * most:
        raise ValueError(f"has more than {MAX_POINTS:,} points")
    # Some writers put a space beside a comma.
    tuples = ",".join(part.strip() for part in text.split(",")).split(None, most)
    if len(tuples) > most:
        raise ValueError(f"has more than {MAX_POINTS:,} points")
    if not tuples:
        raise ValueError(f"is a {local_name(element)} without coordinates")
    return np.array([_parse_tuple(one) for one in tuples])


def _parse_tuple(text: str) -> tuple[float, float, float]:
    numbers = text.split(",", 3)
    if len(numbers) not in {2, 3} or len(text) > _LONGEST_TUPLE or None in map(_NUMBER.fullmatch, numbers):
        raise ValueError(f"has coordinates that are not longitude,latitude[,height]: {text[:_SHOWN]}")
    longitude, latitude, height = (*map(float, numbers), 0.0)[:3]
    return longitude, latitude, height
