"""The pool of reader processes of a worker: gives them tasks, and kills them at a limit of time or memory.

What they answer is taken for data, never for code: a stranger's file may have got the better of a parser.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from proxy.worker.reader_tasks import CRASH, LoadTask, Task

Told = Callable[[int, int], None]

END_SECONDS = 2.0

LONGEST_LINE = 1024 * 1024
LONGEST_CRASH = 4_000

# The environment of a reader: what Python and the system's libraries go by. The others may be secrets.
_PASSED = {"PATH", "HOME", "LANG", "TZ", "SYSTEMROOT"}
_PASSED_PREFIXES = ("PYTHON", "LC_", "LD_", "DYLD_", "COVERAGE_")

# One heap for all, so that what is freed serves everything else; and no threads, which would have a stack each.
_ALLOCATION = {"MALLOC_ARENA_MAX": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

# Signals that come from outside: from a system that runs out of memory, or from an operator.
_FROM_OUTSIDE = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT}

# How often a reader's memory is looked at while it works, in seconds, and the part of it that is left for what it may
# take between two looks.
WATCH_SECONDS = 0.02
RESERVE = 1 / 8


class ReadingError(Exception):
    """Data can't be read, and trying again would not help. The text is for the job's owner.

    `details` are for the log: where the program was; empty where the text says all.
    """

    def __init__(self, text: str, details: str = "") -> None:
        super().__init__(text)
        self.details = details


class ReaderKilledError(Exception):
    """A reader process was killed, and not by its worker: no fault of the data."""


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """What one task may take, and how many are done side by side."""

    memory_mb: int = 512
    seconds: float = 1800
    jobs: int = 2


class ReaderPool:
    """Reader processes, one of which is kept ready: a process takes half a second to start, and a small load much less.

    Its methods are called on the main thread, for the kernel ends a process with the thread that started it.
    """

    def __init__(self, limits: ReaderLimits) -> None:
        self.limits = limits
        self._idle: list[_Reader] = []
        self._busy = 0
        self._is_open = True

    def warm(self) -> None:
        """Starts a process for the next task, unless one is ready or the most are there."""
        if self._is_open and not self._idle and self._busy < self.limits.jobs:
            self._idle.append(_Reader(self.limits.memory_mb))

    async def run(self, task: Task, told: Told) -> Any:  # noqa: ANN401  as the task says
        """Has a task done; gives the members of its answer. `told` takes the counts meanwhile, and at the end.

        Whoever is cancelled ends the process: it works in the job's folder.

        Raises:
            ReadingError: the data can't be read, or not within the limits.
            ReaderKilledError: somebody else has ended the process.
            OSError: the folder can't be used, or has no room.
        """
        reader = self._take()
        self._busy += 1
        try:
            async with asyncio.timeout(self.limits.seconds):
                answer = await reader.do(task, told)
        except TimeoutError:
            raise ReadingError(self._too_long()) from None
        finally:
            self._busy -= 1
            if reader.is_ready:
                self._idle.append(reader)
            else:
                reader.end()
            self.warm()
        return self._done(answer, task)

    def close(self) -> None:
        """Ends the processes that wait for a task."""
        self._is_open = False
        for reader in self._idle:
            reader.end(seconds=END_SECONDS)
        self._idle.clear()

    def _take(self) -> "_Reader":
        while self._idle:
            reader = self._idle.pop()
            if reader.lives():
                return reader
            reader.end()
        return _Reader(self.limits.memory_mb)

    def _done(self, answer: Mapping[str, Any], task: Task) -> Any:  # noqa: ANN401  the same
        match answer.get("error"):
            case None:
                return answer["done"]
            case "unusable":
                raise ReadingError(str(answer["text"]))
            case "memory":
                raise ReadingError(self._too_large())
            case "local":
                raise OSError(answer["errno"], os.strerror(answer["errno"]))
            case "died":
                raise self._died(answer["status"], task)
            case _:
                raise ReadingError(_unreadable(task), str(answer.get("text")))

    def _died(self, status: int, task: Task) -> Exception:
        if -status in _FROM_OUTSIDE:
            return ReaderKilledError("the process that reads the data was killed")
        with suppress(OSError):
            where = (Path(task.folder) / CRASH).read_text(encoding="utf-8", errors="replace")[:LONGEST_CRASH]
            return ReadingError(_unreadable(task), f"the reader process ended with status {status}: {where}")
        return ReadingError(_unreadable(task), f"the reader process ended with status {status}")

    def _too_large(self) -> str:
        most = self.limits.memory_mb
        return f"Reading the data needs more memory than PROXY_WORKER_MEMORY_MB allows ({most} MB)."

    def _too_long(self) -> str:
        most = self.limits.seconds
        return f"Reading the data takes longer than PROXY_WORKER_JOB_SECONDS allows ({most:g} seconds)."


def _unreadable(task: Task) -> str:
    what = (
        f"The data can't be read as {task.input_format}" if isinstance(task, LoadTask) else "The entities can't be read"
    )
    return f"{what}: a part of it is damaged or not in its format. The worker's log says where."


class _Reader:
    """One process. It does one task at a time."""

    def __init__(self, megabytes: int) -> None:
        command = [sys.executable, "-m", "proxy.worker.reader", str(os.getpid()), str(megabytes)]
        passed = {name: value for name, value in os.environ.items() if _is_passed(name)}
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=passed | _ALLOCATION | _THREADS,
        )
        self.is_ready = True
        self._most_bytes = megabytes * 1024**2 * (1 - RESERVE)
        self._is_too_large = False

    def lives(self) -> bool:
        """Whether it has not ended while it waited."""
        return self._process.poll() is None

    async def do(self, task: Task, told: Told) -> dict[str, Any]:
        """Has a task done; gives its answer, or how the process died. It is ready for another one where `is_ready`."""
        self.is_ready = False
        assert self._process.stdin is not None  # noqa: S101 - they are pipes
        assert self._process.stdout is not None  # noqa: S101 - they are pipes
        loop, answers = asyncio.get_running_loop(), self._process.stdout.fileno()
        answered: asyncio.Future[dict[str, Any]] = loop.create_future()
        received = b""

        def receive() -> None:
            nonlocal received
            if answered.done():
                return
            more = os.read(answers, LONGEST_LINE)
            *lines, received = (received + more).split(b"\n")
            try:
                for members in map(json.loads, lines):
                    told(int(members["processed"]), int(members["failed"]))
                    if "again" in members:
                        answered.set_result(members)
                        return
            except (ValueError, KeyError, TypeError) as error:
                answered.set_result({"error": "unforeseen", "text": f"no answer of a reader: {error!r}"})
                return
            if not more:
                answered.set_result({"error": "died"})
            elif len(received) > LONGEST_LINE:
                answered.set_result({"error": "unforeseen", "text": "no answer of a reader: a line without an end"})

        loop.add_reader(answers, receive)
        try:
            with self._watched():
                # A task fits into a pipe. A process that has ended meanwhile is noticed by the end of its answers.
                with suppress(BrokenPipeError):
                    self._process.stdin.write(json.dumps(asdict(task) | {"kind": task.kind}).encode() + b"\n")
                answer = await answered
        finally:
            loop.remove_reader(answers)
        if self._is_too_large:
            return {"error": "memory"}
        if answer.get("error") == "died":
            return answer | {"status": self._process.wait()}
        self.is_ready = bool(answer.get("again"))
        return answer

    def end(self, seconds: float = 0) -> None:
        """Ends the process, which may have some seconds to do so itself."""
        process = self._process
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        if seconds:
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
        process.kill()
        with suppress(subprocess.TimeoutExpired):  # a disk that hangs holds it up; it is gone when the disk answers
            process.wait(END_SECONDS)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Ends the process when it has too much memory. By a thread: the event loop may have other things to do."""
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
            while not over.wait(WATCH_SECONDS):
                file.seek(0)
                if int(file.read().split()[1]) * page > self._most_bytes:
                    self._is_too_large = True
                    os.kill(self._process.pid, signal.SIGKILL)
                    return


def _is_passed(name: str) -> bool:
    return name in _PASSED or name.startswith(_PASSED_PREFIXES)
