"""Work that outlives its request, and uploads under way."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

# Uploads of one process at the same time. Each holds at most 2.5 MB, one before its first megabyte 0.3 MB.
MAX_UPLOADS = 64

# Seconds that a process waits at its end for background work.
DRAIN_SECONDS = 2.0


class ShieldedTasks:
    """Background tasks that no request's end cancels."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Starts background work."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    async def drain(self) -> None:
        """Waits for all tasks, at most DRAIN_SECONDS, and cancels the rest."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
        for task in self._tasks:
            task.cancel()

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # marks it as retrieved: nothing awaits the task


@dataclass(eq=False)
class Upload:
    """An upload, from the first check of the quotas until its job has a row."""

    account: str
    is_admitted: bool = False
    """Whether the quotas admit it."""


class Uploads:
    """The uploads of this process. Each counts as a job of its account that has no row yet."""

    def __init__(self) -> None:
        self._uploads: dict[Upload, None] = {}

    def count(self, account: str, before: Upload | None = None) -> int:
        """Counts the account's admitted uploads, or with `before` all that came before that one."""
        if before is None:
            return sum(each.account == account and each.is_admitted for each in self._uploads)
        return sum(each.account == account for each in takewhile(lambda each: each is not before, self._uploads))

    @contextmanager
    def track(self, account: str, limit: int) -> Iterator[Upload | None]:
        """Counts an upload while the context lasts. Yields None where the process or the account has too many."""
        of_account = sum(each.account == account for each in self._uploads)
        if len(self._uploads) >= MAX_UPLOADS or of_account >= limit:
            yield None
            return
        upload = Upload(account)
        self._uploads[upload] = None
        try:
            yield upload
        finally:
            del self._uploads[upload]
