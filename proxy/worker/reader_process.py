"""One reader process: its environment, its protocol, and the watch of its memory."""

import asyncio
import json
import os
import re
import signal
import sys
import threading
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from proxy.worker.reader_tasks import ReportProgress, Task

MAX_LINE = 1024 * 1024

# Seconds that a process has to end by itself, and that a slow disk may delay the end of a killed one.
END_SECONDS = 2.0

# Seconds between two checks of a reader's memory, and the part of it that is reserved for growth between them.
WATCH_SECONDS = 0.02
RESERVE = 1 / 8

# A reader that has used more bytes is replaced, so that what it keeps does not count against the next task.
REUSABLE_BYTES = 128 * 1024**2

# The environment that Python and the system's libraries read. Other variables may be secrets.
_INHERITED = re.compile(r"PATH|HOME|LANG|TZ|SYSTEMROOT|(PYTHON|LC_|LD_|DYLD_|COVERAGE_).*")

# One heap for all libraries, so that each can reuse freed memory; and no threads, each of which has a stack.
_MEMORY_SETTINGS = {
    "MALLOC_ARENA_MAX": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


class ReaderProcess:
    """A process that does one task at a time.

    Attributes:
        is_reusable: whether the process waits for another task.
    """

    def __init__(self, process: Process, megabytes: int) -> None:
        assert process.stdin is not None  # noqa: S101  both are pipes
        assert process.stdout is not None  # noqa: S101  both are pipes
        self.is_reusable = True
        self._process, self._tasks, self._results = process, process.stdin, process.stdout
        self._max_bytes = megabytes * 1024**2 * (1 - RESERVE)
        self._peak_bytes = 0

    @classmethod
    async def start(cls, megabytes: int) -> Self:
        """Starts a process with this memory limit. Only for the main thread: the kernel ends the process with it."""
        environment = {name: value for name, value in os.environ.items() if _INHERITED.fullmatch(name)}
        command = sys.executable, "-m", "proxy.worker.reader", str(os.getpid()), str(megabytes)
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=MAX_LINE, env=environment | _MEMORY_SETTINGS
        )
        return cls(process, megabytes)

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.returncode is None

    async def do(self, task: Task, report: ReportProgress) -> dict[str, Any]:
        """Has a task done.

        Returns:
            The members of the result; `error` is "died" after the process ended, and "memory" after it was killed here.
        """
        self.is_reusable = False
        with self._watched():
            self._tasks.write(json.dumps(asdict(task) | {"kind": task.kind}).encode() + b"\n")
            result = await self._receive(report)
        if self._peak_bytes > self._max_bytes:
            return {"error": "memory"}
        self.is_reusable = result.get("error") not in {"died", "protocol"} and self._peak_bytes < REUSABLE_BYTES
        return result

    async def end(self, seconds: float = 0) -> None:
        """Ends the process. It may end by itself within some seconds; then it is killed."""
        self._tasks.close()
        if seconds:
            await self._wait(seconds)
        if self.is_alive:
            self._process.kill()
            await self._wait(END_SECONDS)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._process.wait()

    async def _receive(self, report: ReportProgress) -> dict[str, Any]:
        # A file may have taken over a parser, so the lines are data and never code.
        try:
            async for line in self._results:
                members: dict[str, Any] = json.loads(line)
                report(int(members["processed"]), int(members["failed"]))
                if "done" in members or "error" in members:
                    return members
        except (ValueError, KeyError, TypeError) as error:
            return {"error": "protocol", "text": f"no result of a reader: {error!r}"}
        return {"error": "died", "status": await self._process.wait()}

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Kills the process when it uses too much memory. By a thread, because the event loop may be busy."""
        over = threading.Event()
        watching = threading.Thread(target=self._watch, args=(over,), daemon=True)
        watching.start()
        try:
            yield
        finally:
            over.set()
            watching.join()

    def _watch(self, over: threading.Event) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        with suppress(OSError), Path(f"/proc/{self._process.pid}/statm").open(encoding="ascii") as file:
            while self._peak_bytes <= self._max_bytes and not over.wait(WATCH_SECONDS):
                file.seek(0)
                self._peak_bytes = max(self._peak_bytes, int(file.read().split()[1]) * page)
            if self._peak_bytes > self._max_bytes:
                os.kill(self._process.pid, signal.SIGKILL)
