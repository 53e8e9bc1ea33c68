"""`demo` as a process: how it begins and ends, and on whose emulator."""

import os
import signal
import socket
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from proxy.cli.main import main
from proxy.demo import geocoding, samples
from proxy.demo.azurite import Emulator
from proxy.demo.command import announce
from proxy.demo.console import hold_port
from proxy.settings import load_settings
from tests.support.demo_process import PATIENCE, fetch, running_demo
from tests.support.processes import environment
from tests.support.stub_servers import listening
from tests.support.worker_processes import children

RING_FILE = "demo-ring.json"

END_SECONDS = 120
"""The demo gives each of its processes 20 seconds to end."""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_proxy_its_console_and_its_emulator_and_removes_the_ring_file(
    number: signal.Signals, tmp_path: Path
) -> None:
    with running_demo("--ring-file", str(tmp_path / RING_FILE)) as started:
        assert (tmp_path / RING_FILE).is_file()
        links = started.get(
            f"{started.base}/REST/v1/Dataflows/DataSourceDownload/FourthCoffeeSample?key=demo-master-key"
        )
        (job,) = links.json()["resourceSets"][0]["resources"]
        assert started.get(job["links"][1]["url"]).status_code == 200
        assert started.get(f"{started.console}/").status_code == 200
        processes = children(started.process.pid)
        assert len(processes) == len(("the emulator", "the worker", "the console"))
        started.process.send_signal(number)
        assert started.process.wait(END_SECONDS) == 0
        # Another program may take a port at once, so the processes count.
        assert [each for each in processes if Path(f"/proc/{each}").exists()] == []
        assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("signals_as_before")
@pytest.mark.parametrize("part", ["", "CONSOLE_"])
def test_a_port_that_was_named_and_is_taken_is_a_clear_message(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with patch.dict(os.environ, environment(port=0) | {f"PROXY_{part}PORT": str(port)}, clear=True):
            assert main(["demo"]) == 1
    told = f"PROXY_{part}HOST, PROXY_{part}PORT: can't listen on 127.0.0.1:{port}: Address already in use\n"
    assert capsys.readouterr().err == told


def test_where_the_consoles_usual_port_is_taken_it_gets_another_one() -> None:
    with socket.socket() as kept:
        # Others can't take the port meanwhile. A console can, as it may reuse one where nobody listens.
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        usual = kept.getsockname()[1]
        settings = load_settings(keyring="{}").model_copy(update={"console_port": usual})
        settings.model_fields_set.discard("console_port")
        with hold_port(settings) as held, hold_port(settings) as other:
            assert held.getsockname()[1] == usual
            assert other.getsockname()[1] not in {0, usual}


@pytest.mark.slow
def test_without_the_consoles_packages_the_demo_says_how_to_get_them_and_goes_on(tmp_path: Path) -> None:
    lacking = tmp_path / "jinja2.py"
    lacking.write_text("raise ModuleNotFoundError(name='jinja2')\n", encoding="utf-8")
    with running_demo(variables={"PYTHONPATH": str(tmp_path)}) as started:
        assert started.console.endswith("jinja2, which is not installed; install spatial-data-proxy[console]")
        assert fetch(f"{started.base}/livez").status_code == 200


@pytest.mark.slow
def test_the_demo_uses_an_emulator_that_is_running(emulator: Emulator) -> None:
    # The default ports may be anybody's on this machine, so the test says where the emulator is.
    arguments = ("--emulator", emulator.connection_string)
    with patch.dict(os.environ, environment(**PATIENCE), clear=True):
        assert main(["demo", *arguments, "--samples-only"]) == 0
    with running_demo(*arguments) as started:
        listed = fetch(f"{started.base}/REST/v1/Dataflows/ListJobs?key=demo-master-key")
    # A second start on the same volume makes the samples anew, and leaves none of the first.
    assert listed.json()["resourceSets"][0]["estimatedTotal"] == 31


@pytest.mark.parametrize(("status", "asked"), [("503 Service Unavailable", 3), ("429 Too Many Requests", 1), ("", 1)])
def test_where_the_job_is_not_taken_the_sample_job_is_printed(
    status: str, asked: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((0.0, 1.0, 59.0, 60.0))  # its start, and the end of each of three attempts
    sleep = list[float]()
    monkeypatch.setattr(geocoding, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=sleep.append))

    def refuse(connected: socket.socket) -> None:
        connected.recv(65_536)
        connected.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode() if status else b"")

    with listening(refuse) as port:
        announce(port, "geocoded: {}".format)
    assert capsys.readouterr().out == f"geocoded: {samples.GEOCODE_ID}\n"
    assert len(sleep) == asked - 1
