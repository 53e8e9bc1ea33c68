"""`docker compose up`: storage, samples, server, worker and console, in this order, each confined."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import httpx
import pytest
import yaml

from proxy.cli.console import SHUTDOWN_SECONDS
from proxy.cli.main import main, parser
from proxy.console.sign_in import requires_sign_in
from proxy.demo import maps
from proxy.demo.azurite import Emulator
from proxy.demo.command import DEFAULT_EMULATOR, LIMITS, QUERY_KEY, write_ring
from proxy.demo.maps import stand_in
from proxy.keyring.file import parse_keyring
from proxy.settings import load_settings
from tests.deploy import console_needs, server_needs, worker_needs
from tests.deploy.tools import ROOT, run_tool
from tests.deploy.variables import unknown
from tests.support.live import NO_TLS, wait_for
from tests.support.processes import environment, free_port
from tests.support.serve_command import serving
from tests.support.storage import Storage

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
Command = Callable[..., tuple[int, str]]
OURS = ("samples", "proxy", "worker", "maps", "console-token", "console")
ORDER = {
    "samples": {"azurite": "service_healthy"},
    "proxy": {"azurite": "service_healthy", "samples": "service_completed_successfully"},
    "worker": {"proxy": "service_healthy"},
    "console": {"samples": "service_completed_successfully", "console-token": "service_completed_successfully"},
}


def test_docker_reads_the_file() -> None:
    done = run_tool("docker", "compose", "config", "--quiet")
    if "unknown" in done.stderr or "is not a docker command" in done.stderr:
        pytest.skip("this docker has no compose; the workflow `ci` runs it")
    assert done.returncode == 0, done.stderr


def test_each_service_waits_for_those_that_it_needs() -> None:
    for name, waits in ORDER.items():
        assert {other: wait["condition"] for other, wait in SERVICES[name]["depends_on"].items()} == waits
    assert all("test" in SERVICES[name]["healthcheck"] for name in ("azurite", "proxy", "worker", "console"))


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert not {"privileged", "cap_add", "user", "devices", "pid"} & set(service)
    assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in service.get("ports", []))
    assert all(volume.split(":")[0] in COMPOSE["volumes"] for volume in service.get("volumes", []))


def test_a_signed_link_names_an_address_that_is_the_same_outside() -> None:
    assert all(SERVICES[name]["network_mode"] == "service:azurite" for name in OURS)
    assert {port.split(":")[1] for port in SERVICES["azurite"]["ports"]} == {
        *("8080", "8090"),
        *("10000", "10001", "10002"),
    }


@pytest.mark.parametrize("name", ["proxy", "worker", "console"])
def test_server_worker_and_console_use_the_demos_ring_and_limits(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert json.loads(environment["PROXY_KEYRING"]) == json.loads(write_ring(DEFAULT_EMULATOR))
    assert {limit: environment[limit] for limit in LIMITS} == LIMITS
    assert not unknown(environment)


def test_each_command_is_one_of_the_program() -> None:
    commands = [SERVICES[name].get("command", ["serve"]) for name in OURS if "entrypoint" not in SERVICES[name]]
    assert [command[0] for command in commands] == ["demo", "serve", "worker", "console"]
    for command in commands:
        parser().parse_args(command)  # ends the test where it is wrong


@pytest.mark.parametrize(
    ("name", "needs"), [("proxy", server_needs), ("worker", worker_needs), ("console", console_needs)]
)
def test_server_worker_and_console_have_memory_and_a_volume_for_their_files(name: str, needs: ModuleType) -> None:
    service = SERVICES[name]
    assert int(service["mem_limit"].removesuffix("m")) * 1024**2 >= needs.MEMORY
    folder = service["environment"].get("TMPDIR", "/tmp")  # noqa: S108 - the container's own
    assert folder in {volume.split(":")[1] for volume in service["volumes"]}
    assert folder not in service["tmpfs"]


def volumes(name: str) -> dict[str, str]:
    """The folders of a service's volumes, and the volumes."""
    return {each.split(":")[1]: each.split(":")[0] for each in SERVICES[name]["volumes"]}


