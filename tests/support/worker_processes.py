"""Workers as operators run them: processes with an environment, told to end by a signal, or killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.processes import environment, settings_of
from tests.support.storage import Storage

READY = b"working for"
END_SECONDS = 20


@dataclass(frozen=True)
class WorkerProcess:
    """A running `python -m proxy worker`."""

    process: subprocess.Popen[bytes] = field(repr=False)

    def wait_until_ready(self) -> None:
        """Returns when it takes jobs."""
        assert self.process.stderr is not None
        said = b""
        for line in self.process.stderr:
            said += line
            if READY in line:
                return
        raise AssertionError(said.decode())

    def kill(self) -> None:
        """Ends it as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def end(self) -> tuple[int, str]:
        """Tells it to end; gives its exit status and what it has said since it was ready."""
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=END_SECONDS)[1]
        return self.process.returncode, said.decode()


def children(pid: int | None = None) -> set[int]:
    """The processes that a process has started."""
    threads = Path(f"/proc/{pid or os.getpid()}/task").glob("*/children")
    return {int(child) for file in threads for child in file.read_text(encoding="ascii").split()}


def minds(pid: int, how: str, number: signal.Signals) -> bool:
    """Whether a process ignores (`SigIgn`) or handles (`SigCgt`) a signal."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    (mask,) = (line.split()[1] for line in lines if line.startswith(how))
    return bool(int(mask, 16) & 1 << number - 1)


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
