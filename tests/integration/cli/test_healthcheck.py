"""The image's health check tells a server, a worker and a console that live from those that do not."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proxy.cli.healthcheck import SILENT_SECONDS
from proxy.worker.heartbeat import ABANDONED_SECONDS
from tests.support.console import start_console
from tests.support.processes import ServerProcess, environment, serving, settings_of
from tests.support.storage import Storage
from tests.support.stub_servers import closed_port, listening, saying
from tests.support.worker_processes import WorkerProcess, worker_process

pytestmark = pytest.mark.slow
WAIT_SECONDS = 60


Health = tuple[int, str]


def health(folder: Path, port: int | None, *names: str, console_port: int | None = None) -> Health:
    """What the image's health check says, asked as Docker asks it.

    Without a port nobody is there: a server or a console of others on this machine is not asked.
    """
    with closed_port() as nobody:
        ports = {"PROXY_PORT": str(port or nobody), "PROXY_CONSOLE_PORT": str(console_port or nobody)}
        variables = os.environ | ports | {"TMPDIR": str(folder)}
        command = [sys.executable, "-m", "proxy.cli.healthcheck", *names]
        ended = subprocess.run(
            command, env=variables, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS
        )
    return ended.returncode, ended.stdout + ended.stderr


def health_becomes(
    expected: Health, folder: Path, port: int | None, *names: str, console_port: int | None = None
) -> None:
    """Asks until the answer is this one: on a busy machine, what lives may not answer within the time of a check."""
    end = time.monotonic() + WAIT_SECONDS
    while (found := health(folder, port, *names, console_port=console_port)) != expected:
        assert time.monotonic() < end, found


@contextmanager
def stopped(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> Iterator[None]:
    """A process that is stuck as long as the context lasts."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
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
    health_becomes((0, "serve lives\n"), tmp_path, server.port)
    with stopped(server.process):
        status, said = health(tmp_path, server.port)
        assert (status, said) == (1, "serve does not answer: timed out\n")
    health_becomes((0, "serve lives\n"), tmp_path, server.port, "serve")
    # It does not pass for a worker.
    assert health(tmp_path, server.port, "worker") == (1, "worker is not there\n")


def test_a_worker_with_a_sign_of_life_is_healthy_and_one_without_is_not(worker: WorkerProcess, tmp_path: Path) -> None:
    health_becomes((0, "worker lives\n"), tmp_path, None)
    (folder,) = tmp_path.iterdir()
    with stopped(worker.process):
        longer = time.time() - SILENT_SECONDS - 1
        os.utime(folder, (longer, longer))
        status, said = health(tmp_path, None, "worker")
        assert status == 1
        assert re.fullmatch(r"worker wrote no heartbeat for \d+ seconds\n", said)
    health_becomes((0, "worker lives\n"), tmp_path, None, "worker")
    assert health(tmp_path, None, "serve") == (1, "serve is not there\n")
    worker.kill()
    long_ago = time.time() - ABANDONED_SECONDS - 1
    os.utime(folder, (long_ago, long_ago))
    assert health(tmp_path, None) == (1, "serve is not there; worker is not there; console is not there\n")


def test_where_both_are_both_must_live(server: ServerProcess, worker: WorkerProcess, tmp_path: Path) -> None:
    health_becomes((0, "serve lives; worker lives\n"), tmp_path, server.port)
    with stopped(server.process):
        assert health(tmp_path, server.port)[0] == 1
    with stopped(worker.process):
        (folder,) = tmp_path.iterdir()
        silent = time.time() - SILENT_SECONDS - 1
        os.utime(folder, (silent, silent))
        assert health(tmp_path, server.port)[0] == 1


def test_a_console_that_answers_is_healthy_and_no_server(storage: Storage, tmp_path: Path) -> None:
    # Its health check names no host that it answers to, so this needs no PROXY_CONSOLE_NAME.
    with start_console(storage) as console:
        health_becomes((0, "console lives\n"), tmp_path, None, console_port=console.port)
        assert health(tmp_path, None, "serve", console_port=console.port) == (1, "serve is not there\n")
    assert health(tmp_path, None, "console") == (1, "console is not there\n")


def test_what_answers_otherwise_is_no_healthy_server(tmp_path: Path) -> None:
    with listening(saying("503 Service Unavailable", b"")) as port:
        health_becomes((1, "serve answers 'HTTP/1.1 503 Service Unavailable'\n"), tmp_path, port)


def test_a_name_that_is_unknown_is_reported(tmp_path: Path) -> None:
    assert health(tmp_path, 1, "server") == (2, "what is server? Known are serve, worker, console\n")


def test_a_signal_that_comes_while_it_starts_ends_it(account: Storage) -> None:
    # Left to itself the system ends it too, but not the first process of a container: that must have said what it does.
    # It waits for us in the middle of its imports, as the pipe is small.
    command = [sys.executable, "-X", "importtime", "-m", "proxy", "worker"]
    with subprocess.Popen(
        command, env=environment(**settings_of(account)), stderr=subprocess.PIPE, text=True, pipesize=4096
    ) as process:
        assert process.stderr is not None
        assert any(line.split("|")[-1].strip() == "argparse" for line in process.stderr)
        process.terminate()
        process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 128 + signal.SIGTERM
