"""Worker processes that are killed at random moments, each replaced at once; their memory is watched."""

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
from tests.support.worker_processes import READY, children

READY_SECONDS = 60.0
LIFE = (0.0, 3.0)
WATCH_SECONDS = 0.05
END_SECONDS = 30

# What a worker's log says of the jobs that it begins, and of those that it has in hand no more.
BEGUN = ": begun"
ENDED = re.compile(r": Completed|: Aborted|given back|lease was lost|\btry \d+ of|left to its next try")

_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


@dataclass
class Workers:
    """Some worker processes; each has a log in the folder."""

    settings: Mapping[str, object]
    folder: Path
    chance: random.Random
    kills: int = 0
    busy_kills: int = 0
    """Those of a worker that had a job in hand."""
    reader_kills: int = 0
    worker_kb: int = 0
    """The most memory that a worker has had, and a reader, in KB."""
    reader_kb: int = 0
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _logs: list[Path] = field(default_factory=list)

    async def die(self, kills: int) -> None:
        """One of them: it is killed and replaced until there were so many kills of all; the last one lives."""
        process, log = await self._start()
        while self.kills < kills:
            replacing = asyncio.create_task(self._start())
            await asyncio.sleep(self.chance.uniform(*LIFE))
            if self.chance.random() < 0.3:
                await self._kill_reader(process)
            assert process.poll() is None, "a worker has ended by itself"
            self._look(process)
            process.kill()
            await asyncio.to_thread(process.wait)
            self.processes.remove(process)
            self.kills += 1
            said = log.read_text(encoding="utf-8", errors="replace")
            self.busy_kills += said.count(BEGUN) > len(ENDED.findall(said))
            process, log = await replacing

    async def _kill_reader(self, process: subprocess.Popen[bytes]) -> None:
        """Kills what reads for a worker; the worker has a moment to notice."""
        readers = children(process.pid)
        if readers:
            with suppress(ProcessLookupError):
                os.kill(self.chance.choice(sorted(readers)), signal.SIGKILL)
                self.reader_kills += 1
            await asyncio.sleep(self.chance.uniform(*LIFE))

    async def watch(self) -> None:
        """Looks at their memory, and their readers', until it is cancelled."""
        while True:
            for process in list(self.processes):
                self._look(process)
            await asyncio.sleep(WATCH_SECONDS)

    def end(self) -> list[int]:
        """Tells all to end; gives their exit statuses."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        return [process.wait(END_SECONDS) for process in self.processes]

    def kill(self) -> None:
        """Ends what still runs."""
        for process in self.processes:
            process.kill()
            process.wait()

    async def _start(self) -> tuple[subprocess.Popen[bytes], Path]:
        chosen = environment(**{"log_format": "text"} | dict(self.settings)) | {"TMPDIR": str(self.folder)}
        command = [sys.executable, "-m", "benchmarks.storms.quick_worker"]
        log = self.folder / f"log-{len(self._logs)}"
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=ROOT, env=chosen, stderr=out)  # noqa: ASYNC220 - others may wait
        self.processes.append(process)
        self._logs.append(log)
        async with asyncio.timeout(READY_SECONDS):
            while READY not in log.read_bytes():
                assert process.poll() is None, log.read_text(encoding="utf-8")
                await asyncio.sleep(0.05)
        return process, log

    def said(self) -> str:
        """All that they have said."""
        return "".join(file.read_text(encoding="utf-8", errors="replace") for file in sorted(self.folder.glob("log-*")))

    def _look(self, process: subprocess.Popen[bytes]) -> None:
        self.worker_kb = max(self.worker_kb, _peak(process.pid))
        self.reader_kb = max([self.reader_kb, *map(_peak, children(process.pid))])


def _peak(pid: int) -> int:
    """The most memory that a process has had, in KB; 0 where it has gone."""
    with suppress(OSError):
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace"))
        return int(found[1]) if found else 0
    return 0
