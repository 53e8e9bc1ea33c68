"""Limits the reads of the key store that find no row (keys contract, section 3)."""

import asyncio
import time
from bisect import insort
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from proxy.keyring.lookup import KeyStoreUnavailableError

# Reads that find no row, in any second. Those in flight count until they have found one.
MAX_MISSES = 50
WINDOW = 1.0

# The most that a network's recent misses take from its share. The rest is for networks without any.
MAX_PENALTY = 40

# Seconds in which half of a network's misses are forgotten, and how many networks are remembered.
HALF_LIFE = 10.0
MAX_NETWORKS = 10_000


@dataclass(slots=True)
class Slot:
    """A read that is allowed; `missed` tells what it found."""

    missed: bool = False


@dataclass(order=True, slots=True)
class _Waiting:
    penalty: float
    number: int
    admitted: asyncio.Future[None] = field(compare=False)


class MissLimiter:
    """Shares the reads of unknown keys out to client networks: the fewer recent misses, the sooner.

    Reads that find a row only wait for those before them. Where misses use a network's share up, its read is refused.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._misses: deque[float] = deque()
        self._in_flight = 0
        self._waiting: list[_Waiting] = []
        self._number = 0
        self._tries: OrderedDict[str, tuple[float, float]] = OrderedDict()

    @asynccontextmanager
    async def slot(self, network: str) -> AsyncIterator[Slot]:
        """Waits until a client of this network may read.

        Raises:
            KeyStoreUnavailableError: too many reads found no row in the last second.
        """
        penalty = min(MAX_PENALTY, self._count(network, 1))
        await self._admit(penalty)  # a try that is refused stays counted
        slot = Slot()
        try:
            yield slot
        finally:
            self._in_flight -= 1
            if slot.missed:
                self._misses.append(self._clock())
            else:
                self._count(network, -1)
            self._settle()

    async def _admit(self, penalty: float) -> None:
        self._number += 1
        waiting = _Waiting(penalty, self._number, asyncio.get_running_loop().create_future())
        insort(self._waiting, waiting)
        self._settle()
        try:
            await waiting.admitted
        except asyncio.CancelledError:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            elif waiting.admitted.done() and not waiting.admitted.cancelled() and not waiting.admitted.exception():
                self._in_flight -= 1
                self._settle()
            raise

    def _settle(self) -> None:
        """Refuses those that wait with no share left, from the end, and admits those that have one, from the front."""
        now = self._clock()
        while self._misses and self._misses[0] <= now - WINDOW:
            self._misses.popleft()
        misses = len(self._misses)
        while self._waiting and misses >= MAX_MISSES - self._waiting[-1].penalty:
            refused = self._waiting.pop()
            if not refused.admitted.done():
                refused.admitted.set_exception(KeyStoreUnavailableError())
        while self._waiting and misses + self._in_flight < MAX_MISSES - self._waiting[0].penalty:
            next_one = self._waiting.pop(0)
            if not next_one.admitted.done():
                self._in_flight += 1
                next_one.admitted.set_result(None)

    def _count(self, network: str, change: int) -> float:
        """Changes a network's count; returns what it was before."""
        count, at = self._tries.get(network, (0.0, 0.0))
        now = self._clock()
        before: float = count * 0.5 ** ((now - at) / HALF_LIFE)
        self._tries[network] = max(0.0, before + change), now
        self._tries.move_to_end(network)
        if len(self._tries) > MAX_NETWORKS:
            self._tries.popitem(last=False)
        return before
