"""Finds what an area of a query needs: the location of an address, the line of a route (geocode contract, section 1).

It comes after every other check of a query, since each question is billed. Azure Maps' terms allow no answer to be kept
for another request.
"""

import asyncio
import logging
import math
import time
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from adapters.account import AccountStorage
from adapters.maps.errors import MapsError, MapsFailure
from adapters.model.geocoding import ForwardItem, ItemError
from adapters.model.routing import Avoided, Goal, Location, RouteRequest
from proxy.observability.request_trace import CURRENT
from proxy.query.areas import Address, Area, Avoid, NearAddress, Nearby, NearRoute, Optimize, Point, TravelMode
from proxy.query.errors import QueryError
from proxy.query.query import Query
from proxy.query.route import RouteLine
from proxy.wire.errors import ApiError, ErrorCode

log = logging.getLogger(__name__)

LANGUAGE = "en-US"
"""Queries have no culture, and a location is the same in each language."""

ADDRESS_NOT_FOUND = (
    "The address in the parameter spatialFilter was not found. Allowed are addresses, with locality and country or"
    " region where they are not unique, and coordinates as latitude,longitude."
)
ROUTE_NOT_FOUND = (
    "There is no route between the two places in the parameter spatialFilter. Allowed are two places that a road joins."
)

_AVOIDED: dict[Avoid, Avoided] = {
    Avoid.HIGHWAYS: "highways",
    Avoid.MINIMIZE_HIGHWAYS: "highways",
    Avoid.TOLLS: "tolls",
    Avoid.MINIMIZE_TOLLS: "tolls",
}
_GOALS: dict[Optimize, Goal] = {
    Optimize.TIME: "fastest",
    Optimize.DISTANCE: "shortest",
    Optimize.TIME_WITH_TRAFFIC: "fastest_in_traffic",
}


@dataclass(frozen=True, slots=True)
class LocatedQuery:
    """A query that the engine can run: its area has coordinates only, and a route has its line."""

    query: Query
    route: RouteLine | None = None


class PlaceFinder:
    """Asks the Azure Maps of an account for one request, which asks nothing twice.

    Args:
        account: that of the key.
        deadline: by `time.monotonic()`.
    """

    def __init__(self, account: AccountStorage, deadline: float) -> None:
        self._account, self._deadline = account, deadline
        self._locations: dict[str, Location] = {}
        self._routes: dict[RouteRequest, RouteLine] = {}

    async def locate(self, query: Query) -> LocatedQuery:
        """Finds the address or the route of a query's area; any other query stays as it is.

        Raises:
            QueryError: the address is not found, or there is no such route.
            ApiError: Azure Maps does not answer, or not now.
            StorageError: the items of the day can't be counted.
        """
        if not isinstance(query.area, NearAddress | NearRoute):
            return LocatedQuery(query)
        try:
            async with asyncio.timeout(max(0.0, self._deadline - time.monotonic())):
                return await self._locate(query, query.area)
        except TimeoutError:
            raise self._unavailable("no answer within the request's deadline") from None
        except MapsError as error:
            raise self._unavailable(f"{error}; {error.failure.value.hint}", error.retry_after) from None

    async def _locate(self, query: Query, area: NearAddress | NearRoute) -> LocatedQuery:
        if isinstance(area, NearAddress):
            found = await self._find(area.address)
            center: Area = Nearby(Point(found.latitude, found.longitude), area.kilometres)
            return LocatedQuery(replace(query, area=center))
        options = area.options
        request = RouteRequest(
            await self._find(area.start),
            await self._find(area.end),
            "walking" if options.travel_mode is TravelMode.WALKING else "driving",
            _GOALS[options.optimize],
            frozenset(_AVOIDED[each] for each in options.avoid),
            options.heading,
        )
        if request not in self._routes:
            self._routes[request] = await self._find_route(request)
        return LocatedQuery(query, self._routes[request])

    async def _find(self, place: Point | Address) -> Location:
        if isinstance(place, Point):
            return Location(place.latitude, place.longitude)
        if place.text not in self._locations:
            self._locations[place.text] = await self._geocode(place.text)
        return self._locations[place.text]

    async def _geocode(self, address: str) -> Location:
        try:
            answer = await self._account.maps.look_up(ForwardItem(query=address), LANGUAGE)
        except MapsError as error:
            if error.failure is MapsFailure.REJECTED:
                raise QueryError(ADDRESS_NOT_FOUND) from None
            raise
        if isinstance(answer, ItemError):
            if answer.is_of_server:
                raise self._unavailable("the item of an address failed")
            raise QueryError(ADDRESS_NOT_FOUND)
        if not answer:
            raise QueryError(ADDRESS_NOT_FOUND)
        return Location(answer[0].latitude, answer[0].longitude)

    async def _find_route(self, request: RouteRequest) -> RouteLine:
        try:
            points = await self._account.maps.find_route(request)
        except MapsError as error:
            if error.failure is MapsFailure.REJECTED:
                raise QueryError(ROUTE_NOT_FOUND) from None
            raise
        ends = points if len(points) > 1 else points * 2
        line = np.fromiter(chain.from_iterable(ends), np.float64).reshape(-1, 2)  # 200,000 points within milliseconds
        return RouteLine(line[:, 0].copy(), line[:, 1].copy())

    def _unavailable(self, reason: str, retry_after: float | None = None) -> ApiError:
        trace = CURRENT.get()
        fields = {"trace_id": None if trace is None else trace.trace_id, "account": self._account.name}
        log.warning("a query's address or route can't be found now: %s", reason, extra=fields)
        seconds = None if retry_after is None else max(1, math.ceil(retry_after))
        return ApiError(ErrorCode.MAPS_UNAVAILABLE, retry_after=seconds)
