"""The part of the world that a map shows: twice as wide as high, in degrees, by its centre and a whole zoom."""

import math
from dataclasses import dataclass
from typing import Self

FULL_TURN, HALF_TURN, QUARTER_TURN = 360.0, 180.0, 90.0

MAX_ZOOM = 20
"""About 40 metres from side to side at the equator."""
CLOSE_ZOOM = 14
"""For one place: some 2 km."""
_FILL = 0.85
"""The part of a side that what is to be seen may take."""


@dataclass(frozen=True, slots=True)
class Viewport:
    """What is shown. Its longitudes may go beyond 180, where it lies across the antimeridian.

    Args:
        latitude: of the centre; no pole is passed.
        longitude: of the centre, from -180 up to 180.
        zoom: each step halves the sides; 0 is the world.
    """

    latitude: float = 0.0
    longitude: float = 0.0
    zoom: int = 0

    @classmethod
    def at(cls, latitude: float, longitude: float, zoom: int) -> Self:
        """The viewport around a place, moved to where it can be."""
        zoom = min(max(zoom, 0), MAX_ZOOM)
        most = QUARTER_TURN - math.ldexp(QUARTER_TURN, -zoom)
        longitude = (longitude + HALF_TURN) % FULL_TURN - HALF_TURN
        return cls(min(max(latitude, -most), most), longitude, zoom)

    @classmethod
    def around(cls, south: float, west: float, north: float, east: float, closest: int = CLOSE_ZOOM) -> Self:
        """The closest viewport that shows a box whole; its east is at least its west."""
        sides = max((east - west) / FULL_TURN, (north - south) / HALF_TURN) / _FILL
        zoom = closest if sides <= 0 else math.floor(-math.log2(sides))
        return cls.at((south + north) / 2, (west + east) / 2, min(zoom, closest))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The viewport of `latitude,longitude,zoom`; None where the text is something else."""
        parts = text.split(",")
        try:
            latitude, longitude, zoom = float(parts[0]), float(parts[1]), int(parts[2])
        except (ValueError, IndexError):
            return None
        if not (math.isfinite(latitude) and math.isfinite(longitude)):
            return None
        return cls.at(latitude, longitude, zoom)

    def __str__(self) -> str:
        """`latitude,longitude,zoom`, to some centimetres."""
        return f"{self.latitude:.7g},{self.longitude:.8g},{self.zoom}"

    @property
    def width(self) -> float:
        """Degrees from west to east."""
        return math.ldexp(FULL_TURN, -self.zoom)

    @property
    def height(self) -> float:
        """Degrees from south to north."""
        return math.ldexp(HALF_TURN, -self.zoom)

    @property
    def west(self) -> float:
        """The longitude of the left side."""
        return self.longitude - self.width / 2

    @property
    def north(self) -> float:
        """The latitude of the upper side."""
        return self.latitude + self.height / 2

    def move(self, right: float, up: float) -> "Viewport":
        """The viewport by parts of its sides further east and north."""
        return Viewport.at(self.latitude + up * self.height, self.longitude + right * self.width, self.zoom)

    def zoom_by(self, steps: int) -> "Viewport":
        """The viewport with the same centre, closer or further away."""
        return Viewport.at(self.latitude, self.longitude, self.zoom + steps)
