"""What is under way beside the answers of requests: work that goes on after its answer, and uploads."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

# Uploads that one process takes at once. Each holds at most 2.5 MB, one that waits for its first megabyte 0.3 MB.
MOST_UPLOADS = 64

# Seconds that a process waits at its end for work that is under way.
LAST_SECONDS = 2.0


class ShieldedTasks:
    """Background work, until the process ends."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Begins work that goes on by itself."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def drain(self) -> None:
        """Waits until nothing is under way, or for LAST_SECONDS; what is under way then is given up."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_SECONDS)
        for task in self._tasks:
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # marks it as retrieved: no caller awaits the task


@dataclass(eq=False)
class Upload:
    """An upload under way, from its request's first look at the limits until its job has a row."""

    account: str
    is_admitted: bool = False
    """Whether the limits let it pass."""


class Uploads:
    """Uploads under way in this process. Each is a job of its account that has no row yet."""

    def __init__(self) -> None:
        self._under_way: dict[Upload, None] = {}

    def of(self, account: str, before: Upload | None = None) -> int:
        """How many of the account have been admitted; with `before`, how many came before that one, admitted or not."""
        if before is None:
            return sum(each.account == account and each.is_admitted for each in self._under_way)
        earlier = takewhile(lambda each: each is not before, self._under_way)
        return sum(each.account == account for each in earlier)

    @contextmanager
    def one_more(self, account: str, most: int) -> Iterator[Upload | None]:
        """Counts an upload of the account as long as the context lasts; None where there are too many.

        `most` is how many the account may have.
        """
        if len(self._under_way) >= MOST_UPLOADS or sum(each.account == account for each in self._under_way) >= most:
            yield None
            return
        upload = Upload(account)
        self._under_way[upload] = None
        try:
            yield upload
        finally:
            del self._under_way[upload]
