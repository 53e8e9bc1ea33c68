"""The stand-in for Azure Maps: both batch routes and Route Directions on loopback, with counts of what was asked."""

import asyncio
import json
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from proxy.demo.maps.gazetteer import answer_item
from proxy.demo.maps.modes import refuse, respond
from proxy.demo.maps.refusals import (
    refuse_access,
    refuse_batch,
    refuse_call,
    refuse_forward,
    refuse_reverse,
    refuse_route,
)

Json = dict[str, Any]

HOST = "127.0.0.1"
KEY = "stand-in-subscription-key"
CLIENT_ID = "00000000-0000-0000-0000-000000000001"
MAX_BODY = 8 * 1024 * 1024
ROUTE_POINTS = 11
_STATUS_OK, _STATUS_BAD, _STATUS_DENIED = 200, 400, 401
_START_SECONDS = 60

Rule = Callable[[int, Sequence[Json]], str]
"""The mode of a request by its number, from 1, and its items; empty for none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: when it came (`time.monotonic()`), its operation, items and language, and the mode it met."""

    at: float
    operation: str
    items: tuple[Json, ...]
    language: str
    mode: str
    status: int


@dataclass
class MapsStandIn:
    """What the stand-in answers, and what it was asked.

    Attributes:
        answer: the answer of one item.
        seconds: how long each answer takes.
        modes: the modes of requests by their numbers, from 1.
        rule: the mode of a request that is not in `modes`.
        keeps_items: whether `asked` has the items; off for big runs.
    """

    answer: Callable[[Json], Json] = answer_item
    seconds: float = 0.0
    modes: Mapping[int, str] = field(default_factory=dict)
    rule: Rule = lambda _number, _items: ""
    keeps_items: bool = True
    key: str = KEY
    client_id: str = CLIENT_ID
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    items: int = 0
    """Items of all batches that were let in, as Azure Maps would bill them."""

    @property
    def calls(self) -> int:
        """The number of requests."""
        return len(self.asked)

    @property
    def most_calls_in_one_second(self) -> int:
        """The largest number of requests in any second."""
        times = sorted(each.at for each in self.asked)
        return max((at - bisect_right(times, each - 1) + 1 for at, each in enumerate(times)), default=0)

    def application(self) -> web.Application:
        """The routes."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post("/geocode:batch", self._geocode)
        app.router.add_post("/reverseGeocode:batch", self._reverse)
        app.router.add_post("/route/directions", self._route)
        return app

    async def _geocode(self, request: web.Request) -> web.StreamResponse:
        return await self._batch(request, "geocode", refuse_forward)

    async def _reverse(self, request: web.Request) -> web.StreamResponse:
        return await self._batch(request, "reverse", refuse_reverse)

    async def _batch(
        self, request: web.Request, operation: str, refuse_item: Callable[[Json], str | None]
    ) -> web.StreamResponse:
        body = await _read(request)
        refusal = refuse_batch(request.query.get("api-version", ""), request.content_type, body)
        items = body["batchItems"] if refusal is None and isinstance(body, dict) else []

        def build() -> Json:
            found = [_item_error(why) if (why := refuse_item(item)) else self.answer(item) for item in items]
            good = sum("error" not in each for each in found)
            return {"summary": {"successfulRequests": good, "totalRequests": len(items)}, "batchItems": found}

        return await self._respond(request, operation, items, refusal, build)

    async def _route(self, request: web.Request) -> web.StreamResponse:
        body = await _read(request)
        refusal = refuse_call(request.query.get("api-version", ""), request.content_type) or refuse_route(body)
        return await self._respond(request, "route", [body], refusal, lambda: _straight_route(body))

    async def _respond(
        self,
        request: web.Request,
        operation: str,
        items: Sequence[Json],
        refusal: str | None,
        build: Callable[[], Json],
    ) -> web.StreamResponse:
        number = len(self.asked) + 1
        denied = refuse_access(request.headers, self.key, self.client_id)
        mode = self.modes.get(number) or self.rule(number, items)
        status = _STATUS_DENIED if denied else _STATUS_BAD if refusal else _STATUS_OK
        kept = tuple(items) if self.keeps_items else ()
        language = request.headers.get("Accept-Language", "")
        self.asked.append(Asked(time.monotonic(), operation, kept, language, mode, status))
        if denied:
            return refuse(_STATUS_DENIED, denied)
        if refusal:
            return refuse(_STATUS_BAD, refusal)
        self.items += len(items)
        if self.seconds:
            await asyncio.sleep(self.seconds)
        return await respond(request, mode, build())


@contextmanager
def start_stand_in(stand_in: MapsStandIn | None = None, port: int = 0) -> Iterator[MapsStandIn]:
    """Runs a stand-in in a thread of its own until the context ends; `url` is its endpoint.

    Args:
        stand_in: what it answers; None: the gazetteer's places.
        port: where it listens on loopback; 0 chooses a free port.
    """
    running = stand_in or MapsStandIn()
    loop, started = asyncio.new_event_loop(), threading.Event()
    failures: list[OSError] = []
    runner = web.AppRunner(running.application(), access_log=None, shutdown_timeout=0.1, handler_cancellation=True)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, HOST, port).start()
        running.url = f"http://{HOST}:{runner.addresses[0][1]}"

    async def end() -> None:
        await runner.cleanup()
        if answering := asyncio.all_tasks() - {asyncio.current_task()}:  # to clients that have gone
            for task in answering:
                task.cancel()
            await asyncio.wait(answering)

    def run() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(start())
        except OSError as error:
            failures.append(error)
            return
        finally:
            started.set()
        loop.run_forever()

    thread = threading.Thread(target=run, name="maps stand-in", daemon=True)
    thread.start()
    started.wait(_START_SECONDS)
    try:
        if failures:
            raise failures[0]
        yield running
    finally:
        if not failures:
            asyncio.run_coroutine_threadsafe(end(), loop).result(_START_SECONDS)
            loop.call_soon_threadsafe(loop.stop)
        thread.join(_START_SECONDS)
        loop.close()


async def _read(request: web.Request) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(await request.read())
    except ValueError:
        return None


def _item_error(message: str) -> Json:
    return {"error": {"code": "400 BadRequest", "message": message}}


def _straight_route(body: Json) -> Json:
    """A line from one end to the other with points between, and what Azure Maps gives beside it."""
    start, end = (feature["geometry"]["coordinates"] for feature in body["features"])
    shares = [step / (ROUTE_POINTS - 1) for step in range(ROUTE_POINTS)]
    line = [[one + (other - one) * share for one, other in zip(start, end, strict=True)] for share in shares]
    path = {
        "type": "Feature",
        "geometry": {"type": "MultiLineString", "coordinates": [line]},
        "properties": {"type": "RoutePath", "legs": []},
    }
    ends = [{**feature, "properties": {"type": "ManeuverPoint"}} for feature in body["features"]]
    return {"type": "FeatureCollection", "features": [*ends, path]}
