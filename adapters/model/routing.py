"""What a route is asked for, in words of neither Bing nor Azure Maps."""

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Location(NamedTuple):
    """A location in degrees."""

    latitude: float
    longitude: float


Mode = Literal["driving", "walking"]
Goal = Literal["fastest", "fastest_in_traffic", "shortest"]
Avoided = Literal["highways", "tolls"]


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """A route from one location to another.

    Attributes:
        start: where it begins.
        end: where it ends.
        mode: how one travels.
        goal: what is optimized.
        avoided: kinds of roads that are avoided where possible.
        heading: the direction at the start, in degrees from north, clockwise; None: any.
    """

    start: Location
    end: Location
    mode: Mode = "driving"
    goal: Goal = "fastest"
    avoided: frozenset[Avoided] = frozenset()
    heading: int | None = None
