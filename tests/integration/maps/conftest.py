"""A stand-in for each test, a client of it, and waits that pass at once."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from adapters.maps.access import KeyAccess, MapsAccess
from adapters.maps.client import ItemBudget, MapsClient
from adapters.maps.errors import MapsFailure
from adapters.maps.observer import MapsObserver, MapsOperation
from adapters.maps.throttle import Throttle
from adapters.model.geocoding import Answer, ForwardItem
from adapters.tables.maps_counter import MapsCounter
from proxy.demo.maps.stand_in import KEY, MapsStandIn, start_stand_in
from tests.support.opened_account import SECONDS

FAST = 10_000.0
"""Calls per second, where the rate is not what is tested."""


@dataclass
class Waits:
    """Stands in for the source of jitter: the longest wait is recorded, and the shortest taken."""

    longest: list[float] = field(default_factory=list)

    def uniform(self, low: float, high: float) -> float:
        self.longest.append(high)
        return low


@dataclass
class Seen(MapsObserver):
    """What an observer learns."""

    calls: list[tuple[MapsOperation, int, MapsFailure | None]] = field(default_factory=list)
    answered: int = 0
    failed: int = 0
    again: int = 0

    def call_ended(self, operation: MapsOperation, items: int, seconds: float, failure: MapsFailure | None) -> None:
        assert seconds >= 0
        self.calls.append((operation, items, failure))

    def items_ended(self, answered: int, failed: int) -> None:
        self.answered, self.failed = self.answered + answered, self.failed + failed

    def repeated(self, items: int) -> None:
        self.again += items


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    """No wait by jitter takes any time."""
    waits = Waits()
    monkeypatch.setattr("adapters.maps.batches.JITTER", waits)
    monkeypatch.setattr("adapters.maps.throttle.JITTER", waits)
    return waits


@pytest.fixture
def maps() -> Iterator[MapsStandIn]:
    """A stand-in that knows the gazetteer."""
    with start_stand_in() as running:
        yield running


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No day ends while a test counts its items."""
    moment = datetime.now(UTC).replace(hour=12)
    monkeypatch.setattr(MapsCounter, "_now", lambda _: moment)


def client_of(
    maps: MapsStandIn,
    *,
    access: MapsAccess | None = None,
    throttle: Throttle | None = None,
    observer: MapsObserver | None = None,
    budget: ItemBudget | None = None,
    deadline: float = SECONDS,
) -> MapsClient:
    """A client of the stand-in, without a rate unless one is given."""
    return MapsClient(
        maps.url,
        access or KeyAccess(KEY),
        throttle or Throttle(FAST),
        observer or MapsObserver(),
        budget,
        deadline=deadline,
    )


async def using(client: MapsClient, work: Callable[[MapsClient], Awaitable[list[Answer]]]) -> list[Answer]:
    """Runs work with a client, and closes it."""
    try:
        return await work(client)
    finally:
        await client.close()


def towns(count: int) -> list[ForwardItem]:
    """Different items, each of which the stand-in finds."""
    return [ForwardItem(query=f"Denver {number}") for number in range(count)]
