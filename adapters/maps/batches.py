"""Asks the items of one chunk until each has an answer or an error: repeats, halves, bisects (geocode.md, 6.1)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from adapters.maps.errors import REPEATED, AskStoppedError, MapsError, MapsFailure
from adapters.maps.observer import MapsObserver
from adapters.model.geocoding import MAX_ITEMS, Answer, Item, ItemError
from adapters.sdk_calls import JITTER

MAX_TRIES = 6
"""Of one call."""
LONGEST_WAIT = 60.0
TIMED_OUT = ItemError("Azure Maps did not answer this request in time.", is_of_server=True)

_HALVED = frozenset({MapsFailure.TIMEOUT, MapsFailure.REJECTED, MapsFailure.PARTIAL})

AskOnce = Callable[[Sequence[Item]], Awaitable[list[Answer]]]


class AskBatch:
    """The calls of one chunk, one after the other. Arguments are those of `MapsClient.ask`."""

    def __init__(
        self,
        items: Sequence[Item],
        ask_once: AskOnce,
        observer: MapsObserver,
        answers: dict[int, Answer] | None,
        may_go_on: Callable[[], bool],
    ) -> None:
        if not 0 < len(items) <= MAX_ITEMS:
            raise ValueError(f"a batch has 1 to {MAX_ITEMS} items, and this one {len(items)}")
        self._items, self._ask_once, self._observer, self._may_go_on = items, ask_once, observer, may_go_on
        self._answers: dict[int, Answer] = {} if answers is None else answers
        self._errors: list[int] = []
        """Positions of items that had an error in the first round."""

    async def run(self) -> list[Answer]:
        """The answers in the order of the items; raises as `MapsClient.ask` does."""
        await self._ask_all([position for position in range(len(self._items)) if position not in self._answers])
        if self._errors:
            self._observer.repeated(len(self._errors))
            await self._ask_all(self._errors, is_last=True)
        return [self._answers[position] for position in range(len(self._items))]

    async def _ask_all(self, positions: list[int], *, is_last: bool = False) -> None:
        """Asks items in one call, or in more after a failure that smaller calls may not meet."""
        calls = deque([positions] if positions else [])
        while calls:
            asked = calls.popleft()
            if not self._may_go_on():
                raise AskStoppedError
            try:
                found = await self._ask_patiently([self._items[position] for position in asked])
            except MapsError as error:
                if error.failure is MapsFailure.DAY_BOUND and error.items_left:
                    calls.extendleft((asked[error.items_left :], asked[: error.items_left]))
                elif error.failure not in _HALVED:
                    raise
                elif len(asked) == 1:
                    is_late = error.failure is MapsFailure.TIMEOUT
                    self._put(asked[0], TIMED_OUT if is_late else ItemError(error.message, is_of_server=False))
                else:
                    self._observer.repeated(len(asked))
                    middle = len(asked) // 2
                    calls.extendleft((asked[middle:], asked[:middle]))
                continue
            for position, answer in zip(asked, found, strict=True):
                if isinstance(answer, ItemError) and not is_last:
                    self._errors.append(position)
                else:
                    self._put(position, answer)

    async def _ask_patiently(self, items: Sequence[Item]) -> list[Answer]:
        """One call, repeated while Azure Maps is throttled or unavailable."""
        for wait in [min(LONGEST_WAIT, 2.0**attempt) for attempt in range(MAX_TRIES - 1)]:
            try:
                return await self._ask_once(items)
            except MapsError as error:
                if error.failure not in REPEATED:
                    raise
                self._observer.repeated(len(items))
                if error.failure is MapsFailure.UNAVAILABLE:  # a throttled one waits with all others
                    seconds = JITTER.uniform(0, wait) if error.retry_after is None else error.retry_after
                    await asyncio.sleep(min(seconds, LONGEST_WAIT))
        return await self._ask_once(items)

    def _put(self, position: int, answer: Answer) -> None:
        self._answers[position] = answer
        self._observer.items_ended(*((1, 0) if isinstance(answer, tuple) else (0, 1)))
