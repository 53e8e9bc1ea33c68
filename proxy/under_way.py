"""What is under way beside the answers of requests: work that goes on after its answer, and uploads."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

# Uploads that one process takes at once. Each holds at most 2.5 MB, one that waits for its first megabyte 0.3 MB.
MOST_UPLOADS = 64

# Seconds that a process waits at its end for work that is under way.
LAST_SECONDS = 2.0


class UnderWay:
    """Work that nobody waits for, until the process ends."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Begins work that goes on by itself."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def ended(self) -> None:
        """Waits until nothing is under way, or for LAST_SECONDS; what is under way then is given up."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_SECONDS)
        for task in self._tasks:
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # nobody waits for it


class Uploads:
    """Uploads under way in this process. Each is a job of its account that has no row yet."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    def of(self, account: str) -> int:
        """How many the account has."""
        return self._of[account]

    @property
    def is_full(self) -> bool:
        """Whether the process takes no more, of any account."""
        return self._of.total() >= MOST_UPLOADS

    @contextmanager
    def one_more(self, account: str) -> Iterator[None]:
        """Counts an upload of the account as long as the context lasts."""
        self._of[account] += 1
        try:
            yield
        finally:
            self._of[account] -= 1
            if not self._of[account]:
                del self._of[account]
