"""Reads that several callers wait for together."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar

from adapters.circuit_breaker import CircuitBreaker
from adapters.errors import StorageError, StorageErrorCode
from adapters.instrumentation import UNNEEDED

_T = TypeVar("_T")

# How often a read is begun, in equal parts of its time, while no answer comes.
ATTEMPTS = 3


@dataclass(slots=True)
class _InFlight:
    """A read under way: what will come of it, the tasks that ask storage, and the timers that begin more."""

    outcome: "asyncio.Future[object]"
    tasks: "list[asyncio.Task[object]]" = field(default_factory=list)
    timers: list[asyncio.TimerHandle] = field(default_factory=list)


class SingleFlight:
    """Reads under way: whoever wants the same one waits for it too.

    A read belongs to nobody: a caller whose time is up does not end it for the others. It ends by its own deadline.
    A read without an answer for a while is begun once more beside it, since its connection may be dead where storage is
    well again; whichever is answered counts.
    """

    def __init__(self, guard: CircuitBreaker, seconds: float) -> None:
        """`seconds` is the longest that one read takes."""
        self._guard = guard
        self._again = seconds / ATTEMPTS
        self._under_way: dict[Hashable, _InFlight] = {}

    async def read(
        self,
        key: Hashable,
        read: Callable[[], Awaitable[_T]],
        patience: float | None = None,
        *,
        in_parts: float | None = None,
    ) -> tuple[_T, bool]:
        """The result of the read of this key, and whether it had begun before this call.

        Args:
            key: what is read; whoever gives the same key waits for the same read.
            read: asks storage.
            patience: seconds that this caller waits.
            in_parts: where it is given, `read` consists of shared reads of its own and takes so many seconds at most.
                It is not begun again and is no fault of storage when it takes too long: each part is judged alone.

        Raises:
            StorageFaultError: storage could not answer.
            TimeoutError: it did not within `patience` seconds, where that is given.
        """
        under_way = self._under_way.get(key)
        joined = under_way is not None
        if under_way is None:
            under_way = self._under_way[key] = _InFlight(asyncio.get_running_loop().create_future())
            self._begin(key, read, under_way, in_parts)
        async with asyncio.timeout(patience):
            return await asyncio.shield(under_way.outcome), joined  # type: ignore[arg-type]  # a key has one kind

    def close(self) -> None:
        """Ends all reads."""
        for under_way in self._under_way.values():
            under_way.tasks[0].cancel(UNNEEDED)

    def _begin(
        self,
        key: Hashable,
        read: Callable[[], Awaitable[object]],
        under_way: _InFlight,
        in_parts: float | None = None,
    ) -> None:
        task = asyncio.create_task(self._guard.call(read) if in_parts is None else _within(in_parts, read))
        under_way.tasks.append(task)
        task.add_done_callback(lambda done: self._ended(key, under_way, done))
        if in_parts is None and len(under_way.tasks) < ATTEMPTS:
            loop = asyncio.get_running_loop()
            under_way.timers.append(loop.call_later(self._again, self._begin, key, read, under_way))

    def _ended(self, key: Hashable, under_way: _InFlight, done: "asyncio.Task[object]") -> None:
        error = StorageError(StorageErrorCode.CREDENTIAL, "the account left the key ring") if done.cancelled() else None
        fault = error or done.exception()
        if under_way.outcome.done() or (fault is not None and done is not under_way.tasks[0]):
            return  # what was begun later fails for itself: the first has its time still
        del self._under_way[key]
        for timer in under_way.timers:
            timer.cancel()
        if fault is None:
            under_way.outcome.set_result(done.result())
        else:
            under_way.outcome.set_exception(fault)
            under_way.outcome.exception()  # nobody may wait for it any more
        # What was begun before the one that was answered was waited for too long, what was begun after it was not.
        place = under_way.tasks.index(done)
        for task in under_way.tasks[:place]:
            task.cancel()
        for task in under_way.tasks[place + 1 :]:
            task.cancel(UNNEEDED)


async def _within(seconds: float, read: Callable[[], Awaitable[_T]]) -> _T:
    try:
        async with asyncio.timeout(seconds):
            return await read()
    except TimeoutError:
        raise StorageError(StorageErrorCode.TIMEOUT, f"not all within {seconds:g} s") from None
