"""Areas of a query (query-api.md, 1.3). Degrees of WGS 84; distances in kilometres."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from proxy.query.errors import QueryError

Geometry = Any
"""A shape of shapely, which ships no types."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place by its coordinates."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Address:
    """A place by words, which needs a geocoder."""

    text: str


@dataclass(frozen=True, slots=True)
class Nearby:
    """Points within a distance of a centre, edge included."""

    center: Point
    kilometres: float


@dataclass(frozen=True, slots=True)
class NearAddress:
    """As Nearby, before its address is geocoded."""

    address: Address
    kilometres: float


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """Points between two latitudes and two longitudes, edges included. Where west > east, across the antimeridian."""

    south: float
    west: float
    north: float
    east: float

    @property
    def is_across_antimeridian(self) -> bool:
        """Whether it holds the longitudes from west to 180 and from -180 to east."""
        return self.west > self.east

    @property
    def center(self) -> Point:
        """The middle, which `__Distance` is measured from (2.4)."""
        latitude = (self.south + self.north) / 2
        if not self.is_across_antimeridian:
            return Point(latitude, (self.west + self.east) / 2)
        longitude = self.west + (self.east - self.west + 360) / 2
        return Point(latitude, longitude - 360 if longitude >= 180 else longitude)  # noqa: PLR2004  half a turn


@dataclass(frozen=True, slots=True)
class Intersects:
    """Geographies (else points) that meet a shape, touching included. The shape is valid, two-dimensional, planar."""

    shape: Geometry


class Avoid(StrEnum):
    """A kind of road to avoid, or to prefer others to."""

    HIGHWAYS = "highways"
    TOLLS = "tolls"
    MINIMIZE_HIGHWAYS = "minimizeHighways"
    MINIMIZE_TOLLS = "minimizeTolls"


class Optimize(StrEnum):
    """The criterion of a route."""

    TIME = "time"
    DISTANCE = "distance"
    TIME_WITH_TRAFFIC = "timeWithTraffic"


class TravelMode(StrEnum):
    """How one travels a route."""

    DRIVING = "Driving"
    WALKING = "Walking"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOptions:
    """The route parameters. Heading in degrees, distance before the first turn in metres."""

    avoid: frozenset[Avoid] = frozenset()
    optimize: Optimize = Optimize.TIME
    travel_mode: TravelMode = TravelMode.DRIVING
    heading: int | None = None
    distance_before_first_turn: int | None = None


@dataclass(frozen=True, slots=True)
class NearRoute:
    """Points within one mile of a route, before a router has found it."""

    start: Point | Address
    end: Point | Address
    options: RouteOptions


Area = Nearby | BoundingBox | Intersects | NearAddress | NearRoute
ResolvedArea = Nearby | BoundingBox | Intersects
"""What the engine runs. An address or a route becomes one of these, or is refused, before it."""


def require_resolved(area: Area | None) -> ResolvedArea | None:
    """The area, if the engine can run it as it is.

    Raises:
        QueryError: it has an address or a route, and the account has nothing that looks it up.
    """
    if isinstance(area, NearAddress | NearRoute):
        raise QueryError(
            "The parameter spatialFilter has an address or a route, and this account has no map service to ask"
            " for it. Allowed: nearby(latitude,longitude,km), bbox(south,west,north,east) or intersects('..')."
        )
    return area
