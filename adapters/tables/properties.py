"""Reads the properties of a table row: JSON values, with a type beside each that needs one.

Reading is generous: a value of a wrong type is left out, and a warning goes to the log.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from adapters.model.jobs import BlobPath
from adapters.model.ticks import Ticks, parse_ticks

_T = TypeVar("_T")

Row = Mapping[str, Any]
"""An entity as Table Storage's JSON has it with `odata=minimalmetadata`: a type beside each value that needs one."""

WarnRow = Callable[[str], object]
"""Logs what is odd about a row that can be read all the same."""


class MalformedRowError(Exception):
    """A row that can't be read. The text says why, without the row's values."""


def require(value: _T | None, name: str) -> _T:
    """Returns a value that must be there.

    Raises:
        MalformedRowError: it is None.
    """
    if value is None:
        raise MalformedRowError(f"{name} is missing or of a wrong type")
    return value


# The suffix of the name under which a property's type stands. A string, an Int32 and a Boolean need none.
_TYPE = "@odata.type"
_INTEGERS = ("Edm.Int32", "Edm.Int64")


def read_text(row: Row, name: str, warn: WarnRow) -> str | None:
    """A string, None where it is missing or empty."""
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or row.get(name + _TYPE, "Edm.String") != "Edm.String":
        warn(f"{name} is not a string and was left out")
        return None
    return value or None


def read_date(row: Row, name: str, warn: WarnRow) -> Ticks | None:
    """A DateTime."""
    value = row.get(name)
    if value is None:
        return None
    try:
        if row.get(name + _TYPE) == "Edm.DateTime":
            return parse_ticks(value)
    except (TypeError, ValueError):
        pass  # warns below, as for a wrong type
    warn(f"{name} is not a DateTime and was left out")
    return None


def read_timestamp(row: Row) -> Ticks | None:
    """The time of the row's last write, by storage's own clock; this property has no type beside it."""
    try:
        return parse_ticks(row["Timestamp"])
    except (KeyError, TypeError, ValueError):
        return None


def read_count(row: Row, name: str, warn: WarnRow) -> int:
    """A count, 0 where there is none."""
    value = row.get(name)
    if value is None:
        return 0
    is_int32 = type(value) is int  # a bool is an int to Python
    try:
        if row.get(name + _TYPE, "Edm.Int32" if is_int32 else None) in _INTEGERS and int(value) >= 0:
            return int(value)
    except (OverflowError, TypeError, ValueError):
        pass  # warns below, as for a wrong type
    warn(f"{name} is not a count and was read as 0")
    return 0


def read_flag(row: Row, name: str, warn: WarnRow) -> bool:
    """A Boolean, false where there is none."""
    value = row.get(name)
    if value is not None and not isinstance(value, bool):
        warn(f"{name} is not a Boolean and was read as false")
    return value is True


def read_blob_path(row: Row, name: str, warn: WarnRow) -> BlobPath | None:
    """A blob's path."""
    text = read_text(row, name, warn)
    path = None if text is None else BlobPath.parse(text)
    if text is not None and path is None:
        warn(f"{name} is not container/path/of/blob and was left out")
    return path
