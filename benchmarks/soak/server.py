"""Server processes that write their log to a file, as a long run needs."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.processes import END_SECONDS, ROOT, ServerProcess, environment, free_port


class LoggedServer(ServerProcess):
    """A running `python -m proxy serve` whose log is in a file."""

    log: Path

    @property
    def memory_kb(self) -> int:
        """What it holds in memory, in KB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1])

    def stop(self) -> int:
        """Asks it to end and waits; gives its exit status."""
        self.terminate()
        return self.process.wait(END_SECONDS)

    def mishaps(self) -> int:
        """How many lines of its log tell of what nobody foresaw."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return sum("Traceback" in line or '"level":"error"' in line or "unforeseen" in line for line in lines)


def start(settings: dict[str, object], log: Path, port: int | None = None) -> LoggedServer:
    """Starts a server, which adds to this log, and waits until it answers."""
    chosen = free_port() if port is None else port
    with log.open("a", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "proxy", "serve"],
            cwd=ROOT,
            env=environment(**{"port": chosen} | settings),
            stderr=stream,
            text=True,
        )
    server = LoggedServer(process, chosen)
    server.log = log
    try:
        server.wait_until_ready()
    except BaseException:
        process.kill()
        process.wait()
        raise
    return server


@contextmanager
def logged(**settings: object) -> Iterator[LoggedServer]:
    """Runs a server; it is killed in the end if it still runs."""
    with TemporaryDirectory() as folder:
        server = start(settings, Path(folder) / "log")
        try:
            yield server
        finally:
            server.process.kill()
            server.process.wait()
