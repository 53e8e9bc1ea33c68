"""Columns of geographies: well-known text to WKB and back, and the rules for shapes (write-contract.md).

Numbers keep every bit: the text that is written is the shortest that reads back as the same double. A height may be
missing at some points of a shape: it is NaN in WKB and NULL in the text. Measures are dropped.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from proxy.formats.columns.buffers import Numbers, offsets, quote_value, without_empty
from proxy.formats.columns.wkt import Shapes, format_wkt, parse_wkt
from proxy.formats.limits import MAX_POINTS, MAX_SHAPE_BYTES

# The bits of the NaN that stands for a missing height; a binary file may have others.
_NAN = np.float64("nan").view(np.uint64)
# The library's numbers of the kinds of shapes.
_LINE, _RING, _POLYGON, _FIRST_MULTIPLE = 1, 2, 3, 4
_EMPTY = "is empty or has an empty part"


@dataclass(frozen=True, slots=True)
class Geographies:
    """A column in WKB, the centroids of its shapes, null where there is no shape; and what is wrong, by row."""

    wkb: pa.Array
    latitudes: pa.Array
    longitudes: pa.Array
    wrong: dict[int, str]


def convert_geographies(column: pa.Array) -> Geographies:
    """The geographies of a column, well-known text if it is `string` and WKB if it is `binary`.

    The library's shapes, many times as large as their text, are held some at a time.
    """
    if not pa.types.is_binary(column.type):
        column = without_empty(pc.utf8_trim_whitespace(column))
    parts: list[tuple[pa.Array, ...]] = []
    wrong: dict[int, str] = {}
    for start, count in _spans(column):
        shapes, reasons = read_shapes(column.slice(start, count))
        wrong |= {start + row: reason for row, reason in reasons.items()}
        centroids = shapely.centroid(shapes)
        coordinates = (shapely.get_y(centroids), shapely.get_x(centroids))
        parts.append((_to_wkb(shapes), *(pa.array(some, pa.float64(), from_pandas=True) for some in coordinates)))
    types = (pa.binary(), pa.float64(), pa.float64())
    columns = zip(*parts, strict=True) if parts else ([], [], [])
    wkb, latitudes, longitudes = (
        pa.chunked_array(list(chunks), type_).combine_chunks() for chunks, type_ in zip(columns, types, strict=True)
    )
    return Geographies(wkb, latitudes, longitudes, wrong)


def _spans(column: pa.Array) -> list[tuple[int, int]]:
    """Rows of about MAX_SHAPE_BYTES each: where they begin, and how many they are."""
    bounds = offsets(column).astype(np.int64)
    pieces = (bounds[:-1] - bounds[0]) // MAX_SHAPE_BYTES
    starts = np.flatnonzero(np.diff(pieces, prepend=-1))
    return list(zip(starts.tolist(), np.diff(starts, append=len(column)).tolist(), strict=True))


def read_shapes(column: pa.Array) -> tuple[Shapes, dict[int, str]]:
    """The shapes of a column, None where there is none; and what is wrong, by row."""
    is_text = not pa.types.is_binary(column.type)
    if is_text:
        shapes, wrong = parse_wkt(column)
    else:
        shapes = np.asarray(shapely.from_wkb(column.to_numpy(zero_copy_only=False), on_invalid="fix"), object)
        unread = np.flatnonzero(shapely.is_missing(shapes) & np.asarray(column.is_valid()))
        wrong = dict.fromkeys(unread.tolist(), "can't be read as a geography")
    shapes = _without_measures(shapes)
    for row, reason in _broken_rules(shapes).items():
        wrong[row] = f"{reason}: {quote_value(column[row].as_py())}" if is_text else reason
        shapes[row] = None
    return _in_plain_numbers(shapes), wrong


def _without_measures(shapes: Shapes) -> Shapes:
    for row in np.flatnonzero(shapely.has_m(shapes)):
        # By way of WKB: force_3d would lose the heights of shapes with measures.
        dimensions = 3 if shapely.has_z(shapes[row]) else 2
        shapes[row] = shapely.from_wkb(shapely.to_wkb(shapes[row], output_dimension=dimensions))
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


def _to_wkb(shapes: Shapes) -> pa.Array:
    """The column of the shapes, in the WKB that GeoParquet asks for."""
    return pa.array(shapely.to_wkb(shapes, byte_order=1, flavor="iso"), pa.binary(), from_pandas=True)


def format_geographies(column: pa.Array) -> pa.Array:
    """The well-known texts of a column of WKB, each of which reads back as the same bytes."""
    texts = format_wkt(shapely.from_wkb(column.to_numpy(zero_copy_only=False)))
    return pc.replace_substring(pa.array(texts, pa.string(), from_pandas=True), "NaN", "NULL")


def _broken_rules(shapes: Shapes) -> dict[int, str]:
    """The first rule that each shape breaks, by row."""
    wrong: dict[int, str] = {}
    points = shapely.get_num_coordinates(shapes)
    for row in np.flatnonzero(points > MAX_POINTS).tolist():
        wrong[row] = f"has {points[row]:,} points, and at most {MAX_POINTS:,} are allowed"

    def note(rows: Numbers, reason: str) -> None:
        for row in np.unique(rows).tolist():
            wrong.setdefault(row, reason)

    owners = np.flatnonzero(~shapely.is_missing(shapes))
    parts = shapes[owners]
    while (is_multiple := shapely.get_type_id(parts) >= _FIRST_MULTIPLE).any():
        note(owners[is_multiple & shapely.is_empty(parts)], _EMPTY)
        inner, of = shapely.get_parts(parts[is_multiple], return_index=True)
        parts = np.concatenate([parts[~is_multiple], inner])
        owners = np.concatenate([owners[~is_multiple], owners[is_multiple][of]])
    note(owners[shapely.is_empty(parts)], _EMPTY)
    numbers, rows = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    finite = np.isfinite(numbers[:, :2]).all(axis=1) & ~np.isinf(numbers[:, 2])  # a height may be missing
    note(rows[~finite], "has a coordinate that is not a number")
    kinds = shapely.get_type_id(parts)
    is_line, is_ring, is_polygon = kinds == _LINE, kinds == _RING, kinds == _POLYGON
    note(owners[is_line][_count_places(parts[is_line]) < 2], "has a line of one place, and needs two")  # noqa: PLR2004
    inner, of = shapely.get_rings(parts[is_polygon], return_index=True)
    rings = np.concatenate([parts[is_ring], inner])
    owners = np.concatenate([owners[is_ring], owners[is_polygon][of]])
    note(owners[_count_places(rings) < 3], "has a ring of fewer than three different places")  # noqa: PLR2004
    return wrong


def _count_places(shapes: Shapes) -> npt.NDArray[np.int64]:
    """How many different places each shape has, up to three."""
    numbers, owners = shapely.get_coordinates(shapes, return_index=True)
    counts = np.zeros(len(shapes), np.int64)
    left = np.arange(len(owners))
    for _ in range(3):
        # The first place of each shape counts; the points at other places are left.
        of, first = np.unique(owners[left], return_index=True)
        counts[of] += 1
        same = np.zeros(len(shapes), np.int64)
        same[of] = left[first]
        left = left[(numbers[left] != numbers[same[owners[left]]]).any(axis=1)]
    return counts
