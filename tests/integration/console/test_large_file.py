"""A large file is received, read and loaded by a console of little memory, which answers others meanwhile."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.console import LiveConsole
from tests.support.console_process import ConsoleProcess, console_process
from tests.support.sent_loads import send_file
from tests.support.storage import Storage
from tests.support.stored_jobs import Written
from tests.support.worker_desk import shops
from tests.support.worker_processes import peak_mb

ENTITIES, NOTE = 45_000, "x" * 2000
MEGABYTES = 90

GROWTH_MB = 60
"""Two thirds of the file, and twice of what a console needs for it."""


@pytest.fixture
def process(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsoleProcess]:
    """A console in a process of its own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with console_process(storage) as running:
        yield running
        assert running.end(signal.SIGTERM) == 0


@pytest.mark.slow
@pytest.mark.usefixtures("prepared")
def test_a_large_file_takes_little_memory_and_holds_nobody_up(
    process: ConsoleProcess, storage: Storage, tmp_path: Path
) -> None:
    data = shops(*(f"id{number}" for number in range(ENTITIES)), note=NOTE)
    assert len(data) > MEGABYTES * 1_000_000
    answers, stop, livez = list[int](), threading.Event(), f"http://127.0.0.1:{process.port}/livez"

    def ask() -> None:
        with httpx.Client(timeout=60) as client:
            while not stop.wait(0.02):
                answers.append(client.get(livez).status_code)

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
