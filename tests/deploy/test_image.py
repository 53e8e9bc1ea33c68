"""The image: its Dockerfile keeps our rules, and its health check tells who lives from who doesn't."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proxy.cli.healthcheck import SILENT_SECONDS
from proxy.worker.work_directory import LOCK
from tests.deploy.dockerfile import HEALTH, RULES, broken, instructions, listed, stages
from tests.support.processes import ROOT, ServerProcess, environment, free_port, serving, settings_of
from tests.support.storage import Storage
from tests.support.worker_processes import WorkerProcess, worker_process

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
EMULATOR = (ROOT / "deploy" / "emulator" / "Dockerfile").read_text(encoding="utf-8")
WAIT_SECONDS = 20

# What breaks each rule: a text of the Dockerfile, and what would stand there.
BREAKS = {
    "more than one stage": (r"(?s)^.*(?=FROM \$\{PYTHON_IMAGE\}\n#)", ""),
    "the base can be another": (r"FROM \$\{PYTHON_IMAGE\}\n#", "FROM python:3.11\n#"),
    "a user that is a number and not root": ("USER 10001:10001", "USER proxy"),
    "nothing happens as root after the user is chosen": ("EXPOSE", "USER 0:0\nUSER 10001:10001\nEXPOSE"),
    "exec form, so that signals arrive": (r"ENTRYPOINT .*", "ENTRYPOINT python -m proxy"),
    "the server is what runs by default": (r'CMD \["serve"\]', 'CMD ["worker"]'),
    "a health check of our own": (r"CMD \[.*healthcheck\"\]", "CMD curl -f http://127.0.0.1:8080/livez"),
    "nothing is fetched or installed": ("WORKDIR /tmp", "RUN apt-get install -y curl"),
    "no pip is left": ("'ensurepip'", "'idlelib'"),
    "only what other stages made": ("COPY --from=code /opt/code /opt/proxy", "COPY proxy proxy"),
    "nothing that is unpacked or fetched on the way": ("COPY adapters", "ADD adapters"),
    "every builder can build it": ("RUN python -m venv", "RUN --mount=type=cache,target=/x python -m venv"),
    "all labels": (r"org.opencontainers.image.licenses", "license"),
    "version and revision are given at the build": (r"\$\{REVISION\}", "unknown"),
    "no secret stays in it": ("ARG REVISION", "ARG INDEX_TOKEN\nARG REVISION"),
    "it writes nothing beside /tmp": ("HOME=/tmp", "HOME=/root"),
}


def test_the_dockerfile_keeps_all_rules() -> None:
    assert broken(DOCKERFILE) == []
    assert stages(DOCKERFILE)[0].base == "${PYTHON_IMAGE} AS packages"
    assert ("ARG", "PYTHON_IMAGE=python:3.11-slim") in instructions(DOCKERFILE)


@pytest.mark.parametrize("rule", RULES)
def test_a_dockerfile_that_breaks_a_rule_is_found(rule: str) -> None:
    text, instead = BREAKS[rule]
    changed = re.sub(text, lambda _: instead, DOCKERFILE, count=1)
    assert changed != DOCKERFILE
    assert rule in broken(changed)


def test_root_is_found_in_either_number() -> None:
    for user in ("0:0", "0:10001", "10001:0", "10001"):
        assert broken(DOCKERFILE.replace("USER 10001:10001", f"USER {user}")) == [
            "a user that is a number and not root"
        ]


def test_the_emulator_is_not_root_either() -> None:
    image = stages(EMULATOR)[-1]
    assert image.last("USER") == "1000:1000"
    assert listed(image.last("ENTRYPOINT"))


def test_the_version_is_the_projects() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"ARG VERSION={version}\n" in DOCKERFILE


def test_only_what_the_images_copy_is_sent_to_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert rules[-1] == "**/__pycache__"
    copied = {
        source
        for text in (DOCKERFILE, EMULATOR)
        for stage in stages(text)
        for words in stage.all("COPY")
        if not words.startswith("--from=")
        for source in words.split()[:-1]
    }
    assert {rule.removeprefix("!") for rule in rules[1:-1]} == copied


def health(folder: Path, port: int, *names: str) -> tuple[int, str]:
    """What the image's health check says, asked as Docker asks it."""
    variables = os.environ | {"TMPDIR": str(folder), "PROXY_PORT": str(port)}
    command = [sys.executable, *HEALTH[1:], *names]
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS)
    return ended.returncode, ended.stdout + ended.stderr


