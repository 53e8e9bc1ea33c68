"""`demo` as a process of its own, and what it printed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import environment, free_port

QUIET_SECONDS = 60


@dataclass(frozen=True)
class Demo:
    """A running demo: its process, what it printed, and where it answers."""

    process: subprocess.Popen[str]
    text: str
    base: str

    @property
    def connection_string(self) -> str:
        """The connection string of its emulator."""
        return self.text.splitlines()[-1].strip()


@contextmanager
def running_demo(*arguments: str, **settings: object) -> Iterator[Demo]:
    """Runs a demo on a free port until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "proxy", "demo", *arguments]
    with subprocess.Popen(
        command,
        env=environment(port=port, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        timer = threading.Timer(QUIET_SECONDS, process.kill)
        timer.start()
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "AccountName=" in line and "{" not in line:
                break
        timer.cancel()
        try:
            yield Demo(process, "".join(lines), f"http://127.0.0.1:{port}")
        finally:
            process.send_signal(signal.SIGTERM)


def checkout(folder: Path) -> Path:
    """Makes a folder in which `. .venv/bin/activate` gives the commands of this Python; returns it."""
    activate = folder / ".venv" / "bin" / "activate"
    activate.parent.mkdir(parents=True)
    activate.write_text(f'PATH="{Path(sys.executable).parent}{os.pathsep}$PATH"\n')
    return folder