def test_the_console_is_open_to_this_machine_only_and_signs_in_with_the_token() -> None:
    given = SERVICES["console"]["environment"]
    settings = {name.removeprefix("PROXY_").lower(): text for name, text in given.items() if name.startswith("PROXY_")}
    assert requires_sign_in(load_settings(**settings))
    assert int(given["PROXY_WORKER_JOBS"]) == console_needs.JOBS
    made = SERVICES["console-token"]["entrypoint"][-1]
    assert made == given["PROXY_CONSOLE_TOKEN_FILE"]
    folder = str(PurePosixPath(made).parent)
    assert volumes("console-token")[folder] == volumes("console")[folder] == "console-token"
    assert f"console-token:{folder}:ro" in SERVICES["console"]["volumes"]
    assert f"docker compose exec console cat {made}\n" in (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def make_token(file: Path) -> str:
    """Runs the service that makes the token, for this file; returns what it prints."""
    command = [sys.executable, *SERVICES["console-token"]["entrypoint"][1:-1], str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_consoles_token_is_made_and_shown_once(tmp_path: Path) -> None:
    file = tmp_path / "token"
    first, second = make_token(file), make_token(file)
    assert (first.split()[-1], second) == (file.read_text(), "")
    assert "http://127.0.0.1:8090" in first
    assert file.stat().st_mode & 0o077 == 0


def test_the_stand_in_of_azure_maps_answers_where_the_ring_says() -> None:
    *command, port = SERVICES["maps"]["entrypoint"]
    assert command == ["python", "-m", maps.__name__]
    ring = parse_keyring(SERVICES["proxy"]["environment"]["PROXY_KEYRING"])
    assert ring.maps["demo"].endpoint == f"http://127.0.0.1:{port}"
    assert SERVICES["proxy"]["environment"][ring.maps["demo"].variable] == stand_in.KEY


@pytest.mark.slow
def test_the_stand_in_answers_until_sigterm() -> None:
    command, port = [sys.executable, *SERVICES["maps"]["entrypoint"][1:-1]], free_port()
    with subprocess.Popen([*command, str(port)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"the stand-in of Azure Maps answers at http://127.0.0.1:{port}\n"
        answer = httpx.post(
            f"http://127.0.0.1:{port}/geocode:batch?api-version=2025-01-01",
            json={"batchItems": [{"query": "Denver, CO"}]},
            headers={"subscription-key": stand_in.KEY},
            timeout=60,
        )
        assert answer.json()["summary"] == {"successfulRequests": 1, "totalRequests": 1}
        process.terminate()
        assert process.wait(60) == 0


@pytest.mark.slow
def test_the_console_asks_for_its_token_is_healthy_and_has_the_time_to_end(emulator: Emulator, tmp_path: Path) -> None:
    token = make_token(tmp_path / "token").split()[-1]
    service, port = SERVICES["console"], free_port()
    changed = {
        "PROXY_KEYRING": write_ring(emulator.connection_string),
        "PROXY_CONSOLE_HOST": "127.0.0.1",
        "PROXY_CONSOLE_PORT": str(port),
        "PROXY_CONSOLE_TOKEN_FILE": str(tmp_path / "token"),
    }
    grace = int(service["stop_grace_period"].removesuffix("s"))
    assert grace >= 2 * SHUTDOWN_SECONDS
    variables = environment(storage_timeout=60) | service["environment"] | changed

    def is_healthy() -> bool:
        command = [sys.executable, *service["healthcheck"]["test"][2:]]
        return subprocess.run(command, env=variables, capture_output=True, check=False, timeout=60).returncode == 0

    with (
        subprocess.Popen([sys.executable, "-m", "proxy", *service["command"]], env=variables) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, verify=NO_TLS) as browser,
    ):
        try:
            wait_for(is_healthy, 60)
            assert browser.get("/audit").headers["Location"].startswith("/sign-in")
            form = {"token": token, "next": "/audit"}
            browser.post("/sign-in", data=form, headers={"Origin": str(browser.base_url).rstrip("/")})
            assert browser.get("/audit").status_code == 200
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()


@pytest.fixture
def command(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command with the demo's ring; gives its exit status and what it printed."""
    monkeypatch.setattr("os.environ", environment(storage_timeout=60, keyring=write_ring(emulator.connection_string)))

    def run(*words: str, typed: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        capsys.readouterr()
        return main(words), "".join(capsys.readouterr())

    return run


@pytest.mark.slow
def test_samples_only_writes_samples_for_a_server_with_the_same_ring(
    emulator: Emulator, storage: Storage, command: Command, tmp_path: Path
) -> None:
    status, said = command("demo", "--samples-only", "--emulator", emulator.connection_string)
    assert status == 0, said
    assert "curl 'http://127.0.0.1:8080/REST/v1/" in said
    ring = json.loads(SERVICES["proxy"]["environment"]["PROXY_KEYRING"])
    for entry in (ring["accounts"]["demo"]["storage"], ring["key_store"]):
        entry["connection_string"] = emulator.connection_string
    file = tmp_path / "ring.json"
    file.write_text(json.dumps(ring))
    with serving(storage, keyring_file=file, jobs_table="jobs", storage_timeout=60) as server:
        answer = server.get("Dataflows/ListJobs", QUERY_KEY).json()
        assert answer["resourceSets"][0]["estimatedTotal"] == 30


@pytest.mark.slow
def test_samples_only_puts_the_demos_keys_into_force_again(emulator: Emulator, command: Command) -> None:
    samples = ("demo", "--samples-only", "--emulator", emulator.connection_string)
    assert command(*samples)[0] == 0
    assert command("keys", "revoke", "--name", "demo query")[0] == 0
    assert command("keys", "show", typed=QUERY_KEY)[0] == 1
    assert command(*samples)[0] == 0
    assert command("keys", "show", typed=QUERY_KEY)[0] == 0
    # A volume may also hold another key of that name.
    command("keys", "revoke", "--name", "demo query")
    assert command("keys", "add", "--account", "demo", "--name", "demo query", typed="another")[0] == 0
    status, said = command(*samples)
    assert status == 1
    assert re.fullmatch("the demo's keys: .*demo query.*\n", said)
    assert command("keys", "revoke", "--name", "demo query")[0] == 0


def test_samples_only_refuses_storage_that_is_no_emulator(command: Command) -> None:
    away = "AccountName=contoso;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/contoso"
    told = "the demo writes to an emulator only, whose account is devstoreaccount1\n"
    assert command("demo", "--samples-only", "--emulator", away) == (1, told)
