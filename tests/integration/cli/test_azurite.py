"""The emulator that can't be started says why, in one line."""

import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import proxy.demo.azurite as module
from proxy.demo.azurite import Emulator, EmulatorError, start_emulator
from tests.support.live import NO_TLS, wait_for


def failure(**options: object) -> str:
    with pytest.raises(EmulatorError) as caught, start_emulator(**options):  # type: ignore[arg-type]  # of any kind
        pass
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert failure(table_port=port) == f"Azurite needs 127.0.0.1:{port}, which another program uses"


def test_a_missing_azurite_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    assert failure().endswith("run make setup")


def test_a_missing_node_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NODE_WHEEL", "")
    monkeypatch.setenv("PATH", "")
    assert failure() == "Node.js 22 or newer is missing: run make setup"


def test_an_old_node_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v18.0.0\n")
    node.chmod(0o755)
    monkeypatch.setattr(module, "NODE_WHEEL", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert failure() == f"Node.js 22 or newer is missing, {node} is v18.0.0: run make setup"


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "can't use the folder" in failure(folder=tmp_path / "file" / "below")


def test_an_argument_that_azurite_refuses_is_reported() -> None:
    assert failure(extra=["--cert", "/nowhere", "--key", "/nowhere"]).startswith(
        "Azurite ended at once; its last line: "
    )


def test_an_idle_connection_stays_open(emulator: Emulator) -> None:
    """A client may use it again after a minute, and a batch that meets its end is lost."""
    for port in (emulator.blob_port, emulator.queue_port, emulator.table_port):
        answer = httpx.get(f"http://127.0.0.1:{port}/devstoreaccount1", verify=NO_TLS)
        assert answer.headers["keep-alive"] == "timeout=3600"


def test_data_in_a_folder_survives(tmp_path: Path) -> None:
    for _ in range(2):
        with start_emulator(folder=tmp_path) as running:
            assert isinstance(running, Emulator)
            running.stop()
            running.stop()  # a second time does nothing
    assert list(tmp_path.iterdir())


def test_it_never_outlives_who_started_it() -> None:
    program = (
        "from proxy.demo.azurite import start_emulator; import os, signal\n"
        "with start_emulator() as running:\n"
        "    print(running.process._process.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    wait_for(lambda: not runs(int(killed.stdout)), 60)


def runs(pid: int) -> bool:
    """Whether a process runs: one that has ended, and that nobody has waited for, has no command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False
