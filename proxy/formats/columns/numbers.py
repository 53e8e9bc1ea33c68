"""Parses whole and decimal numbers, and suggests the right form of those that are refused (`8,5`: write 8.5)."""

import math
import re

from proxy.formats.columns.buffers import quote_value
from proxy.formats.limits import LONGEST_NUMBER
from proxy.formats.schema import EdmType

# All are matched against texts of at most LONGEST_NUMBER characters, and possessive: a match takes linear time.
_WRITTEN_INT64 = re.compile(r"[+-]?[0-9]{1,30}+")
_WRITTEN_DOUBLE = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[Ee][+-]?[0-9]++)?")
_GROUPED = re.compile(
    r"([+-]?[0-9]{1,3})((?:,[0-9]{3})++|(?:\.[0-9]{3}){2,}+|(?:[ '\u2019\u00a0\u202f][0-9]{3})++)([.,][0-9]*+)?"
)
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*+,[0-9]++")
_POINTS_AND_COMMA = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})++,[0-9]++")
_SPECIAL = {"INF": math.inf, "+INF": math.inf, "-INF": -math.inf, "NaN": math.nan}
_INT64_FORM = f"{EdmType.INT64} is a sign and digits"
_DOUBLE_FORM = f"{EdmType.DOUBLE} is a number like 8.5, -8.5 or 8.5E-3"


def read_int64(text: str) -> int | None:
    """One Edm.Int64.

    Raises:
        ValueError: it is none.
    """
    text = text.strip()
    if not text:
        return None
    if len(text) > LONGEST_NUMBER or _WRITTEN_INT64.fullmatch(text) is None:
        raise ValueError(f"is {quote_value(text)}: {_meant_by_int64(text)}")
    if not -(2**63) <= (number := int(text)) < 2**63:
        raise ValueError(f"is {quote_value(text)}: {EdmType.INT64} is between {-(2**63):,} and {2**63 - 1:,}")
    return number


def read_double(text: str) -> float | None:
    """One Edm.Double, INF and NaN as XML schema spells them.

    Raises:
        ValueError: it is none.
    """
    text = text.strip()
    return _SPECIAL[text] if text in _SPECIAL else read_finite(text)


def read_finite(text: str) -> float | None:
    """One Edm.Double that is a number.

    Raises:
        ValueError: it is none.
    """
    text = text.strip()
    if not text:
        return None
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"is {quote_value(text)}, of {len(text):,} characters: a number has at most {LONGEST_NUMBER}")
    if _WRITTEN_DOUBLE.fullmatch(text) is None:
        raise ValueError(f"is {quote_value(text)}: {_meant_by_double(text)}")
    if math.isinf(number := float(text)):
        raise ValueError(f"is {quote_value(text)}, which is larger than {EdmType.DOUBLE} can be: at most 1.79E+308")
    return number


def _meant_by_int64(text: str) -> str:
    """What to write instead, where that is clear, else what is allowed."""
    if len(text) > LONGEST_NUMBER:
        return f"a number has at most {LONGEST_NUMBER} characters, not {len(text):,}"
    if (grouped := _GROUPED.fullmatch(text)) and grouped[3] is None:
        return f"write {_without_groups(grouped)}"
    if _WRITTEN_DOUBLE.fullmatch(text) or _DECIMAL_COMMA.fullmatch(text):
        if "e" in text.lower():
            return f"{_INT64_FORM}, without an exponent (a spreadsheet may have shortened it: write all digits)"
        return f"{_INT64_FORM}, without a fraction"
    return _INT64_FORM


def _meant_by_double(text: str) -> str:
    """What to write instead, where that is clear, else what is allowed."""
    if text.lstrip("+-").lower() in {"nan", "inf", "infinity"}:
        return f"{_DOUBLE_FORM}; leave it empty where there is none"
    if _POINTS_AND_COMMA.fullmatch(text):
        return f"write {text.replace('.', '').replace(',', '.')}"
    if (grouped := _GROUPED.fullmatch(text)) and not (grouped[2][0] == "," and "," in (grouped[3] or "")):
        whole = _without_groups(grouped)
        if grouped[2].startswith(",") and len(grouped[2]) == len(",000") and grouped[3] is None:
            return f"write {whole}, or {text.replace(',', '.')} where the comma is a decimal one"
        return f"write {whole}{(grouped[3] or '').replace(',', '.')}"
    if _DECIMAL_COMMA.fullmatch(text):
        return f"write {text.replace(',', '.')}"
    return _DOUBLE_FORM


def _without_groups(grouped: re.Match[str]) -> str:
    return grouped[1] + "".join(character for character in grouped[2] if character.isdigit())
