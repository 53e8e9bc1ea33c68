"""Parses the route parameters, which count with `nearRoute` alone (query-api.md, 1.3)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from proxy.query.areas import Avoid, Optimize, RouteOptions, TravelMode
from proxy.query.errors import QueryError, quote_value

_MAX_HEADING = 359
_MAX_METRES = 1_000_000_000
_STRICTER = {Avoid.MINIMIZE_HIGHWAYS: Avoid.HIGHWAYS, Avoid.MINIMIZE_TOLLS: Avoid.TOLLS}
_Choice = TypeVar("_Choice", bound=StrEnum)


def parse_route_options(parameters: Mapping[str, str]) -> RouteOptions:
    """The options of a route. `parameters` holds those that are not empty, by their names in lower case.

    Raises:
        QueryError: a value is not allowed.
    """

    def read(name: str, alias: str = "") -> str:
        return parameters.get(name) or parameters.get(alias, "")

    avoided = {_parse_choice(Avoid, each, "avoid") for each in read("avoid").split(",") if each.strip()}
    return RouteOptions(
        avoid=frozenset(each for each in avoided if _STRICTER.get(each) not in avoided),
        optimize=_parse_choice(Optimize, read("optimize", "optmz") or Optimize.TIME, "optimize"),
        travel_mode=_parse_choice(TravelMode, read("travelmode") or TravelMode.DRIVING, "travelMode"),
        heading=_parse_whole(read("heading", "hd"), "heading", _MAX_HEADING),
        distance_before_first_turn=_parse_whole(
            read("distancebeforefirstturn", "dbft"), "distanceBeforeFirstTurn", _MAX_METRES
        ),
    )


def _parse_choice(choices: type[_Choice], text: str, parameter: str) -> _Choice:
    found = {each.lower(): each for each in choices}.get(text.strip().lower())
    if found is None:
        raise QueryError(f"The parameter {parameter} has {quote_value(text)}. Allowed: {', '.join(choices)}.")
    return found


def _parse_whole(text: str, parameter: str, highest: int) -> int | None:
    digits = text.strip()
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(highest)) and int(digits) <= highest):
        raise QueryError(
            f"The parameter {parameter} has {quote_value(text)}. Allowed is a whole number from 0 to {highest:,}."
        )
    return int(digits)
