"""`demo` as a process: how it begins and ends, and on whose emulator."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from proxy.demo import samples
from proxy.demo.azurite import Emulator
from proxy.demo.command import announce
from proxy.demo.console import hold_port
from proxy.settings import load_settings
from tests.support.demo_process import running_demo
from tests.support.stub_servers import listening
from tests.support.worker_processes import children

RING_FILE = "demo-ring.json"

END_SECONDS = 60
"""The demo gives each of its processes 20 seconds to end."""


@pytest.mark.slow
def test_the_ring_file_goes_with_the_demo(tmp_path: Path) -> None:
    with running_demo("--ring-file", str(tmp_path / RING_FILE)) as started:
        assert httpx.get(f"{started.base}/livez").status_code == 200
        assert (tmp_path / RING_FILE).is_file()
    assert started.process.wait(END_SECONDS) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_proxy_its_console_and_its_emulator(number: signal.Signals) -> None:
    with running_demo() as started:
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


def test_a_taken_port_is_a_clear_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = os.environ | {"PROXY_PORT": str(port)}
        command = [sys.executable, "-m", "proxy", "demo"]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr == f"PROXY_HOST, PROXY_PORT: can't listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_port_that_was_named_for_the_console_and_is_taken_is_a_clear_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = os.environ | {"PROXY_PORT": "0", "PROXY_CONSOLE_PORT": str(port)}
        command = [sys.executable, "-m", "proxy", "demo"]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    names = "PROXY_CONSOLE_HOST, PROXY_CONSOLE_PORT"
    assert (ended.returncode, ended.stderr) == (
        1,
        f"{names}: can't listen on 127.0.0.1:{port}: Address already in use\n",
    )


def test_where_the_consoles_usual_port_is_taken_it_gets_another_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        usual = taken.getsockname()[1]
        settings = load_settings(keyring="{}").model_copy(update={"console_port": usual})
        settings.model_fields_set.discard("console_port")
        with hold_port(settings) as held:
            assert held.getsockname()[1] not in {0, usual}
    with hold_port(settings) as held:
        assert held.getsockname()[1] == usual


@pytest.mark.slow
def test_without_the_consoles_packages_the_demo_says_how_to_get_them_and_goes_on(tmp_path: Path) -> None:
    lacking = tmp_path / "jinja2.py"
    lacking.write_text("raise ModuleNotFoundError(name='jinja2')\n", encoding="utf-8")
    with running_demo(variables={"PYTHONPATH": str(tmp_path)}) as started:
        assert started.console.endswith("jinja2, which is not installed; install spatial-data-proxy[console]")
        assert httpx.get(f"{started.base}/livez").status_code == 200


@pytest.mark.slow
def test_the_demo_uses_an_emulator_that_is_running(emulator: Emulator) -> None:
    # The default ports may be anybody's on this machine, so the test says where the emulator is.
    arguments = ("--emulator", emulator.connection_string)
    with running_demo(*arguments) as started:
        first = httpx.get(f"{started.base}/REST/v1/Dataflows/ListJobs?key=demo-master-key").json()
    with running_demo(*arguments) as started:
        again = httpx.get(f"{started.base}/REST/v1/Dataflows/ListJobs?key=demo-master-key").json()
    # A second start on the same volume makes the samples anew, and leaves none of the first.
    assert first["resourceSets"][0]["estimatedTotal"] == again["resourceSets"][0]["estimatedTotal"] == 31


@pytest.mark.parametrize("answer", [b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", b""])
def test_where_the_job_is_not_taken_the_sample_job_is_printed(
    answer: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(connected: socket.socket) -> None:
        connected.recv(65_536)
        connected.sendall(answer)

    with listening(refuse) as port:
        announce(port, "geocoded: {}".format)
    assert capsys.readouterr().out == f"geocoded: {samples.GEOCODE_ID}\n"
