"""Workers as operators run them: processes with an environment, ended by a signal, or killed."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.processes import environment, settings_of
from tests.support.storage import Storage

READY = b"working for"
SAY_SECONDS = 60
END_SECONDS = 60


@dataclass(frozen=True)
class WorkerProcess:
    """A running `python -m proxy worker`."""

    process: subprocess.Popen[bytes] = field(repr=False)

    def wait_until_ready(self) -> None:
        """Returns when it takes jobs."""
        self.wait_until_it_says(READY.decode())

    def wait_until_it_says(self, text: str) -> str:
        """Returns the lines of its log from where the last wait ended to the one with this text."""
        assert self.process.stderr is not None
        said = ""
        overdue = threading.Timer(SAY_SECONDS, self.process.kill)  # its log ends with it
        overdue.start()
        try:
            for line in self.process.stderr:
                said += line.decode()
                if text in said:
                    return said
        finally:
            overdue.cancel()
        raise AssertionError(said)

    def kill(self) -> str:
        """Ends it as a crash would; returns the log since the worker was ready."""
        self.process.send_signal(signal.SIGKILL)
        return self.process.communicate()[1].decode()

    def end(self) -> tuple[int, str]:
        """Sends SIGTERM; returns the exit status and the log since the last wait."""
        self.process.send_signal(signal.SIGTERM)
        log = self.process.communicate(timeout=END_SECONDS)[1]
        return self.process.returncode, log.decode()


def children(pid: int | None = None) -> set[int]:
    """The processes that a process has started."""
    found = set[int]()
    for file in Path(f"/proc/{pid or os.getpid()}/task").glob("*/children"):
        with suppress(OSError):  # a thread that has ended
            found.update(map(int, file.read_text(encoding="ascii").split()))
    return found


def has_signal(pid: int, mask: str, number: signal.Signals) -> bool:
    """Whether a process ignores (`SigIgn`) or handles (`SigCgt`) a signal."""
    (bits,) = re.findall(rf"{mask}:\s+(\w+)", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return bool(int(bits, 16) & 1 << number - 1)


def peak_mb(pid: int) -> float:
    """The most memory that a process has used, in MB; 0 if it has ended."""
    with suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
        return int(found[1]) / 1024 if found else 0
    return 0


@contextmanager
def worker_process(storage: Storage, folder: Path, **settings: object) -> Iterator[WorkerProcess]:
    """A worker for the storage's account, with its temporary files in a folder; killed with the context if need be."""
    chosen = environment(**settings_of(storage) | {"log_format": "text"} | settings) | {"TMPDIR": str(folder)}
    command = [sys.executable, "-m", "proxy", "worker"]
    with subprocess.Popen(command, env=chosen, stderr=subprocess.PIPE) as process:
        try:
            yield WorkerProcess(process)
        finally:
            process.kill()
