"""Columns of geographies: well-known text to WKB and back, with the rules about points (write-side contract).

Numbers keep every bit: the text that is written is the shortest that reads back as the same double.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from proxy.exchange.exact_wkt import exact_wkt
from proxy.exchange.limits import DEEPEST_GEOGRAPHY, MOST_POINTS

Shapes = npt.NDArray[np.object_]


def read(column: pa.Array) -> tuple[Shapes, dict[int, str]]:
    """The shapes of a column, WKT if it is `string`, WKB if it is `binary`; and what is wrong, by row."""
    texts = column.to_numpy(zero_copy_only=False)
    if pa.types.is_binary(column.type):
        shapes = np.asarray(shapely.from_wkb(texts), object)
    else:
        shapes = _from_wkt(column, texts)
    wrong = {int(row): "is no well-known text of a geography" for row in np.flatnonzero(_missing(shapes))}
    wrong = {row: reason for row, reason in wrong.items() if texts[row] is not None}
    for row, reason in _broken_rules(shapes).items():
        wrong[row], shapes[row] = reason, None
    return _without_negative_zeros(shapes), wrong


def _from_wkt(column: pa.Array, texts: npt.NDArray[Any]) -> Shapes:
    deep = pc.greater(pc.count_substring(column, "("), DEEPEST_GEOGRAPHY)
    if pc.any(deep).as_py():
        deepest = [text is not None and _depth(text) > DEEPEST_GEOGRAPHY for text in texts]
        texts = texts.copy()
        texts[np.array(deepest)] = None
    try:
        return np.asarray(shapely.from_wkt(texts), object)
    except (shapely.GEOSException, NotImplementedError):  # the latter for curves
        return np.array([_one(text) for text in texts], object)


def _one(text: str | None) -> Any:  # noqa: ANN401  shapely ships no types
    try:
        return shapely.from_wkt(text)
    except (shapely.GEOSException, NotImplementedError):
        return None


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif character == ")":
            depth -= 1
    return deepest


def _missing(shapes: Shapes) -> npt.NDArray[np.bool_]:
    return np.asarray(shapely.is_missing(shapes), bool)


def _broken_rules(shapes: Shapes) -> dict[int, str]:
    present = ~_missing(shapes)
    points = shapely.get_num_coordinates(shapes)
    wrong: dict[int, str] = {}
    for broken, reason in (
        (present & (points == 0), "has no points"),
        (points > MOST_POINTS, f"has more than {MOST_POINTS:,} points"),
        (present & shapely.has_m(shapes), "has measures (M), which a geography can't have"),
        (present & ~_finite(shapes), "has a coordinate that is not a number"),
    ):
        for row in np.flatnonzero(broken):
            wrong.setdefault(int(row), reason)
    return wrong


def _finite(shapes: Shapes) -> npt.NDArray[np.bool_]:
    numbers, owners = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    numbers[~shapely.has_z(shapes)[owners], 2] = 0  # a flat shape's heights are NaN
    finite = np.ones(len(shapes), bool)
    finite[owners[~np.isfinite(numbers).all(axis=1)]] = False
    return finite


def _without_negative_zeros(shapes: Shapes) -> Shapes:
    """No coordinate is -0.0: well-known text can't say it, and it is the same place."""
    numbers, owners = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    for row in np.unique(owners[((numbers == 0) & np.signbit(numbers)).any(axis=1)]):
        shapes[row] = shapely.transform(
            shapes[row], lambda plain: plain + 0.0, include_z=bool(shapely.has_z(shapes[row]))
        )
    return shapes


def to_wkb(shapes: Shapes) -> pa.Array:
    """The column of the shapes, in the WKB that GeoParquet asks for."""
    return pa.array(shapely.to_wkb(shapes, byte_order=1, flavor="iso"), pa.binary(), from_pandas=True)


def to_wkt(column: pa.Array) -> pa.Array:
    """The well-known texts of a column of WKB, each of which reads back as the same bytes."""
    shapes = shapely.from_wkb(column.to_numpy(zero_copy_only=False))
    texts = np.asarray(shapely.to_wkt(shapes, rounding_precision=-1), object)
    # GEOS writes 16 digits of a number, and one in some hundred needs 17.
    differs = pc.not_equal(to_wkb(shapely.from_wkt(texts)), column).fill_null(fill_value=False)
    for row in np.flatnonzero(differs.to_numpy(zero_copy_only=False)):
        texts[row] = exact_wkt(shapes[row])
    return pa.array(texts, pa.string(), from_pandas=True)


def centroids(shapes: Shapes) -> tuple[pa.Array, pa.Array]:
    """Latitudes and longitudes of the shapes' centroids; null where there is none."""
    points = shapely.centroid(shapes)
    latitudes, longitudes = shapely.get_y(points), shapely.get_x(points)
    return pa.array(latitudes, pa.float64(), from_pandas=True), pa.array(longitudes, pa.float64(), from_pandas=True)
