"""Columns of geographies: well-known text to WKB and back, with the rules about points (write-side contract).

Numbers keep every bit: the text that is written is the shortest that reads back as the same double. A height may be
missing at some points of a shape: it is NaN in WKB and NULL in the text. Measures are dropped.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from proxy.formats.columns.buffers import offsets, quote_value
from proxy.formats.columns.exact_wkt import exact_wkt
from proxy.formats.columns.geometry_rules import broken_rules
from proxy.formats.columns.sql_server_wkt import plain_wkt
from proxy.formats.limits import DEEPEST_GEOGRAPHY, LARGEST_SHAPES, MOST_POINTS

Shapes = npt.NDArray[np.object_]

_NOT_WKT = "it has to be well-known text like POINT (-122.3 47.6) or POLYGON ((0 0, 1 0, 1 1, 0 0))"
_NO_NUMBER = r"(?i)\b(?:nan|inf(?:inity)?)\b"
_HEXADECIMAL = r"(?i)[0-9]x"

# The bits of the NaN that stands for a missing height; a binary file may have others.
_NAN = np.float64("nan").view(np.uint64)


@dataclass(frozen=True, slots=True)
class Geographies:
    """A column in WKB, the centroids of its shapes, null where there is no shape; and what is wrong, by row."""

    wkb: pa.Array
    latitudes: pa.Array
    longitudes: pa.Array
    wrong: dict[int, str]


def convert(column: pa.Array) -> Geographies:
    """The geographies of a column. The library's shapes, many times as large as their text, are held some at a time."""
    parts: list[Geographies] = []
    wrong: dict[int, str] = {}
    for start, count in _spans(column):
        shapes, reasons = read(column.slice(start, count))
        wrong |= {start + row: reason for row, reason in reasons.items()}
        parts.append(Geographies(to_wkb(shapes), *centroids(shapes), {}))
    return Geographies(
        pa.chunked_array([part.wkb for part in parts], pa.binary()).combine_chunks(),
        pa.chunked_array([part.latitudes for part in parts], pa.float64()).combine_chunks(),
        pa.chunked_array([part.longitudes for part in parts], pa.float64()).combine_chunks(),
        wrong,
    )


def _spans(column: pa.Array) -> list[tuple[int, int]]:
    """Rows of about LARGEST_SHAPES bytes each: where they begin, and how many they are."""
    bounds = offsets(column).astype(np.int64)
    pieces = (bounds[:-1] - bounds[0]) // LARGEST_SHAPES
    starts = np.flatnonzero(np.diff(pieces, prepend=-1))
    return list(zip(starts.tolist(), np.diff(starts, append=len(column)).tolist(), strict=True))


def read(column: pa.Array) -> tuple[Shapes, dict[int, str]]:
    """The shapes of a column, WKT if it is `string`, WKB if it is `binary`; and what is wrong, by row."""
    wrong: dict[int, str] = {}
    has_text = not pa.types.is_binary(column.type)
    if not has_text:
        texts = column.to_numpy(zero_copy_only=False)
        shapes = np.asarray(shapely.from_wkb(texts, on_invalid="fix"), object)
        reason = "can't be read as a geography"
        wrong = {int(row): reason for row in np.flatnonzero(shapely.is_missing(shapes)) if texts[row] is not None}
    else:
        shapes = _from_wkt(column, wrong)
    shapes = _without_measures(shapes)
    for row, reason in broken_rules(shapes).items():
        wrong[row] = f"{reason}: {quote_value(column[row].as_py())}" if has_text else reason
        shapes[row] = None
    return _in_plain_numbers(shapes), wrong


def _from_wkt(column: pa.Array, wrong: dict[int, str]) -> Shapes:
    """The shapes; `wrong` gets the reasons of those that are none."""
    texts = column.to_numpy(zero_copy_only=False)
    wrong |= _hopeless(column)
    if wrong:
        texts = texts.copy()
        texts[list(wrong)] = None
    try:
        with np.errstate(over="ignore"):
            shapes = np.array(shapely.from_wkt(texts, on_invalid="fix"), object)
    except NotImplementedError:  # curves
        shapes = np.array([_one(text) for text in texts], object)
    for row in np.flatnonzero(shapely.is_missing(shapes)):
        text = texts[row]
        if text is not None:
            shapes[row] = _one(plain_wkt(text))
            if shapes[row] is None:
                wrong[int(row)] = f"is {quote_value(text)}: {_NOT_WKT}"
    return shapes


