"""Parses the lists of names in `$select` and `$orderby` (query-api.md, 1.4)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from proxy.query.areas import Geometry
from proxy.query.arguments import read_shape_argument
from proxy.query.errors import QueryError, quote_value
from proxy.query.well_known_text import parse_shape

SELECT, ORDER_BY = "$select", "$orderby"
ALL = "*"
_MAX_ORDER_ITEMS = 3
_INTERSECTION = re.compile(r"\s*+intersection\s*+\(", re.IGNORECASE)
_ITEM = re.compile(r"[^,]*+")
_DIRECTIONS = {("asc",): False, ("desc",): True, (): False}


@dataclass(frozen=True, slots=True)
class IntersectionItem:
    """`intersection('well-known text')`."""

    shape: Geometry


SelectItem = str | IntersectionItem
"""A name in the request's spelling, `*`, `__Distance`, or an intersection."""


@dataclass(frozen=True, slots=True)
class OrderItem:
    """A name in the request's spelling, and its direction."""

    name: str
    is_descending: bool


def parse_select(text: str) -> tuple[SelectItem, ...]:
    """The items of `$select`; `*` where there is none. Of several intersections the first counts.

    Raises:
        QueryError: an intersection is malformed.
    """
    return tuple(_split_select(text)) or (ALL,)


def _split_select(text: str) -> Iterator[SelectItem]:
    at = 0
    has_intersection = False
    while at < len(text):
        call = _INTERSECTION.match(text, at)
        if call:
            shape, at = read_shape_argument(text, call.end(), SELECT)
            if not has_intersection:
                yield IntersectionItem(parse_shape(shape, SELECT))
            has_intersection = True
        rest = _ITEM.match(text, at)
        item = rest[0].strip() if rest else ""
        if item and call:
            raise QueryError(f"The parameter {SELECT} has {quote_value(item)}, where ',' is expected.")
        if item:
            yield item
        at = (rest.end() if rest else at) + 1


def parse_order(text: str) -> tuple[OrderItem, ...]:
    """The items of `$orderby`: up to three names, each with `asc`, `desc` or neither.

    Raises:
        QueryError: there are more, or another word follows a name.
    """
    items = []
    for item in filter(str.strip, text.split(",")):
        name, *direction = item.split()
        is_descending = _DIRECTIONS.get(tuple(map(str.lower, direction)))
        if is_descending is None:
            raise QueryError(f"The parameter {ORDER_BY} has {quote_value(item)}. Allowed are a name, asc and desc.")
        items.append(OrderItem(name, is_descending))
    if len(items) > _MAX_ORDER_ITEMS:
        raise QueryError(
            f"The parameter {ORDER_BY} has {len(items)} names: {quote_value(text)}. Allowed are {_MAX_ORDER_ITEMS}."
        )
    return tuple(items)
