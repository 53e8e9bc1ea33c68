"""The columns of a version's file beside its properties; no property can have such a name.

| column | values |
|---|---|
| `:key`, `:latitude`, `:longitude`, `:geography` | of these roles, whatever the property is called |
| `lower:NAME` | a String in lower case, as texts compare; not there where the property itself is that |
| `near:row`, `near:latitude`, `near:longitude` | the points in the order of their latitudes, and their rows |
| `bounds:west` ... | of the geography, of the point where there is none; only there with a geography |
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from proxy.query.distance import Numbers
from proxy.query.version_file import VersionFile

Rows = npt.NDArray[np.int32]
"""Numbers of rows. As rows are in the order of their ids, a row's number is the rank of its id."""

EMPTY = pa.scalar("", pa.string())
"""What a missing String is. Made once: Arrow looks for pandas each time it converts a value of unknown type."""

KEY, GEOGRAPHY = ":key", ":geography"
LATITUDE, LONGITUDE = ":latitude", ":longitude"
LOWER = "lower:"
NEAR_ROW, NEAR_LATITUDE, NEAR_LONGITUDE = "near:row", "near:latitude", "near:longitude"
BOUNDS = ("bounds:west", "bounds:south", "bounds:east", "bounds:north")


def text_column(version: VersionFile, name: str) -> pa.Array:
    """A String property in lower case, as texts compare (query-api.md, section 1.5)."""
    lower = LOWER + name
    return version.column(lower if lower in version else name)


def lower(text: str) -> str:
    """A text in lower case as Arrow has the columns: code point by code point, which Python's own is not."""
    lowered: str = pc.utf8_lower(pa.scalar(text, pa.string())).as_py()
    return lowered


def take(column: pa.Array, rows: Rows | None) -> pa.Array:
    """The values of some rows; None is all of them."""
    return column if rows is None else column.take(pa.array(rows))


def numbers(version: VersionFile, name: str) -> Numbers:
    """A column of Doubles."""
    values: Numbers = version.column(name).to_numpy(zero_copy_only=False)
    return values


def locations(version: VersionFile, rows: Rows | None = None) -> tuple[Numbers, Numbers]:
    """Latitudes and longitudes of some entities; None is all."""
    latitudes, longitudes = numbers(version, LATITUDE), numbers(version, LONGITUDE)
    return (latitudes, longitudes) if rows is None else (latitudes[rows], longitudes[rows])
