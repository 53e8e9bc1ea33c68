"""The properties of a table row: JSON with its types beside it, to values.

Reading is generous: what can't be what it should be is left out, and remarked on in words for the log.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from adapters.records import BlobPath
from adapters.ticks import Ticks, parse

_T = TypeVar("_T")

Row = Mapping[str, Any]
"""An entity as Table Storage's JSON has it with `odata=minimalmetadata`: a type beside each value that needs one."""

Remark = Callable[[str], None]
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


def text_of(row: Row, name: str, remark: Remark) -> str | None:
    """A string; an empty one says no more than a missing one."""
    edm_type = _edm_type(row, name)
    if edm_type is None:
        return None
    if edm_type != "Edm.String" or not isinstance(row[name], str):
        remark(f"{name} is not a string and was left out")
        return None
    return row[name] or None


def date_of(row: Row, name: str, remark: Remark) -> Ticks | None:
    """A DateTime."""
    edm_type = _edm_type(row, name)
    if edm_type is None:
        return None
    try:
        if edm_type == "Edm.DateTime":
            return parse(row[name])
    except (TypeError, ValueError):
        pass  # told below, like a wrong type
    remark(f"{name} is not a DateTime and was left out")
    return None


def count_of(row: Row, name: str, remark: Remark) -> int:
    """A count, 0 where there is none."""
    edm_type = _edm_type(row, name)
    if edm_type is None:
        return 0
    try:
        if edm_type in {"Edm.Int32", "Edm.Int64"} and int(row[name]) >= 0:
            return int(row[name])
    except (OverflowError, TypeError, ValueError):
        pass  # told below, like a wrong type
    remark(f"{name} is not a count and was read as 0")
    return 0


def flag_of(row: Row, name: str, remark: Remark) -> bool:
    """A Boolean, false where there is none."""
    if _edm_type(row, name) not in {None, "Edm.Boolean"}:
        remark(f"{name} is not a Boolean and was read as false")
    return row.get(name) is True


def blob_of(row: Row, name: str, remark: Remark) -> BlobPath | None:
    """A blob's path."""
    text = text_of(row, name, remark)
    path = None if text is None else BlobPath.parse(text)
    if text is not None and path is None:
        remark(f"{name} is not container/path/of/blob and was left out")
    return path


def _edm_type(row: Row, name: str) -> str | None:
    """The type of a property, None where the row has none or an empty one."""
    value = row.get(name)
    if value is None:
        return None
    # JSON says it all for these four; the order matters, a bool is an int to Python.
    inferred = {bool: "Edm.Boolean", int: "Edm.Int32", float: "Edm.Double", str: "Edm.String"}.get(type(value), "?")
    return str(row.get(f"{name}@odata.type", inferred))
