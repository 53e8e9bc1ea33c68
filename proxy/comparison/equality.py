"""Whether two values mean the same: by the table of what may differ, as numbers, or as well-known text."""

import re
from decimal import Decimal, InvalidOperation

from proxy.comparison.normalisation import MAX_DIGITS, TREATMENTS
from proxy.comparison.trees import Number

_WELL_KNOWN = re.compile(r"[A-Z]+ (?:\(|EMPTY)")
_NUMBERS = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")


def treat(rule: str, value: object) -> object:
    """What is compared in place of a value."""
    treatment = TREATMENTS.get(rule)
    treated = None if treatment is None else treatment(value)
    return value if treated is None else treated


def is_equal(rule: str, left: object, right: object) -> bool:
    """Whether two values mean the same, by the table, as numbers, or as well-known text."""
    if isinstance(left, Number) and isinstance(right, Number):
        if are_same_numbers(left.text, right.text):
            return True
    elif type(left) is not type(right):
        return False
    if rule in TREATMENTS:
        return treat(rule, left) == treat(rule, right)
    return isinstance(left, str) and isinstance(right, str) and _are_same_shapes(left, right)


def are_same_numbers(left: object, right: object) -> bool:
    """Whether two texts are numbers, and equal."""
    if not isinstance(left, str) or not isinstance(right, str) or max(len(left), len(right)) > MAX_DIGITS:
        return False
    try:
        return Decimal(left) == Decimal(right)
    except InvalidOperation:
        return False


def _are_same_shapes(left: str, right: str) -> bool:
    """Whether two well-known texts differ in the spelling of equal numbers only."""
    if not _WELL_KNOWN.match(left) or not _WELL_KNOWN.match(right):
        return False
    if _NUMBERS.sub("0", left) != _NUMBERS.sub("0", right):
        return False
    pairs = zip(_NUMBERS.findall(left), _NUMBERS.findall(right), strict=True)
    return all(one == other or are_same_numbers(one, other) for one, other in pairs)
