"""A schema with a property of each type, and short ways to write what tests of the language say."""

from proxy.query.conditions import Condition
from proxy.query.filter_binding import bind_filter
from proxy.query.filter_parser import parse_filter
from proxy.query.query import Query
from proxy.query.request import Request, parse_request
from proxy.query.schema import Property, PropertyType, Schema

KEY = Property("StoreID", PropertyType.STRING)
NAME = Property("Name", PropertyType.STRING)
SEATS = Property("Seats", PropertyType.INT64)
RATE = Property("Rate", PropertyType.DOUBLE)
IS_OPEN = Property("IsOpen", PropertyType.BOOLEAN)
CREATED = Property("Created", PropertyType.DATETIME)
BOUNDARY = Property("Boundary", PropertyType.GEOGRAPHY)
LATITUDE = Property("Latitude", PropertyType.DOUBLE)
LONGITUDE = Property("Longitude", PropertyType.DOUBLE)

SCHEMA = Schema("Stores", (KEY, NAME, SEATS, RATE, IS_OPEN, CREATED, BOUNDARY, LATITUDE, LONGITUDE), "StoreID")


def bound(text: str) -> Condition:
    """The condition that a `$filter` is for SCHEMA."""
    return bind_filter(parse_filter(text), SCHEMA)


def requested(segment: str = "Stores", /, **parameters: str) -> Request:
    """The request with these parameters; `_filter` stands for `$filter`."""
    return parse_request(segment, {name.replace("_", "$").lower(): value for name, value in parameters.items()})


def queried(segment: str = "Stores", /, **parameters: str) -> Query:
    """The query with these parameters, bound to SCHEMA."""
    return requested(segment, **parameters).bind(SCHEMA)
