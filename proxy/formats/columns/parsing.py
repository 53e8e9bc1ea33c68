"""Texts to values, a column at a time.

A quick look at all bytes says whether Arrow's own conversion means the same as the contract's types; if not, or if it
fails, each text is read alone, so that a wrong one is found.
"""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from proxy.formats.columns.buffers import (
    Bytes,
    all_bytes,
    byte_table,
    contains_only,
    offsets,
    parse_each,
    quote_value,
    without_empty,
)
from proxy.formats.columns.date_forms import meant_by_date, read_date
from proxy.formats.columns.datetimes import to_ticks
from proxy.formats.columns.numbers import read_double, read_finite, read_int64
from proxy.formats.limits import LONGEST_NUMBER, LONGEST_STRING
from proxy.formats.schema import ARROW, EdmType

Converted = tuple[pa.Array, dict[int, str]]
"""Values, null where a text was missing or wrong; and what was wrong, by row."""

_INT64 = byte_table("-0123456789")
_DOUBLE = byte_table("+-.0123456789Ee")
_WORD = byte_table("01truefalsTRUEFALS")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DATE_FORM = "a date is like 2013-01-03T23:22:15.7979398Z, 2013-01-03 or 1/3/2013 11:22:15 PM, in the years 1 to 9999"


def strings(column: pa.Array) -> Converted:
    """Texts stay as they are; too long ones and those with characters that XML can't carry are wrong."""
    lengths, data = np.diff(offsets(column)), all_bytes(column)
    if (not len(lengths) or lengths.max() <= LONGEST_STRING) and _harmless(data):
        return column, {}
    return parse_each(column, read_string, pa.string())


def _harmless(data: Bytes) -> bool:
    """Whether UTF-8 has only characters that XML can carry: no controls, no U+FFFE or U+FFFF."""
    controls = data[data < ord(" ")]
    if not ((controls == ord("\t")) | (controls == ord("\n")) | (controls == ord("\r"))).all():
        return False
    ends = np.flatnonzero(data == 0xEF) + 2  # noqa: PLR2004  the first of the three bytes of these two
    return not ((data[ends - 1] == 0xBF) & (data[ends] >= 0xBE)).any()  # noqa: PLR2004


def read_string(text: str) -> str:
    """One text.

    Raises:
        ValueError: it is too long, or has a character that an export couldn't carry.
    """
    if len(text) > LONGEST_STRING:
        raise ValueError(f"is {quote_value(text)}, of {len(text):,} characters: at most {LONGEST_STRING:,} are allowed")
    found = _NOT_IN_XML.search(text)
    if found:
        raise ValueError(f"is {quote_value(text)}, with the character U+{ord(found[0]):04X}, which XML cannot carry")
    return text


def read_boolean(text: str) -> bool | None:
    """One Edm.Boolean: true, false, 1 or 0, whatever the letter case.

    Raises:
        ValueError: it is none.
    """
    word = text.strip()
    if len(word) > len("false") or word.lower() not in {"", "true", "false", "1", "0"}:
        raise ValueError(f"is {quote_value(word)}: it has to be true, false, 1 or 0")
    return word.lower() in {"true", "1"} if word else None


def read_datetime(text: str) -> int | None:
    """One Edm.DateTime, as ticks.

    Raises:
        ValueError: it is none.
    """
    text = text.strip()
    if not text:
        return None
    try:
        return read_date(text)
    except ValueError as error:
        raise ValueError(f"is {quote_value(text)}: {meant_by_date(text) or _DATE_FORM}") from error


def _datetimes(column: pa.Array) -> Converted:
    converted = to_ticks(column)
    return (converted, {}) if converted is not None else parse_each(column, read_datetime, pa.int64())


def _cast(type_: EdmType, allowed: Any, read: Callable[[str], Any]) -> Callable[[pa.Array], Converted]:  # noqa: ANN401  a table of numpy's
    """Arrow's conversion where all bytes are among those that it reads as we do."""

    def convert(column: pa.Array) -> Converted:
        lengths = np.diff(offsets(column))
        if contains_only(column, allowed) and (not len(lengths) or lengths.max() <= LONGEST_NUMBER):
            try:
                cast = pc.cast(column, ARROW[type_])
            except pa.ArrowInvalid:
                pass
            else:
                # What is too large for a double becomes infinite, and only the slow way says so.
                if type_ is not EdmType.DOUBLE or not pc.any(pc.is_inf(cast)).as_py():
                    return cast, {}
        return parse_each(column, read, ARROW[type_])

    return convert


_FINITE = _cast(EdmType.DOUBLE, _DOUBLE, read_finite)
_CONVERSIONS: dict[EdmType, Callable[[pa.Array], Converted]] = {
    EdmType.INT64: _cast(EdmType.INT64, _INT64, read_int64),
    EdmType.DOUBLE: _cast(EdmType.DOUBLE, _DOUBLE, read_double),
    EdmType.BOOLEAN: _cast(EdmType.BOOLEAN, _WORD, read_boolean),
    EdmType.DATETIME: _datetimes,
}


def convert(column: pa.Array, type_: EdmType, *, finite: bool = False) -> Converted:
    """The values of a `string` column, of any type but geography. An empty text is no value, unless it is a string.

    With `finite`, INF and NaN are no numbers.
    """
    if type_ is EdmType.STRING:
        return strings(column)
    change = _FINITE if finite and type_ is EdmType.DOUBLE else _CONVERSIONS[type_]
    return change(without_empty(column))


def without_blank(column: pa.Array) -> pa.Array:
    """A geography's texts, null where there is nothing but white space."""
    if pa.types.is_binary(column.type):
        return column
    return without_empty(pc.utf8_trim_whitespace(column))
