"""Reads the shapes of requests (query-api.md, 1.3). It loads GEOS when it is first called, for few requests need it."""

import re

from proxy.formats.limits import MAX_GEOGRAPHY_DEPTH
from proxy.query.areas import Geometry
from proxy.query.errors import QueryError, quote_value

_FORM = "Allowed is well-known text like POINT(-122.3 47.6) or POLYGON((0 0,1 0,1 1,0 0)), longitude first"
_REFUSED = (
    (re.compile(r"\s*SRID\b", re.IGNORECASE), "has an SRID: coordinates are WGS 84 always"),
    (re.compile(r"\bEMPTY\b", re.IGNORECASE), "is empty or has an empty part"),
    (re.compile(r"\bLINEARRING\b", re.IGNORECASE), "is of a type that is the library's alone"),
    (re.compile(r"\b(?:NAN|INF(?:INITY)?)\b|[0-9]X|[^\t\n\r\x20-\x7e]", re.IGNORECASE), "is no well-known text"),
)
_MISSING_HEIGHT = re.compile(r"\bNULL\b", re.IGNORECASE)
"""SQL Server's word, which answers show too; to the library it is NaN."""
_MAX_LATITUDE = 90


def parse_shape(text: str, parameter: str) -> Geometry:
    """The valid, two-dimensional shape of a well-known text; heights and measures are dropped.

    A ring that crosses itself is made valid: a bow tie is both its halves.

    Raises:
        QueryError: the text is none, a ring is open, a part is empty, a latitude is beyond 90, or the shape is too
            entangled to be made valid.
    """
    import numpy as np  # noqa: PLC0415  few requests have a shape
    import shapely  # noqa: PLC0415  the same

    from proxy.query.crossings import CrossingsError, make_valid  # noqa: PLC0415  the same

    def refuse(reason: str) -> QueryError:
        return QueryError(f"The parameter {parameter} has the shape {quote_value(text)}, which {reason}. {_FORM}.")

    for pattern, reason in _REFUSED:
        if pattern.search(text):
            raise refuse(reason)
    if _depth(text) > MAX_GEOGRAPHY_DEPTH:
        raise refuse(f"has more than {MAX_GEOGRAPHY_DEPTH} brackets in each other")
    try:
        with np.errstate(all="ignore"):  # numbers near the largest double may become infinite, and are refused below
            shape = shapely.force_2d(shapely.from_wkt(_MISSING_HEIGHT.sub("NaN", text)))
            numbers = shapely.get_coordinates(shape)
            if not np.isfinite(numbers).all():
                raise refuse("has a coordinate that is no finite number")
            if (np.abs(numbers[:, 1]) > _MAX_LATITUDE).any():
                raise refuse(f"has a latitude beyond {_MAX_LATITUDE}")
            return make_valid(shape)
    except CrossingsError as error:
        raise refuse(str(error)) from error
    except (shapely.errors.ShapelyError, NotImplementedError) as error:  # the latter for curves
        is_open = "closed" in str(error)
        raise refuse("has a ring that does not end where it begins" if is_open else "can't be read") from error


def _depth(text: str) -> int:
    depth = deepest = 0
    for mark in re.finditer(r"[()]", text):
        depth += 1 if mark[0] == "(" else -1
        deepest = max(deepest, depth)
    return deepest
