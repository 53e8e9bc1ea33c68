"""The pool of a worker's reader processes: gives them tasks, and kills them at a limit of time or memory."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy.worker.reader_process import END_SECONDS, ReaderProcess
from proxy.worker.reader_tasks import CRASH, ExportTask, ReportProgress, Task

MAX_CRASH = 4_000

# Signals from outside: from a system that runs out of memory, or from an operator.
_OUTSIDE_SIGNALS = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT}


class ReadingError(Exception):
    """Data can't be read, and another attempt would not help. The job's owner reads the text.

    `details` are for the log: where the program failed; empty if the text says all.
    """

    def __init__(self, text: str, details: str = "") -> None:
        super().__init__(text)
        self.details = details


class ReaderKilledError(Exception):
    """Another program killed a reader process. The data is not at fault."""


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """The memory and time of one task, and the number of tasks side by side."""

    memory_mb: int = 512
    seconds: float = 1800
    jobs: int = 2


class ReaderPool:
    """Reader processes. One is kept ready, because a process takes half a second to start, longer than a small load."""

    def __init__(self, limits: ReaderLimits) -> None:
        self.limits = limits
        self._idle: list[ReaderProcess] = []
        self._busy = 0
        self._turns = asyncio.Semaphore(limits.jobs)
        """A job that has lent its slot waits for a process, so that no more of them take memory at once."""

    async def warm(self) -> None:
        """Starts a process for the next task, unless one is ready or all are busy."""
        if not self._idle and self._busy < self.limits.jobs:
            self._idle.append(await ReaderProcess.start(self.limits.memory_mb))

    async def run(self, task: Task, report: ReportProgress) -> Any:  # noqa: ANN401  each task has its own result
        """Has a task done, and returns the members of its result; a cancellation kills the process.

        It waits while as many tasks are being done as the limits allow.

        Raises:
            ReadingError: the data can't be read, or not within the limits.
            ReaderKilledError: another program killed the process.
            OSError: the directory is gone, or its disk is full.
        """
        async with self._turns:
            return self._unpack(await self._run(task, report), task)

    async def _run(self, task: Task, report: ReportProgress) -> Mapping[str, Any]:
        self._busy += 1
        reader = None
        try:
            reader = await self._take()
            async with asyncio.timeout(self.limits.seconds):
                return await reader.do(task, report)
        except TimeoutError:
            limit = f"PROXY_WORKER_JOB_SECONDS allows ({self.limits.seconds:g} seconds)"
            raise ReadingError(f"Reading the data takes longer than {limit}.") from None
        finally:
            self._busy -= 1
            if reader is not None and reader.is_reusable:
                self._idle.append(reader)
            elif reader is not None:
                await reader.end()
            await self.warm()

    async def close(self) -> None:
        """Ends the processes that wait for a task."""
        while self._idle:
            await self._idle.pop().end(END_SECONDS)

    async def _take(self) -> ReaderProcess:
        while self._idle:
            reader = self._idle.pop()
            if reader.is_alive:
                return reader
        return await ReaderProcess.start(self.limits.memory_mb)

    def _unpack(self, result: Mapping[str, Any], task: Task) -> Any:  # noqa: ANN401  each task has its own result
        what = "entities can't be read"
        if not isinstance(task, ExportTask):
            what = f"data can't be read as {task.input_format}"
        unreadable = f"The {what}: a part of it is damaged or not in its format. The worker's log says where."
        match result.get("error"):
            case None:
                return result["done"]
            case "invalid":
                raise ReadingError(str(result["text"]))
            case "memory":
                limit = f"PROXY_WORKER_MEMORY_MB allows ({self.limits.memory_mb} MB)"
                raise ReadingError(f"Reading the data needs more memory than {limit}.")
            case "local":
                raise OSError(result["errno"], os.strerror(result["errno"]))
            case "died":
                status, stack = result["status"], ""
                if -status in _OUTSIDE_SIGNALS:
                    raise ReaderKilledError("the process that reads the data was killed")
                with suppress(OSError):
                    stack = (Path(task.folder) / CRASH).read_text(encoding="utf-8", errors="replace")[:MAX_CRASH]
                raise ReadingError(unreadable, f"the reader process ended with status {status}: {stack}")
            case _:
                raise ReadingError(unreadable, str(result.get("text")))
