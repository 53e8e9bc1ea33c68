"""A placemark's geometry as well-known text."""

import re

from lxml import etree

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[Ee][+-]?[0-9]+)?"
_TUPLE = re.compile(rf"({_NUMBER}),({_NUMBER})(?:,({_NUMBER}))?")
KINDS = ("Point", "LineString", "LinearRing", "Polygon", "MultiGeometry")


def well_known_text(placemark: etree._Element) -> str | None:
    """The first geometry in a placemark; None if it has none.

    Raises:
        ValueError: its coordinates are none.
    """
    for child in placemark:
        if child.tag in KINDS:
            return _written(child)
    return None


def _written(element: etree._Element) -> str:
    if element.tag == "MultiGeometry":
        parts = ", ".join(_written(child) for child in element if child.tag in KINDS)
        return f"GEOMETRYCOLLECTION ({parts})" if parts else "GEOMETRYCOLLECTION EMPTY"
    if element.tag == "Polygon":
        rings = element.findall("outerBoundaryIs/LinearRing") + element.findall("innerBoundaryIs/LinearRing")
        tuples = [_tuples(ring) for ring in rings]
        high = any(map(_has_height, tuples))
        return f"POLYGON{' Z' * high} ({', '.join(_points(ring, high=high) for ring in tuples)})"
    points = _tuples(element)
    high = _has_height(points)
    kind = "POINT" if element.tag == "Point" else "LINESTRING"
    return f"{kind}{' Z' * high} {_points(points, high=high)}"


def _tuples(element: etree._Element) -> list[tuple[str, str, str]]:
    tuples = []
    # Some writers put a space after a comma.
    for written in re.sub(r"\s*,\s*", ",", element.findtext("coordinates") or "").split():
        match = _TUPLE.fullmatch(written)
        if match is None:
            raise ValueError(f"has coordinates that are none: {written[:50]}")
        tuples.append((match[1], match[2], match[3] or "0"))
    return tuples


def _has_height(points: list[tuple[str, str, str]]) -> bool:
    """Whether any point is not on the ground: most writers say 0, and mean that there is no height."""
    return any(float(height) for _, _, height in points)


def _points(points: list[tuple[str, str, str]], *, high: bool) -> str:
    return f"({', '.join(' '.join(point if high else point[:2]) for point in points)})"
