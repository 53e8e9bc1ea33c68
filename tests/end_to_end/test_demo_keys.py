"""A key's life beside a running demo: two servers, and an operator who uses the commands alone."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from proxy.demo.samples import LOAD_ID
from proxy.keyring.keyring import hash_key
from tests.support.demo_process import running_demo
from tests.support.live import NO_TLS, wait_for
from tests.support.processes import environment, serving

LIST, LOAD = "Dataflows/ListJobs", f"Dataflows/LoadDataSource/{LOAD_ID}"


@dataclass(frozen=True)
class Deployment:
    """Two servers before one key store, and the key ring that they share."""

    servers: tuple[str, str]
    ring_file: Path
    first_status: int
    """What the first request that the demo prints was answered."""

    def statuses(self, key: str, path: str = LIST) -> list[int]:
        """What each server answers to a key."""
        urls = [f"{server}/REST/v1/{path}" for server in self.servers]
        return [httpx.get(url, params={"key": key}, timeout=60, verify=NO_TLS).status_code for url in urls]

    def bodies(self, key: str) -> list[dict[str, object]]:
        """What each server says to a key, without what differs from answer to answer."""
        bodies = []
        for server in self.servers:
            answer = httpx.get(f"{server}/REST/v1/{LIST}", params={"key": key}, timeout=60, verify=NO_TLS).json()
            bodies.append({name: value for name, value in answer.items() if name != "traceId"})
        return bodies

    def keys(self, *words: str, key: str = "") -> str:
        """Runs a command `keys`, with a key on standard input; returns what it prints."""
        command = [sys.executable, "-m", "proxy", "keys", *words]
        variables = environment(keyring_file=self.ring_file)
        done = subprocess.run(
            command, env=variables, input=f"{key}\n", capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with _deployment(tmp_path_factory.mktemp("ring") / "demo-ring.json") as running:
        yield running


@contextmanager
def _deployment(ring_file: Path) -> Iterator[Deployment]:
    with running_demo("--ring-file", str(ring_file)) as demo:
        url = f"{demo.base}/REST/v1/{LOAD}?key=demo-master-key"
        first_status = httpx.get(url, timeout=60, verify=NO_TLS).status_code
        with serving(keyring_file=ring_file, public_url=demo.base, host="127.0.0.1", log_level="error") as second:
            second.wait_until_ready()
            yield Deployment((demo.base, second.url), ring_file, first_status)


def test_the_first_printed_request_is_answered_at_once(deployment: Deployment) -> None:
    assert deployment.first_status == 200


def test_a_generated_key_opens_both_servers_until_it_is_revoked(deployment: Deployment) -> None:
    key = deployment.keys("add", "--account", "demo", "--name", "store locator", "--generate")
    assert deployment.statuses(key) == [200, 200]
    assert deployment.statuses(key, LOAD) == [200, 200]  # a finished job, which servers remember
    deployment.keys("revoke", "--name", "store locator")
    wait_for(lambda: deployment.statuses(key) == deployment.statuses(key, LOAD) == [401, 401])
    assert deployment.bodies(key) == deployment.bodies(uuid4().hex)  # as if it had never existed
    listed = deployment.keys("list", "--all")
    assert hash_key(key.encode()).hex()[:12] in listed
    assert key not in listed


def test_a_key_that_was_refused_is_taken_after_it_is_added(deployment: Deployment) -> None:
    key = uuid4().hex
    assert deployment.statuses(key) == [401, 401]
    deployment.keys("add", "--account", "demo", "--name", "late program", key=key)
    wait_for(lambda: deployment.statuses(key) == [200, 200])


def test_a_revoked_key_works_again_after_it_is_reinstated(deployment: Deployment) -> None:
    key = deployment.keys("add", "--account", "demo", "--name", "reinstated", "--generate")
    assert deployment.statuses(key) == [200, 200]
    deployment.keys("revoke", "--name", "reinstated")
    wait_for(lambda: deployment.statuses(key) == [401, 401])
    deployment.keys("reinstate", hash_key(key.encode()).hex())
    wait_for(lambda: deployment.statuses(key) == [200, 200])
