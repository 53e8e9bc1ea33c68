"""Columns of well-known text: to shapes of the geometry library and back.

Read are the library's dialect and SQL Server's, which writes a height as a plain third number, a measure as a fourth,
and `NULL` for a height that a point lacks. Written is SQL Server's, whose types refuse the letter Z.
"""

import math
import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from proxy.formats.columns.buffers import quote_value
from proxy.formats.limits import MAX_GEOGRAPHY_DEPTH, MAX_POINTS

Shapes = npt.NDArray[np.object_]

_FORM = "it has to be well-known text like POINT (-122.3 47.6) or POLYGON ((0 0, 1 0, 1 1, 0 0))"
# Numbers to the library, but not to SQL Server. Arrow matches by RE2.
_NO_NUMBER = r"(?i)\b(?:nan|inf(?:inity)?)\b"
_HEXADECIMAL = r"(?i)[0-9]x"
_BETWEEN_MARKS = re.compile(r"[^(),]++")
_POINT = re.compile(r"-?[0-9][^(),]*+")
_POINT_NUMBERS = range(2, 5)
"""How many numbers a point has: longitude, latitude, height and measure."""
_BRACKET_DISTANCE = 20
"""Characters before a point that may hold its own bracket."""
_DIMENSIONS = ("ZM", "Z", "M")


def parse_wkt(column: pa.Array) -> tuple[Shapes, dict[int, str]]:
    """The shapes of a `string` column, None where a text is null or wrong; and the reasons, by row.

    A ring that is not closed is closed.
    """
    texts = column.to_numpy(zero_copy_only=False)
    wrong = _find_unreadable(column)
    if wrong:
        texts = texts.copy()
        texts[list(wrong)] = None
    found = _from_wkt(texts)
    shapes = np.array([_from_wkt(text) for text in texts] if found is None else found, object)
    for row in np.flatnonzero(shapely.is_missing(shapes)).tolist():
        text = texts[row]
        if text is not None:
            shapes[row] = _from_wkt(_Rewriter().rewrite(text))
            if shapes[row] is None:
                wrong[row] = f"is {quote_value(text)}: {_FORM}"
    return shapes, wrong


def _from_wkt(text: Shapes | str | None) -> Shapes | shapely.Geometry | None:
    """The library's shapes; None for curves, which it knows but can't read."""
    try:
        return shapely.from_wkt(text, on_invalid="fix")
    except NotImplementedError:
        return None


def _find_unreadable(column: pa.Array) -> dict[int, str]:
    """The reasons for texts that the library must not read, by row: too many points, too deep, or not SQL Server's."""
    wrong: dict[int, str] = {}
    for row in _rows(pc.greater(pc.count_substring(column, "("), MAX_GEOGRAPHY_DEPTH)):
        text = column[row].as_py()
        if (depth := _depth(text)) > MAX_GEOGRAPHY_DEPTH:
            allowed = f"at most {MAX_GEOGRAPHY_DEPTH} are allowed: {quote_value(text)}"
            wrong[row] = f"has {depth:,} brackets in each other, and {allowed}"
    for found, form in (
        (pc.greater_equal(pc.count_substring(column, ","), MAX_POINTS), f"has more than {MAX_POINTS:,} points: {{}}"),
        (pc.match_substring_regex(column, _NO_NUMBER), "has a coordinate that is not a number: {}"),
        (pc.match_substring_regex(column, _HEXADECIMAL), f"is {{}}: {_FORM}"),
    ):
        for row in _rows(found):
            wrong.setdefault(row, form.format(quote_value(column[row].as_py())))
    return wrong


def _rows(found: pa.Array) -> list[int]:
    rows: list[int] = np.flatnonzero(found.fill_null(fill_value=False)).tolist()
    return rows


def _depth(text: str) -> int:
    data = np.frombuffer(text.encode(), np.uint8)
    steps = (data == ord("(")).astype(np.int8) - (data == ord(")")).astype(np.int8)
    return int(np.cumsum(steps, dtype=np.int32).max(initial=0))


class _Rewriter:
    """Rewrites one text of SQL Server's dialect for the library.

    All points get a height (NaN where there is none) if one of them has it, else none. Measures are dropped.
    """

    def __init__(self) -> None:
        self._has_height = self._is_measured = self._is_bare = False

    def rewrite(self, text: str) -> str | None:
        """The text with two or three numbers a point; None where it is no well-known text."""
        try:
            text = _BETWEEN_MARKS.sub(self._rewrite_part, text)
        except ValueError:
            return None
        return _BETWEEN_MARKS.sub(_add_height, text) if self._has_height else text

    def _rewrite_part(self, match: re.Match[str]) -> str:
        """What is between brackets and commas: words, or the numbers of a point."""
        parts = match[0].split()
        if not parts:
            return ""
        if parts[0][0].isalpha():
            return self._rewrite_words(" ".join(parts).upper())
        if len(parts) not in _POINT_NUMBERS:
            raise ValueError("no point")
        has_height = not self._is_measured and "".join(parts[2:3]).upper() not in {"", "NULL"}
        self._has_height |= has_height
        point = " ".join(parts[: 2 + has_height])
        # The library loses a height that is NaN in a MULTIPOINT whose points have no brackets of their own.
        return f"({point})" if self._is_bare and not _is_in_brackets(match) else point

    def _rewrite_words(self, kind: str) -> str:
        """The kind of a shape without its dimensions."""
        empty = " EMPTY" if kind.endswith(" EMPTY") else ""
        kind = kind.removesuffix(empty)
        if kind != "EMPTY":
            dimension = next((one for one in _DIMENSIONS if kind.endswith(one)), "")
            self._is_measured = dimension == "M"
            kind = kind.removesuffix(dimension).rstrip()
            self._is_bare = kind == "MULTIPOINT"
        return f"{kind}{empty}"


def _add_height(match: re.Match[str]) -> str:
    text: str = match[0]
    return f"{text} NaN" if text.count(" ") == 1 and not text[0].isalpha() else text


def _is_in_brackets(match: re.Match[str]) -> bool:
    """Whether a point of a MULTIPOINT has brackets of its own, and not those of the whole."""
    before = match.string[max(0, match.start() - _BRACKET_DISTANCE) : match.start()].rstrip()
    return before.endswith("(") and before[:-1].rstrip()[-1:] in {"(", ","}


def format_wkt(shapes: Shapes) -> Shapes:
    """The texts of shapes, each of which reads back as the same shape, None for None."""
    texts = np.asarray(shapely.to_wkt(shapes, rounding_precision=-1, old_3d=True), object)
    # The library writes 16 digits of a number, and one in some hundred needs 17.
    differs = shapely.to_wkb(shapely.from_wkt(texts)) != shapely.to_wkb(shapes)
    for row in np.flatnonzero(differs):
        texts[row] = _with_all_digits(texts[row], shapes[row])
    return texts


def _with_all_digits(text: str, shape: shapely.Geometry) -> str:
    """The text of a shape with the shortest numbers that read back as the same."""
    points = iter(shapely.get_coordinates(shape, include_z=True).tolist())

    def rewrite(match: re.Match[str]) -> str:
        return " ".join(map(_format_number, next(points)[: match[0].count(" ") + 1]))

    return _POINT.sub(rewrite, text)


def _format_number(number: float) -> str:
    return "NaN" if math.isnan(number) else repr(number).removesuffix(".0")