@contextmanager
def stopped(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> Iterator[None]:
    """A process that is stuck as long as the context lasts."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def server(account: Storage) -> Iterator[ServerProcess]:
    with serving(**settings_of(account)) as started:
        started.wait_until_ready()
        yield started


@pytest.fixture
def worker(account: Storage, tmp_path: Path) -> Iterator[WorkerProcess]:
    with worker_process(account, tmp_path) as started:
        started.wait_until_ready()
        yield started


def test_a_server_that_answers_is_healthy_and_one_that_is_stuck_is_not(server: ServerProcess, tmp_path: Path) -> None:
    assert health(tmp_path, server.port) == (0, "serve lives\n")
    with stopped(server.process):
        status, said = health(tmp_path, server.port)
        assert (status, said) == (1, "serve does not answer: timed out\n")
    assert health(tmp_path, server.port, "serve") == (0, "serve lives\n")
    # It does not pass for a worker.
    assert health(tmp_path, server.port, "worker") == (1, "worker is not there\n")


def test_a_worker_with_a_sign_of_life_is_healthy_and_one_without_is_not(worker: WorkerProcess, tmp_path: Path) -> None:
    port = free_port()
    assert health(tmp_path, port) == (0, "worker lives\n")
    (lock,) = tmp_path.glob(f"*/{LOCK}")
    with stopped(worker.process):
        longer = time.time() - SILENT_SECONDS - 1
        os.utime(lock, (longer, longer))
        status, said = health(tmp_path, port, "worker")
        assert status == 1
        assert "gave no sign of life for 1" in said
    end = time.monotonic() + WAIT_SECONDS
    while health(tmp_path, port)[0] and time.monotonic() < end:
        time.sleep(0.1)
    assert health(tmp_path, port, "worker") == (0, "worker lives\n")
    assert health(tmp_path, port, "serve") == (1, "serve is not there\n")
    worker.kill()
    assert health(tmp_path, port) == (1, "serve is not there; worker is not there\n")


def test_where_both_are_both_must_live(server: ServerProcess, worker: WorkerProcess, tmp_path: Path) -> None:
    assert health(tmp_path, server.port) == (0, "serve lives; worker lives\n")
    with stopped(server.process):
        assert health(tmp_path, server.port)[0] == 1
    with stopped(worker.process):
        (lock,) = tmp_path.glob(f"*/{LOCK}")
        os.utime(lock, (0, 0))
        assert health(tmp_path, server.port)[0] == 1


def test_what_answers_otherwise_is_no_healthy_server(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        said = health(tmp_path, listener.getsockname()[1])
        thread.join()
    assert said == (1, "serve answers 'HTTP/1.1 503 Service Unavailable'\n")


def test_a_name_that_is_unknown_is_told(tmp_path: Path) -> None:
    assert health(tmp_path, 1, "server") == (2, "what is server? Known are serve, worker\n")


def test_a_signal_that_comes_while_it_starts_ends_it(account: Storage) -> None:
    # Left to itself the system ends it too, but not the first process of a container: that must have said what it does.
    command = [sys.executable, "-X", "importtime", "-m", "proxy", "worker"]
    with subprocess.Popen(
        command, env=environment(**settings_of(account)), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert any(line.split("|")[-1].strip() == "argparse" for line in process.stderr)
        process.terminate()
        process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 128 + signal.SIGTERM
