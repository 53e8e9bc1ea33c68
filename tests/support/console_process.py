"""`python -m proxy console` as a process of its own."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.processes import ROOT, environment, settings_of
from tests.support.storage import Storage

START_SECONDS = 120
END_SECONDS = 25
"""Less than a console waits for the rest of a form, and far more than it takes to end."""


@dataclass
class ConsoleProcess:
    """A running console, and each line that it has printed."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    started: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        """The port in the line with its address."""
        assert self.started.wait(START_SECONDS), self.lines
        (line,) = [each for each in self.lines if "console at http" in each]
        return int(line.partition("http://127.0.0.1:")[2].partition(",")[0])

    def end(self, number: signal.Signals) -> int:
        """Sends a signal; returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(END_SECONDS)

    def read(self) -> None:
        """Reads lines until the process ends."""
        for line in self.process.stderr or ():
            self.lines.append(line)
            if "console at http" in line:
                self.started.set()


@contextmanager
def console_process(storage: Storage, **settings: object) -> Iterator[ConsoleProcess]:
    """Runs a console on a free port; it is killed in the end if it still runs."""
    chosen = settings_of(storage) | {"console_port": 0, "log_format": "text", "operator": "olga@example.com"} | settings
    with subprocess.Popen(
        [sys.executable, "-m", "proxy", "console"],
        cwd=ROOT,
        env=environment(**chosen),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        console = ConsoleProcess(process)
        reader = threading.Thread(target=console.read, daemon=True)
        reader.start()
        try:
            yield console
        finally:
            process.kill()
            reader.join(END_SECONDS)
