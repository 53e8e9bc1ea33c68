"""Worker processes that are killed at random moments and replaced at once; their memory is watched."""

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.processes import ROOT, environment
from tests.support.worker_processes import READY, children, peak_mb

READY_SECONDS = 60.0
LIFE = (0.0, 3.0)
WATCH_SECONDS = 0.05
END_SECONDS = 60

# The log lines of a worker about jobs that it begins, and about jobs that it no longer runs.
BEGUN = ": begun"
ENDED = re.compile(r": Completed|: Aborted|given back|lease was lost|\btry \d+ of|left to its next try")


@dataclass
class Workers:
    """Some worker processes. Each has a log in the folder."""

    settings: Mapping[str, object]
    folder: Path
    chance: random.Random
    kills: int = 0
    busy_kills: int = 0
    """Kills of a worker that had a job."""
    reader_kills: int = 0
    worker_mb: float = 0
    """The most memory that a worker has used, in MB; `reader_mb` is that of a reader."""
    reader_mb: float = 0
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _logs: list[Path] = field(default_factory=list)

    async def kill_and_replace(self, kills: int) -> None:
        """Kills and replaces one worker until there were so many kills of all workers; the last one lives."""
        process, log = await self._start()
        while self.kills < kills:
            replacing = asyncio.create_task(self._start())
            await asyncio.sleep(self.chance.uniform(*LIFE))
            if self.chance.random() < 0.3:
                await self._kill_reader(process)
            assert process.poll() is None, "a worker has ended by itself"
            self._measure(process)
            process.kill()
            await asyncio.to_thread(process.wait)
            self.processes.remove(process)
            self.kills += 1
            text = log.read_text(encoding="utf-8", errors="replace")
            self.busy_kills += text.count(BEGUN) > len(ENDED.findall(text))
            process, log = await replacing

    async def _kill_reader(self, process: subprocess.Popen[bytes]) -> None:
        """Kills a reader of a worker, and leaves the worker a moment to notice."""
        readers = children(process.pid)
        if readers:
            with suppress(ProcessLookupError):
                os.kill(self.chance.choice(sorted(readers)), signal.SIGKILL)
                self.reader_kills += 1
            await asyncio.sleep(self.chance.uniform(*LIFE))

    async def watch(self) -> None:
        """Measures the memory of workers and readers, until it is cancelled."""
        while True:
            for process in list(self.processes):
                self._measure(process)
            await asyncio.sleep(WATCH_SECONDS)

    def end(self) -> list[int]:
        """Sends SIGTERM to all workers and returns their exit statuses."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        return [process.wait(END_SECONDS) for process in self.processes]

    def kill(self) -> None:
        """Kills the workers that still run."""
        for process in self.processes:
            process.kill()
            process.wait()

    async def _start(self) -> tuple[subprocess.Popen[bytes], Path]:
        chosen = environment(**{"log_format": "text"} | dict(self.settings)) | {"TMPDIR": str(self.folder)}
        command = [sys.executable, "-m", "benchmarks.storms.quick_worker"]
        log = self.folder / f"log-{len(self._logs)}"
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=ROOT, env=chosen, stderr=out)  # noqa: ASYNC220  it starts in a moment
        self.processes.append(process)
        self._logs.append(log)
        async with asyncio.timeout(READY_SECONDS):
            while READY not in log.read_bytes():
                assert process.poll() is None, log.read_text(encoding="utf-8")
                await asyncio.sleep(0.05)
        return process, log

    def logs(self) -> str:
        """The logs of all workers."""
        return "".join(file.read_text(encoding="utf-8", errors="replace") for file in sorted(self.folder.glob("log-*")))

    def _measure(self, process: subprocess.Popen[bytes]) -> None:
        self.worker_mb = max(self.worker_mb, peak_mb(process.pid))
        self.reader_mb = max([self.reader_mb, *map(peak_mb, children(process.pid))])
