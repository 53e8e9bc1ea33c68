"""What a batch geocoder is sent, and what it answers, in words of neither Bing nor Azure Maps.

The items and places are tuples: they are compared by value, and a checkpoint holds them as arrays.
"""

from dataclasses import dataclass
from typing import NamedTuple

MAX_ITEMS = 100
"""Of one batch."""


class ForwardItem(NamedTuple):
    """A place to find: by `query` alone, or by the parts of its address. A part that is not given is empty."""

    query: str = ""
    address_line: str = ""
    locality: str = ""
    admin_district: str = ""
    admin_district2: str = ""
    admin_district3: str = ""
    postal_code: str = ""
    country: str = ""
    """ISO 3166 alpha-2."""
    top: int = 1
    """The most places of the answer, 1 to 20."""


class ReverseItem(NamedTuple):
    """A location to describe, in degrees; `types` are the kinds of places wanted, any where empty."""

    latitude: float
    longitude: float
    types: tuple[str, ...] = ()


Item = ForwardItem | ReverseItem


class AdminDistrict(NamedTuple):
    """A state, province or county; either name may be empty."""

    name: str
    short_name: str


class PlacePoint(NamedTuple):
    """One of the points of a place, in degrees: how it was found, and what it is for."""

    latitude: float
    longitude: float
    method: str
    usages: tuple[str, ...]


class BoundingBox(NamedTuple):
    """An area in degrees."""

    west: float
    south: float
    east: float
    north: float


class Place(NamedTuple):
    """A place of an answer. Its location is always given; a text that the answer lacks is empty."""

    latitude: float
    longitude: float
    name: str = ""
    """The whole address on one line."""
    type: str = ""
    confidence: str = ""
    match_codes: tuple[str, ...] = ()
    address_line: str = ""
    locality: str = ""
    neighborhood: str = ""
    postal_code: str = ""
    districts: tuple[AdminDistrict, ...] = ()
    """The largest first, at most two."""
    country: str = ""
    country_code: str = ""
    """ISO 3166 alpha-2."""
    box: BoundingBox | None = None
    points: tuple[PlacePoint, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why an item has no answer.

    Attributes:
        message: a sentence for the client, without keys.
        is_of_server: whether the geocoder failed; otherwise the item is wrong.
    """

    message: str
    is_of_server: bool


Answer = tuple[Place, ...] | ItemError
"""The places of one item, the best first; none where nothing was found."""
