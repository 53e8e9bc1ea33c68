"""Texts to values, a column at a time.

Arrow converts a column whose bytes are all among those that Arrow and the contract read alike. Otherwise, or if that
fails, each text is parsed alone, which finds the wrong ones.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from proxy.formats.columns.buffers import Bytes, all_bytes, offsets, quote_value, without_empty
from proxy.formats.columns.datetimes import convert_dates
from proxy.formats.columns.numbers import parse_double, parse_finite, parse_int64
from proxy.formats.limits import MAX_NUMBER_LENGTH, MAX_STRING_LENGTH
from proxy.formats.schema import ARROW, EdmType
from proxy.text import INVALID_XML

Converted = tuple[pa.Array, dict[int, str]]
"""Values, null where a text is missing or wrong; and the reasons, by row."""


def convert(column: pa.Array, type_: EdmType, *, finite: bool = False) -> Converted:
    """The values of a `string` column, of any type but geography. An empty text is no value, unless it is a string.

    Args:
        column: the texts.
        type_: the type of the values.
        finite: whether INF and NaN are no numbers.
    """
    if type_ is EdmType.STRING:
        return _check_strings(column)
    column = without_empty(column)
    if type_ is EdmType.DATETIME:
        return convert_dates(column)
    allowed, parse = _PARSERS[type_]
    if allowed[all_bytes(column)].all() and np.diff(offsets(column)).max(initial=0) <= MAX_NUMBER_LENGTH:
        try:
            cast = pc.cast(column, ARROW[type_])
        except pa.ArrowInvalid:
            pass
        else:
            # A number too large for a double becomes infinite, and only its parser says so.
            if type_ is not EdmType.DOUBLE or not pc.any(pc.is_inf(cast)).as_py():
                return cast, {}
    return _parse_each(column, parse_finite if finite and parse is parse_double else parse, ARROW[type_])


def _check_strings(column: pa.Array) -> Converted:
    """The texts as they are; too long ones and those with characters that XML can't carry are wrong."""
    if np.diff(offsets(column)).max(initial=0) <= MAX_STRING_LENGTH and _is_valid_xml(all_bytes(column)):
        return column, {}
    return _parse_each(column, _parse_string, pa.string())


def _is_valid_xml(data: Bytes) -> bool:
    """Whether UTF-8 has only characters that XML can carry: no controls, no U+FFFE or U+FFFF."""
    controls = data[data < ord(" ")]
    if not ((controls == ord("\t")) | (controls == ord("\n")) | (controls == ord("\r"))).all():
        return False
    ends = np.flatnonzero(data == 0xEF) + 2  # noqa: PLR2004  the first of the three bytes of these two
    return not ((data[ends - 1] == 0xBF) & (data[ends] >= 0xBE)).any()  # noqa: PLR2004


def _parse_string(text: str) -> str:
    if len(text) > MAX_STRING_LENGTH:
        length = f"of {len(text):,} characters: at most {MAX_STRING_LENGTH:,} are allowed"
        raise ValueError(f"is {quote_value(text)}, {length}")
    if found := INVALID_XML.search(text):
        raise ValueError(f"is {quote_value(text)}, with the character U+{ord(found[0]):04X}, which XML cannot carry")
    return text


def parse_boolean(text: str) -> bool | None:
    """One Edm.Boolean: true, false, 1 or 0, whatever the letter case.

    Raises:
        ValueError: the text is none.
    """
    word = text.strip()
    if len(word) > len("false") or word.lower() not in {"", "true", "false", "1", "0"}:
        raise ValueError(f"is {quote_value(word)}: it has to be true, false, 1 or 0")
    return word.lower() in {"true", "1"} if word else None


def _parse_each(column: pa.Array, parse: Callable[[str], Any], type_: pa.DataType) -> Converted:
    values: list[Any] = []
    wrong: dict[int, str] = {}
    for row, text in enumerate(column.to_pylist()):
        value = None
        if text is not None:
            try:
                value = parse(text)
            except ValueError as error:
                wrong[row] = str(error)
        values.append(value)
    return pa.array(values, type_), wrong


def _byte_table(characters: str) -> npt.NDArray[np.bool_]:
    table = np.zeros(256, bool)
    table[list(characters.encode("ascii"))] = True
    return table


_PARSERS: dict[EdmType, tuple[npt.NDArray[np.bool_], Callable[[str], Any]]] = {
    EdmType.INT64: (_byte_table("-0123456789"), parse_int64),
    EdmType.DOUBLE: (_byte_table("+-.0123456789Ee"), parse_double),
    EdmType.BOOLEAN: (_byte_table("01truefalsTRUEFALS"), parse_boolean),
}
