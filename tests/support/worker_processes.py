"""Workers as operators run them: processes with an environment, ended by a signal, or killed."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.processes import environment, settings_of
from tests.support.storage import Storage

READY = b"working for"
END_SECONDS = 60


@dataclass(frozen=True)
class WorkerProcess:
    """A running `python -m proxy worker`."""

    process: subprocess.Popen[bytes] = field(repr=False)

    def wait_until_ready(self) -> None:
        """Returns when it takes jobs."""
        assert self.process.stderr is not None
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            if READY in line:
                return
        raise AssertionError(b"".join(lines).decode())

    def kill(self) -> None:
        """Ends it as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def end(self) -> tuple[int, str]:
        """Sends SIGTERM; returns the exit status and the log since the worker was ready."""
        self.process.send_signal(signal.SIGTERM)
        log = self.process.communicate(timeout=END_SECONDS)[1]
        return self.process.returncode, log.decode()


def children(pid: int | None = None) -> set[int]:
    """The processes that a process has started."""
    threads = Path(f"/proc/{pid or os.getpid()}/task").glob("*/children")
    return {int(child) for file in threads for child in file.read_text(encoding="ascii").split()}


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
