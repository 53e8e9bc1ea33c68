"""Well-known text with all digits of each number, for what the geometry library would round.

A height is a third number without a letter, and NULL where a point lacks it, as SQL Server reads and writes them.
"""

import math
from typing import Any

import shapely


def exact_wkt(shape: Any) -> str:  # noqa: ANN401  shapely ships no types
    """The text of a shape; Python's spelling of a number is the shortest that reads back as the same."""
    return f"{shape.geom_type.upper()} {_body(shape)}"


def _body(shape: Any) -> str:  # noqa: ANN401
    if shape.is_empty:
        return "EMPTY"
    match shape.geom_type:
        case "Polygon":
            return f"({', '.join(map(_numbers, (shape.exterior, *shape.interiors)))})"
        case "GeometryCollection":
            return f"({', '.join(map(exact_wkt, shape.geoms))})"
        case "MultiPoint" | "MultiLineString" | "MultiPolygon":
            return f"({', '.join(map(_body, shape.geoms))})"
    return _numbers(shape)


def _numbers(shape: Any) -> str:  # noqa: ANN401
    points = shapely.get_coordinates(shape, include_z=bool(shape.has_z)).tolist()
    return f"({', '.join(' '.join(map(_number, point)) for point in points)})"


def _number(number: float) -> str:
    return "NULL" if math.isnan(number) else repr(number).removesuffix(".0")
