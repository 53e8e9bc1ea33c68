"""`python -m proxy serve` as a process of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.support.live import MASTER, NO_TLS, PUBLIC_URL, WAIT_SECONDS
from tests.support.processes import environment, free_port
from tests.support.storage import BUSY_SECONDS, Storage

START_SECONDS = 120


@dataclass(frozen=True)
class Served:
    """A running server, where it listens and what it logged."""

    process: subprocess.Popen[bytes] = field(repr=False)
    port: int
    log_file: Path
    last_log: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, key: str = MASTER) -> httpx.Response:
        """Asks for a path below /REST/v1/ on a connection of its own."""
        return httpx.get(f"{self.url}/REST/v1/{path}", params={"key": key}, timeout=WAIT_SECONDS, verify=NO_TLS)

    def log(self) -> str:
        """What it has logged so far, or in all its life."""
        return self.last_log[0] if self.last_log else self.log_file.read_text(encoding="utf-8")


@contextmanager
def serving(
    storage: Storage,
    *,
    keyring_file: Path | None = None,
    accounts: Mapping[str, object] | None = None,
    **settings: object,
) -> Iterator[Served]:
    """Runs a server on a free port until the block ends; the master key opens the storage's account."""
    port = free_port()
    usual = {storage.account: {"storage": {"connection_string": storage.connection_string}}}
    ring = {"accounts": usual | dict(accounts or {}), "keys": {MASTER: {"account": storage.account}}}
    chosen = {"public_url": PUBLIC_URL, "host": "127.0.0.1", "port": port, "jobs_table": storage.table_name}
    chosen |= {"storage_timeout": BUSY_SECONDS} | settings
    chosen |= {"keyring": json.dumps(ring)} if keyring_file is None else {"keyring_file": keyring_file}
    with TemporaryDirectory() as folder:
        log_file = Path(folder) / "log"
        with log_file.open("wb") as log:
            command = [sys.executable, "-m", "proxy", "serve"]
            process = subprocess.Popen(command, env=environment(**chosen), stdout=log, stderr=log)
        server = Served(process, port, log_file)
        try:
            _wait(server)
            yield server
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS)
            server.last_log.append(server.log())
        assert process.returncode == 0, server.log()


def _wait(server: Served) -> None:
    for _ in range(START_SECONDS * 20):
        assert server.process.poll() is None, server.log()
        try:
            httpx.get(f"{server.url}/livez", timeout=START_SECONDS, verify=NO_TLS).raise_for_status()
        except httpx.ConnectError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(server.log())
