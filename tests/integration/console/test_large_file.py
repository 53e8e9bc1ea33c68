"""A large file is received, read and loaded by a console of little memory, which answers others meanwhile."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from proxy.worker.lease import STOP_SECONDS
from tests.support.console import LiveConsole
from tests.support.processes import ROOT, ServerProcess, environment, free_port, settings_of
from tests.support.sent_loads import send_file
from tests.support.storage import Storage
from tests.support.stored_jobs import Written
from tests.support.worker_desk import shops
from tests.support.worker_processes import peak_mb

ENTITIES, NOTE = 60_000, "x" * 2000
MEGABYTES = 120

GROWTH_MB = 60
"""Half of the file, and twice of what a console needs for it."""


@pytest.fixture
def process(storage: Storage, tmp_path: Path) -> Iterator[ServerProcess]:
    """A console in a process of its own."""
    port = free_port()
    chosen = environment(**settings_of(storage) | {"console_port": port}) | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "proxy", "console"]
    with subprocess.Popen(command, cwd=ROOT, env=chosen, stderr=subprocess.PIPE, text=True) as started:
        running = ServerProcess(started, port)
        running.wait_until_ready()
        yield running
        running.terminate()
        started.communicate(timeout=STOP_SECONDS)


@pytest.mark.slow
@pytest.mark.usefixtures("prepared")
def test_a_large_file_takes_little_memory_and_holds_nobody_up(
    process: ServerProcess, storage: Storage, tmp_path: Path
) -> None:
    data = shops(*(f"id{number}" for number in range(ENTITIES)), note=NOTE)
    assert len(data) > MEGABYTES * 1_000_000
    answers, stop = list[int](), threading.Event()

    def ask() -> None:
        with httpx.Client(timeout=60) as client:
            while not stop.wait(0.02):
                answers.append(client.get(f"{process.url}/livez").status_code)

    with httpx.Client(timeout=120) as client:
        console = LiveConsole(process.port, client)
        send_file(console, storage.account, shops("a"))  # loads what the pages import
        before = peak_mb(process.process.pid)
        asking = threading.Thread(target=ask)
        asking.start()
        try:
            sent = send_file(console, storage.account, data)
            count = len(answers)
            assert sent.fact("Entities in the new version") == f"{ENTITIES:,}"
            job_id = sent.load()
        finally:
            stop.set()
            asking.join()
    assert Written(storage).upload(f"uploads/{storage.account}/{job_id}") == data
    assert count > 20
    assert set(answers) == {200}
    assert peak_mb(process.process.pid) - before < GROWTH_MB
    assert not list(tmp_path.glob("*/load-*/data"))
