"""The properties of a table row: JSON with its types beside it, to values.

Reading is generous: what can't be what it should be is left out, and remarked on in words for the log.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from adapters.model.jobs import BlobPath
from adapters.model.ticks import Ticks, parse

_T = TypeVar("_T")

Row = Mapping[str, Any]
"""An entity as Table Storage's JSON has it with `odata=minimalmetadata`: a type beside each value that needs one."""

WarnRow = Callable[[str], object]
"""Told, in words for the log, what was odd about a row that could be read all the same."""


class MalformedRowError(Exception):
    """A row of which nothing true could be said; the text says why, without the row's values."""


def required(value: _T | None, name: str) -> _T:
    """A value that must be there.

    Raises:
        MalformedRowError: it is not.
    """
    if value is None:
        raise MalformedRowError(f"{name} is missing or of a wrong type")
    return value


# A text, an Int32 and a Boolean need no type beside them; what has another type stands under the name with this ending.
_TYPE = "@odata.type"
_INTEGERS = ("Edm.Int32", "Edm.Int64")


def text_of(row: Row, name: str, remark: WarnRow) -> str | None:
    """A string; an empty one says no more than a missing one."""
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or row.get(name + _TYPE, "Edm.String") != "Edm.String":
        remark(f"{name} is not a string and was left out")
        return None
    return value or None


def date_of(row: Row, name: str, remark: WarnRow) -> Ticks | None:
    """A DateTime."""
    value = row.get(name)
    if value is None:
        return None
    try:
        if row.get(name + _TYPE) == "Edm.DateTime":
            return parse(value)
    except (TypeError, ValueError):
        pass  # told below, like a wrong type
    remark(f"{name} is not a DateTime and was left out")
    return None


def written_at(row: Row) -> Ticks | None:
    """When storage last took a write of the row, by storage's own clock; this property has no type beside it."""
    try:
        return parse(row["Timestamp"])
    except (KeyError, TypeError, ValueError):
        return None


def count_of(row: Row, name: str, remark: WarnRow) -> int:
    """A count, 0 where there is none."""
    value = row.get(name)
    if value is None:
        return 0
    is_int32 = type(value) is int  # a bool is an int to Python
    try:
        if row.get(name + _TYPE, "Edm.Int32" if is_int32 else None) in _INTEGERS and int(value) >= 0:
            return int(value)
    except (OverflowError, TypeError, ValueError):
        pass  # told below, like a wrong type
    remark(f"{name} is not a count and was read as 0")
    return 0


def flag_of(row: Row, name: str, remark: WarnRow) -> bool:
    """A Boolean, false where there is none."""
    value = row.get(name)
    if value is not None and not isinstance(value, bool):
        remark(f"{name} is not a Boolean and was read as false")
    return value is True


def blob_of(row: Row, name: str, remark: WarnRow) -> BlobPath | None:
    """A blob's path."""
    text = text_of(row, name, remark)
    path = None if text is None else BlobPath.parse(text)
    if text is not None and path is None:
        remark(f"{name} is not container/path/of/blob and was left out")
    return path
