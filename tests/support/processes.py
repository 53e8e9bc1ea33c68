"""The server as operators run it: a process with an environment, which is told to end by a signal."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.live import MASTER, NO_TLS, PUBLIC_URL
from tests.support.storage import BUSY_SECONDS, Storage

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 120
END_SECONDS = 60
PORTS = range(10_000, 32_000)
"""No system takes these for a port that nobody names, so a connection that is opened meanwhile takes none of them."""


@dataclass
class ServerProcess:
    """A running `python -m proxy serve`."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def wait_until_ready(self) -> None:
        """Returns when it answers."""
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            assert self.process.poll() is None, self.process.communicate()[1]
            try:
                assert httpx.get(self.url + "/livez", verify=NO_TLS).status_code == 200
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError

    def terminate(self) -> None:
        """Asks it to end."""
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> tuple[int, str]:
        """Waits for its end; gives its exit status and what it said on standard error."""
        _, errors = self.process.communicate(timeout=END_SECONDS)
        return self.process.returncode, errors


def environment(**settings: object) -> dict[str, str]:
    """This process's environment with these settings and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROXY_")}
    return kept | {f"PROXY_{name.upper()}": str(value) for name, value in settings.items()}


def settings_of(storage: Storage, connection_string: str | None = None) -> dict[str, object]:
    """What a server in front of the storage needs."""
    entry = {"storage": {"connection_string": connection_string or storage.connection_string}}
    ring = {"accounts": {storage.account: entry}, "keys": {MASTER: {"account": storage.account}}}
    return {
        "keyring": json.dumps(ring),
        "public_url": PUBLIC_URL,
        "jobs_table": storage.table_name,
        "host": "127.0.0.1",
        "storage_timeout": BUSY_SECONDS,
    }


def free_port() -> int:
    """A port that is free, for a process that listens there soon."""
    while True:
        port = random.SystemRandom().choice(PORTS)  # Hypothesis seeds the other source alike everywhere
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def serving(**settings: object) -> Iterator[ServerProcess]:
    """Runs the server; it is killed in the end if it still runs."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "proxy", "serve"],
        cwd=ROOT,
        env=environment(**{"port": port} | settings),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield ServerProcess(process, port)
        finally:
            process.kill()
