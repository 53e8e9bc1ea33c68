"""Design, "Commands": `serve` as a process, its signals, its exit status, and the one line that tells a mistake."""

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from proxy.cli.main import main
from tests.support.processes import ROOT, environment, serving, settings_of
from tests.support.storage import Storage
from tests.support.stub_servers import Wire

KEY = "very-secret-key"
SECONDS = 20


@pytest.mark.slow
def test_sigterm_answers_slow_requests_and_drops_idle_ones(storage: Storage) -> None:
    job_id = storage.job("Geocode")
    wire = Wire(storage, "Table")
    with (
        wire.connection_string() as connection_string,
        serving(**settings_of(storage, connection_string) | {"finished_ttl": 0, "storage_timeout": SECONDS}) as server,
        ThreadPoolExecutor() as threads,
        httpx.Client(timeout=SECONDS) as idle,
    ):
        server.wait_until_ready()
        url = f"{server.url}/REST/v1/Dataflows/Geocode/{job_id}?key=master-key"
        assert [client.get(url).status_code for client in (idle, idle, idle)] == [200] * 3
        wire.delay = 0.7
        wire.asked.clear()
        slow = threads.submit(httpx.get, url, timeout=SECONDS)
        assert wire.asked.wait(SECONDS)
        server.terminate()
        assert (slow.result().status_code, slow.result().json()["statusCode"]) == (200, 200)
        status, errors = server.end()
        assert status == 0
        assert "Traceback" not in errors


@pytest.mark.slow
def test_a_taken_port_is_one_clear_line(storage: Storage) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        serving(**settings_of(storage) | {"port": taken.getsockname()[1]}) as server,
    ):
        status, errors = server.end()
        assert status == 1
        (line,) = errors.splitlines()
        assert "PROXY_PORT" in line
        assert str(taken.getsockname()[1]) in line


@pytest.mark.slow
def test_a_mistake_ends_a_process_with_one_line_and_status_1() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "proxy", "check"],
        cwd=ROOT,
        env=environment(keyring="{}", public_url="https://a.example", storage_timeout="soon"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert "PROXY_STORAGE_TIMEOUT" in line


STORAGE = '{"a": {"storage": {"connection_string": "UseDevelopmentStorage=true"}}}'
RING = f'{{"accounts": {STORAGE}, "keys": {{}}}}'


def ring_of(key: str, accounts: str = STORAGE) -> str:
    """A key ring with one key that has this entry."""
    return f'{{"accounts": {accounts}, "keys": {{"{KEY}": {key}}}}}'


# One case for each source of a mistake. The unit tests of the settings and of the key ring have the matrices.
MISTAKES: dict[str, tuple[dict[str, str], str]] = {
    "no ring": ({}, "PROXY_KEYRING"),
    "two rings": ({"keyring": RING, "keyring_file": "ring.json"}, "PROXY_KEYRING_FILE"),
    "no such file": ({"keyring_file": "no-such-ring.json"}, "PROXY_KEYRING_FILE"),
    "a folder": ({"keyring_file": "."}, "PROXY_KEYRING_FILE"),
    "not JSON": ({"keyring": '{"keys": "very-secret-key'}, "PROXY_KEYRING"),
    "an unknown role": ({"keyring": ring_of('{"account": "a", "role": "king"}')}, "sha256:b4ce466f4c54"),
    "two storages": (
        {"keyring": ring_of("{}", '{"a": {"storage": {"connection_string": "very-secret-key", "account_name": "x"}}}')},
        "'a'",
    ),
    "a wrong setting": ({"keyring": RING, "jobs_table": "jobs-2"}, "PROXY_JOBS_TABLE"),
}


@pytest.mark.parametrize(("settings", "named"), MISTAKES.values(), ids=MISTAKES.keys())
@pytest.mark.parametrize("command", ["serve", "check"])
def test_a_mistake_is_one_line_that_names_it_and_no_secret(
    *,
    command: str,
    settings: dict[str, str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment(**{"public_url": "https://a.example"} | settings).items():
        if name.startswith("PROXY_"):
            monkeypatch.setenv(name, value)
    assert main([command]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert named in line
    assert KEY not in line
