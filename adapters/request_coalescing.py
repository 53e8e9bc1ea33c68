"""Concurrent callers of the same key share one read: one that is in flight already, or only one that starts later."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

from adapters.errors import StorageError, StorageErrorCode

_T = TypeVar("_T")

NO_LONGER_NEEDED = "no longer needed"
"""The message of a task's cancellation where nothing needs its result any more: no failure of storage."""


class SingleFlight:
    """Reads in flight. A caller that gives up does not end a read for the others; each read has its own deadline."""

    def __init__(self) -> None:
        self._in_flight: dict[Hashable, asyncio.Task[Any]] = {}

    async def run(
        self, key: Hashable, read: Callable[[], Coroutine[Any, Any, _T]], wait: float | None = None
    ) -> tuple[_T, bool]:
        """Joins the read of this key, or starts it.

        Args:
            key: identifies the read; callers of the same key share it.
            read: reads; it ends by its own deadline.
            wait: seconds for which this caller waits; None waits to the end of the read.

        Returns:
            The read's result, and whether the read had started before this call.

        Raises:
            StorageError: the read failed, or the account was closed.
            TimeoutError: the read took longer than `wait`.
        """
        task, joined = self._join_or_start(key, read)
        try:
            async with asyncio.timeout(wait):
                return await asyncio.shield(task), joined
        except asyncio.CancelledError:
            if task.cancelled() and not _is_cancelled():  # by `close`, unlike a caller's own cancellation
                raise StorageError(StorageErrorCode.CREDENTIAL, "the account left the key ring") from None
            raise

    def start(self, key: Hashable, read: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Starts the read of this key in the background, unless it is in flight."""
        self._join_or_start(key, read)

    def close(self) -> None:
        """Cancels all reads."""
        for task in self._in_flight.values():
            task.cancel(NO_LONGER_NEEDED)

    def _join_or_start(
        self, key: Hashable, read: Callable[[], Coroutine[Any, Any, _T]]
    ) -> "tuple[asyncio.Task[_T], bool]":
        task = self._in_flight.get(key)
        if task is not None and not task.done():
            return task, True
        task = self._in_flight[key] = asyncio.create_task(read())
        task.add_done_callback(lambda done: self._remove(key, done))
        return task, False

    def _remove(self, key: Hashable, task: "asyncio.Task[Any]") -> None:
        if self._in_flight.get(key) is task:
            del self._in_flight[key]
        if not task.cancelled():
            task.exception()  # marks it as retrieved: every caller may have given up


def _is_cancelled() -> bool:
    """Whether the running task itself was cancelled; a read that `close` cancels at that moment must not hide it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class PacedReads:
    """Reads that callers of the same key share, each of them begun after all of its callers asked.

    So a caller sees every write that ended before it asked, which a read in flight may have missed. While a read of a
    key is in flight, the next one begins `interval` seconds after it did; else it begins at once.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._begun: dict[Hashable, float] = {}
        self._next: dict[Hashable, asyncio.Task[Any]] = {}

    async def run(self, key: Hashable, read: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Joins the next read of this key.

        Args:
            key: identifies the read.
            read: reads; it ends by its own deadline. A caller that gives up does not end it for the others.

        Raises:
            StorageError: the read failed.
        """
        task: asyncio.Task[_T] | None = self._next.get(key)
        if task is None:
            task = self._next[key] = asyncio.create_task(self._read(key, read))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # every caller may have given up
        return await asyncio.shield(task)

    async def _read(self, key: Hashable, read: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        loop = asyncio.get_running_loop()
        if key in self._begun:
            await asyncio.sleep(self._begun[key] + self._interval - loop.time())
        del self._next[key]
        begun = self._begun[key] = loop.time()
        try:
            return await read()
        finally:
            if self._begun.get(key) == begun:
                del self._begun[key]
