"""Work that is done to its end, also when its caller's time is up or the process ends: half of it would be worse."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class UnderWay:
    """What has been begun and is not done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    async def to_its_end(self, work: Coroutine[Any, Any, None]) -> None:
        """Waits for work that goes on when whoever waits is cancelled."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        await asyncio.shield(task)

    async def ended(self) -> None:
        """Waits until nothing is under way."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may wait for it any more
