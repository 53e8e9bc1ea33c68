"""Numbers and booleans of requests and outputs (geocode.md, 2.1 and 3.1)."""

import re
from decimal import Decimal
from math import isfinite

from proxy.formats.limits import MAX_NUMBER_LENGTH

_NUMBER = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def format_number(value: float) -> str:
    """The number with 15 significant digits, without an exponent and without zeros at its end."""
    text = f"{value:.15g}"
    if "e" in text:
        text = f"{Decimal(text):f}"
    return "0" if text == "-0" else text


def parse_number(text: str) -> float | None:
    """The number that a text is, blanks aside; None where it is none, or is not finite."""
    text = text.strip()
    if len(text) > MAX_NUMBER_LENGTH or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if isfinite(value) else None


def parse_boolean(text: str) -> bool | None:
    """A boolean of XML, in any letter case; None where it is none."""
    return _BOOLEANS.get(text.strip().lower())
