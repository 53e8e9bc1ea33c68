"""Parses whole and decimal numbers, and suggests the right form of those that are refused (`8,5`: write 8.5)."""

import math
import re

from proxy.formats.columns.buffers import quote_value
from proxy.formats.limits import MAX_NUMBER_LENGTH
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


def parse_int64(text: str) -> int | None:
    """One Edm.Int64, None for a blank text.

    Raises:
        ValueError: the text is none.
    """
    text = text.strip()
    if not text:
        return None
    if len(text) > MAX_NUMBER_LENGTH or _WRITTEN_INT64.fullmatch(text) is None:
        raise ValueError(f"is {quote_value(text)}: {_suggest_int64(text)}")
    if not -(2**63) <= (number := int(text)) < 2**63:
        raise ValueError(f"is {quote_value(text)}: {EdmType.INT64} is between {-(2**63):,} and {2**63 - 1:,}")
    return number


def parse_double(text: str) -> float | None:
    """One Edm.Double, None for a blank text; INF and NaN as XML schema spells them.

    Raises:
        ValueError: the text is none.
    """
    special = _SPECIAL.get(text.strip())
    return parse_finite(text) if special is None else special


def parse_finite(text: str) -> float | None:
    """One Edm.Double that is a number, None for a blank text.

    Raises:
        ValueError: the text is none.
    """
    text = text.strip()
    if not text:
        return None
    if len(text) > MAX_NUMBER_LENGTH:
        length = f"of {len(text):,} characters: a number has at most {MAX_NUMBER_LENGTH}"
        raise ValueError(f"is {quote_value(text)}, {length}")
    if _WRITTEN_DOUBLE.fullmatch(text) is None:
        raise ValueError(f"is {quote_value(text)}: {_suggest_double(text)}")
    if math.isinf(number := float(text)):
        raise ValueError(f"is {quote_value(text)}, which is larger than {EdmType.DOUBLE} can be: at most 1.79E+308")
    return number


def _suggest_int64(text: str) -> str:
    """The form to write instead where that is clear, else the allowed form."""
    if len(text) > MAX_NUMBER_LENGTH:
        return f"a number has at most {MAX_NUMBER_LENGTH} characters, not {len(text):,}"
    if (grouped := _GROUPED.fullmatch(text)) and grouped[3] is None:
        return f"write {_remove_separators(grouped)}"
    if _WRITTEN_DOUBLE.fullmatch(text) or _DECIMAL_COMMA.fullmatch(text):
        if "e" in text.lower():
            return f"{_INT64_FORM}, without an exponent (a spreadsheet may have shortened it: write all digits)"
        return f"{_INT64_FORM}, without a fraction"
    return _INT64_FORM


def _suggest_double(text: str) -> str:
    """The form to write instead where that is clear, else the allowed form."""
    if text.lstrip("+-").lower() in {"nan", "inf", "infinity"}:
        return f"{_DOUBLE_FORM}; leave it empty where there is none"
    if _POINTS_AND_COMMA.fullmatch(text):
        return f"write {text.replace('.', '').replace(',', '.')}"
    if (grouped := _GROUPED.fullmatch(text)) and not (grouped[2][0] == "," and "," in (grouped[3] or "")):
        whole = _remove_separators(grouped)
        if grouped[2].startswith(",") and len(grouped[2]) == len(",000") and grouped[3] is None:
            return f"write {whole}, or {text.replace(',', '.')} where the comma is a decimal one"
        return f"write {whole}{(grouped[3] or '').replace(',', '.')}"
    if _DECIMAL_COMMA.fullmatch(text):
        return f"write {text.replace(',', '.')}"
    return _DOUBLE_FORM


def _remove_separators(grouped: re.Match[str]) -> str:
    return grouped[1] + "".join(character for character in grouped[2] if character.isdigit())
