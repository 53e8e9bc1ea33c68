"""A geocoder in the test's own process: counts what it is asked, and answers as the test wants it."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.maps.errors import AskStoppedError
from adapters.maps.mapping import batch_body, parse_item
from adapters.model.geocoding import Answer, Item

JsonObject = dict[str, Any]


def denver(item: JsonObject) -> JsonObject:
    """An answer for each item but those for `nowhere`."""
    if "nowhere" in item.get("query", ""):
        return {"features": []}
    geometry = {"type": "Point", "coordinates": [-104.5, 39.5]}
    properties = {"type": "PopulatedPlace", "address": {"formattedAddress": item.get("query", "Denver")}}
    return {"features": [{"geometry": geometry, "properties": properties}]}


def _set_event() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass
class CannedMaps:
    """Answers items after some seconds, once `gate` is set, as it is at first.

    `before` may raise what a call of so many earlier ones meets.
    """

    answer: Callable[[JsonObject], JsonObject] = denver
    seconds: float = 0.0
    before: Callable[[int], None] = lambda _: None
    asked: list[str] = field(default_factory=list)
    """Each item of each call, as JSON with its language."""
    calls: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=_set_event)
    most_at_once: int = 0
    given_back: int = 0
    _now: int = 0

    async def ask(
        self,
        items: Sequence[Item],
        language: str,
        *,
        answers: dict[int, Answer] | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> list[Answer]:
        """As `MapsClient.ask`, in one call."""
        known = {} if answers is None else answers
        left = [position for position in range(len(items)) if position not in known]
        if not may_go_on():
            raise AskStoppedError
        self.calls += 1
        self.before(self.calls)
        asked = batch_body([items[position] for position in left])["batchItems"]
        self.asked += [json.dumps([language, item], sort_keys=True) for item in asked]
        self.begun.set()
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            await self.gate.wait()
            await asyncio.sleep(self.seconds)
        finally:
            self._now -= 1
        known.update(zip(left, (parse_item(self.answer(item)) for item in asked), strict=True))
        return [known[position] for position in range(len(items))]

    async def give_back(self) -> None:
        """There is no bound."""
        self.given_back += 1
