"""The client of one Azure Maps account: batches of items for jobs, single look-ups and routes for requests."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar

from adapters.errors import StorageError
from adapters.maps.access import MapsAccess
from adapters.maps.batches import AskBatch
from adapters.maps.connection import DEADLINE, MapsConnection
from adapters.maps.errors import MapsError, MapsFailure
from adapters.maps.mapping import batch_body, parse_batch
from adapters.maps.observer import NULL_OBSERVER, MapsObserver, MapsOperation
from adapters.maps.routes import parse_route, route_body
from adapters.maps.throttle import Throttle
from adapters.model.geocoding import Answer, ForwardItem, Item
from adapters.model.routing import Location, RouteRequest

_Result = TypeVar("_Result")

_FORWARD: tuple[MapsOperation, str] = ("geocode", "geocode:batch")
_REVERSE: tuple[MapsOperation, str] = ("reverse", "reverseGeocode:batch")
_ROUTE: tuple[MapsOperation, str] = ("route", "route/directions")


class ItemBudget(Protocol):
    """Bounds the items of a day."""

    async def take(self, items: int) -> None:
        """Counts items before they are asked.

        Raises:
            MapsError: DAY_BOUND, they are too many, and none is counted; `retry_after` is the time to the next day.
            StorageError: the count can't be read or written.
        """
        ...

    async def give_back(self) -> None:
        """Gives back what was counted and not asked."""
        ...


class MapsClient:
    """The Azure Maps of an account.

    Args:
        endpoint: its URL, without a slash at its end.
        access: its key or identity.
        throttle: the rate of this process with that Azure Maps account.
        observer: learns of calls and items.
        budget: bounds the items of a day; None: nothing does.
        deadline: seconds of one call.
    """

    def __init__(  # noqa: PLR0913 - each is a part that tests replace
        self,
        endpoint: str,
        access: MapsAccess,
        throttle: Throttle,
        observer: MapsObserver = NULL_OBSERVER,
        budget: ItemBudget | None = None,
        *,
        deadline: float = DEADLINE,
    ) -> None:
        self._connection = MapsConnection(endpoint, access, throttle, deadline)
        self._throttle, self._observer, self._budget = throttle, observer, budget

    async def ask(
        self,
        items: Sequence[Item],
        language: str,
        *,
        answers: dict[int, Answer] | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> list[Answer]:
        """Asks the items of one chunk, with all repeats, as often as it takes (geocode.md, sections 6.1 and 7).

        Args:
            items: 1 to 100, all forward or all reverse.
            language: their language tag.
            answers: final answers by position. Those in there are not asked again; each new one is put in as soon as
                it is there, so that a caller which is stopped or cancelled, or meets an error, has what was paid for.
            may_go_on: is called before each call but repeats; false stops here.

        Returns:
            The answers in the order of the items.

        Raises:
            MapsError: a call failed for good: CREDENTIAL and REFUSED at once, UNAVAILABLE and THROTTLED after 6 tries,
                DAY_BOUND before the call.
            AskStoppedError: `may_go_on` was false.
            StorageError: the day's items can't be counted.
        """
        asking = AskBatch(items, partial(self._ask_once, language), self._observer, answers, may_go_on)
        return await asking.run()

    async def look_up(self, item: Item, language: str) -> Answer:
        """Asks one item once, without a wait, for a request that has a deadline.

        Raises:
            MapsError: there is no answer.
        """
        self._refuse_while_paused()
        answer = (await self._ask_once(language, [item]))[0]
        self._observer.items_ended(*((1, 0) if isinstance(answer, tuple) else (0, 1)))
        return answer

    async def find_route(self, request: RouteRequest) -> list[Location]:
        """The points of a route's line, from its start to its end. Asked once, without a wait.

        Raises:
            MapsError: there is no answer. REJECTED: there is no such route.
        """
        self._refuse_while_paused()
        body, (operation, path) = route_body(request), _ROUTE
        return await self._call(operation, 1, lambda: self._connection.post(path, body, parse_route))

    async def check_access(self) -> None:
        """Learns whether there is a key or a token, without a call that costs.

        Raises:
            MapsError: there is none.
        """
        await self._connection.check_access()

    async def give_back(self) -> None:
        """Gives back what was taken of the day's items and not asked."""
        if self._budget is not None:
            await self._budget.give_back()

    async def close(self) -> None:
        """Gives back the rest of the day's items, and closes the connections."""
        try:
            with suppress(StorageError):  # then a few items of this day are lost
                await self.give_back()
        finally:
            await self._connection.close()

    async def _ask_once(self, language: str, items: Sequence[Item]) -> list[Answer]:
        operation, path = _FORWARD if isinstance(items[0], ForwardItem) else _REVERSE
        body, parse = batch_body(items), partial(parse_batch, count=len(items))
        return await self._call(operation, len(items), lambda: self._connection.post(path, body, parse, language))

    async def _call(self, operation: MapsOperation, items: int, send: Callable[[], Awaitable[_Result]]) -> _Result:
        await self._throttle.acquire()
        if self._budget is not None:
            await self._budget.take(items)
        started, failure = time.perf_counter(), None
        try:
            return await send()
        except MapsError as error:
            failure = error.failure
            raise
        except asyncio.CancelledError:
            failure = MapsFailure.TIMEOUT
            raise
        finally:
            self._observer.call_ended(operation, items, time.perf_counter() - started, failure)

    def _refuse_while_paused(self) -> None:
        if (seconds := self._throttle.seconds_paused) > 0:
            raise MapsError(MapsFailure.THROTTLED, "calls are paused after an answer 429", retry_after=seconds)
