"""Reads the arguments of functions in `spatialFilter` and `$select`: `nearby('47.6,-122.3',5)`."""

import re
from dataclasses import dataclass

from proxy.query.errors import QueryError, quote_value

_CALL = re.compile(r"\s*+([A-Za-z]++)\s*+\(")
_QUOTED = re.compile(r"\s*+'([^']*+(?:''[^']*+)*+)'\s*+")
_BARE = re.compile(r"[^,'()]*+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[Ee][+-]?[0-9]++)?")
_MARKS = re.compile(r"[()]")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument without blanks at its ends: a quoted text without its quotes, or a bare one."""

    text: str
    is_quoted: bool


def parse_call(text: str) -> tuple[str, int] | None:
    """The name of a function in lower case and where its arguments begin; None where the text is no call."""
    match = _CALL.match(text)
    return (match[1].lower(), match.end()) if match else None


def split_arguments(text: str, at: int, parameter: str) -> list[Argument]:
    """The arguments from a position to the end of the text. The last parenthesis may be missing.

    Raises:
        QueryError: the text goes on after the arguments, or a quote does not end.
    """
    arguments: list[Argument] = []
    while True:
        quoted = _QUOTED.match(text, at)
        if quoted:
            arguments.append(Argument(quoted[1].replace("''", "'").strip(), is_quoted=True))
            at = quoted.end()
        else:
            bare = _BARE.match(text, at)
            arguments.append(Argument(bare[0].strip() if bare else "", is_quoted=False))
            at = bare.end() if bare else at
        if text[at : at + 1] != ",":
            break
        at += 1
    if text[at:].rstrip() not in {"", ")"}:
        raise QueryError(
            f"The parameter {parameter} has {quote_value(text[at:])} at character {at + 1}, where ',' or ')' is"
            " expected."
        )
    return arguments


def read_shape_argument(text: str, at: int, parameter: str) -> tuple[str, int]:
    """The well-known text from a position, and where its function ends.

    In quotes, the function's parenthesis may be missing; without quotes, no parenthesis may be.

    Raises:
        QueryError: the argument does not end.
    """
    quoted = _QUOTED.match(text, at)
    if quoted:
        end = quoted.end()
        return quoted[1].replace("''", "'"), end + text.startswith(")", end)
    depth = 1
    for mark in _MARKS.finditer(text, at):
        depth += 1 if mark[0] == "(" else -1
        if not depth:
            return text[at : mark.start()], mark.end()
    raise QueryError(
        f"The parameter {parameter} has {quote_value(text[at:])}, where well-known text in quotes is expected."
    )


def parse_number(text: str) -> float | None:
    """A number with sign, point and exponent; None where the text is none."""
    return float(text) if _NUMBER.fullmatch(text) else None
