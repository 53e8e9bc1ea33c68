"""`demo` as a process of its own, and what it printed."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx

from tests.support.live import wait_for
from tests.support.processes import environment

QUIET_SECONDS = 180


@dataclass(frozen=True)
class Demo:
    """A running demo: its process, what it printed, and where it answers."""

    process: subprocess.Popen[str]
    text: str

    @property
    def base(self) -> str:
        """The address of its server."""
        return self._find(r"^The proxy answers at (http://[^/]+:[0-9]+)\.")

    @property
    def connection_string(self) -> str:
        """The connection string of its emulator."""
        return self.text.splitlines()[-1].strip()

    @property
    def console(self) -> str:
        """What stands behind the word console: its address, or why it is not there."""
        return self._find(r"^The console, [^:]*: (.+)$")

    def get(self, url: str) -> httpx.Response:
        """The first answer with status 200 to a URL of the demo: its parts start one after the other."""

        def is_there() -> bool:
            assert self.process.poll() is None, self.text
            with suppress(httpx.TransportError):
                answers.append(httpx.get(url))
            return bool(answers) and answers[-1].status_code == HTTPStatus.OK

        answers: list[httpx.Response] = []
        wait_for(is_there, QUIET_SECONDS)
        return answers[-1]

    def _find(self, pattern: str) -> str:
        found = re.search(pattern, self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[1]


@contextmanager
def running_demo(*arguments: str, variables: Mapping[str, str] | None = None, **settings: object) -> Iterator[Demo]:
    """Runs a demo on free ports until the block ends; `variables` are set beside the settings."""
    command = [sys.executable, "-m", "proxy", "demo", *arguments]
    with subprocess.Popen(
        command,
        env=environment(**{"port": 0, "console_port": 0} | settings) | dict(variables or {}),
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
            yield Demo(process, "".join(lines))
        finally:
            process.send_signal(signal.SIGTERM)


def checkout(folder: Path) -> Path:
    """Makes a folder in which `. .venv/bin/activate` gives the commands of this Python; returns it."""
    activate = folder / ".venv" / "bin" / "activate"
    activate.parent.mkdir(parents=True)
    activate.write_text(f'PATH="{Path(sys.executable).parent}{os.pathsep}$PATH"\n')
    return folder


def run_script(script: str, folder: Path) -> str:
    """Runs a shell script as somebody does who has just opened a terminal; returns its output."""
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=QUIET_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