def _hopeless(column: pa.Array) -> dict[int, str]:
    """What the library must not read: too many points, too deep, and numbers that only it takes for some."""
    wrong: dict[int, str] = {}
    many = pc.greater_equal(pc.count_substring(column, ","), MOST_POINTS)
    deep = pc.greater(pc.count_substring(column, "("), DEEPEST_GEOGRAPHY)
    for row in np.flatnonzero(deep.fill_null(fill_value=False)).tolist():
        if (depth := _depth(column[row].as_py())) > DEEPEST_GEOGRAPHY:
            too_deep = f"has {depth:,} brackets in each other, and at most {DEEPEST_GEOGRAPHY} are allowed"
            wrong[row] = f"{too_deep}: {quote_value(column[row].as_py())}"
    for found, reason in (
        (many, f"has more than {MOST_POINTS:,} points"),
        (pc.match_substring_regex(column, _NO_NUMBER), "has a coordinate that is not a number"),
        (pc.match_substring_regex(column, _HEXADECIMAL), None),
    ):
        for row in np.flatnonzero(found.fill_null(fill_value=False)).tolist():
            text = column[row].as_py()
            wrong.setdefault(row, f"{reason}: {quote_value(text)}" if reason else f"is {quote_value(text)}: {_NOT_WKT}")
    return wrong


def _one(text: str | None) -> Any:  # noqa: ANN401  shapely ships no types
    try:
        with np.errstate(over="ignore"):
            return shapely.from_wkt(text, on_invalid="fix")
    except NotImplementedError:
        return None


def _depth(text: str) -> int:
    data = np.frombuffer(text.encode(), np.uint8)
    steps = (data == ord("(")).astype(np.int8) - (data == ord(")")).astype(np.int8)
    return int(np.cumsum(steps, dtype=np.int32).max(initial=0))


def _without_measures(shapes: Shapes) -> Shapes:
    measured, high = shapely.has_m(shapes), shapely.has_z(shapes)
    for row in np.flatnonzero(measured):
        # By way of WKB: force_3d would lose the heights of shapes with measures.
        flat_or_high = shapely.to_wkb(shapes[row], output_dimension=3) if high[row] else None
        shapes[row] = shapely.from_wkb(flat_or_high) if flat_or_high else shapely.force_2d(shapes[row])
    return shapes


def _in_plain_numbers(shapes: Shapes) -> Shapes:
    """No coordinate is -0.0, and no missing height another NaN than NULL is: well-known text can't say these."""
    numbers, owners = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    odd = ((numbers == 0) & np.signbit(numbers)) | (np.isnan(numbers) & (numbers.view(np.uint64) != _NAN))
    for row in np.unique(owners[odd.any(axis=1)]):
        shapes[row] = shapely.transform(
            shapes[row],
            lambda plain: np.where(np.isnan(plain), np.nan, plain + 0.0),
            include_z=bool(shapely.has_z(shapes[row])),
        )
    return shapes


def to_wkb(shapes: Shapes) -> pa.Array:
    """The column of the shapes, in the WKB that GeoParquet asks for."""
    return pa.array(shapely.to_wkb(shapes, byte_order=1, flavor="iso"), pa.binary(), from_pandas=True)


def to_wkt(column: pa.Array) -> pa.Array:
    """The well-known texts of a column of WKB, each of which reads back as the same bytes.

    A height is a third number without a letter: SQL Server's types refuse the Z.
    """
    shapes = shapely.from_wkb(column.to_numpy(zero_copy_only=False))
    texts = np.asarray(shapely.to_wkt(shapes, rounding_precision=-1, old_3d=True), object)
    # GEOS writes 16 digits of a number, and one in some hundred needs 17.
    differs = pc.not_equal(to_wkb(shapely.from_wkt(texts)), column).fill_null(fill_value=False)
    for row in np.flatnonzero(differs.to_numpy(zero_copy_only=False)):
        texts[row] = exact_wkt(shapes[row])
    return pc.replace_substring(pa.array(texts, pa.string(), from_pandas=True), "NaN", "NULL")


def centroids(shapes: Shapes) -> tuple[pa.Array, pa.Array]:
    """Latitudes and longitudes of the shapes' centroids; null where there is none."""
    points = shapely.centroid(shapes)
    latitudes, longitudes = shapely.get_y(points), shapely.get_x(points)
    return pa.array(latitudes, pa.float64(), from_pandas=True), pa.array(longitudes, pa.float64(), from_pandas=True)
