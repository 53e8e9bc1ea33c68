"""Starts the processes that a benchmark measures, each on a port of its own."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.apps import NAME
from tests.support.processes import ROOT, environment, free_port, settings_of
from tests.support.storage import Storage

READY_SECONDS = 20
OK = 200


@contextmanager
def stand_in(name: str, variables: Mapping[str, str] | None = None) -> Iterator[int]:
    """Runs an application of benchmarks/apps.py; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.apps", str(port)]
    with running(command, environment() | {NAME: name} | dict(variables or {})):
        wait_until_answered(port, "/")
        yield port


@contextmanager
def proxy(storage: Storage, others: Mapping[str, str] | None = None, **settings: object) -> Iterator[tuple[int, int]]:
    """Runs `python -m proxy serve` with default settings except these; yields its port and process id.

    `others` are environment variables of other programs.
    """
    port = free_port()
    variables = environment(**{**settings_of(storage), "port": port, **settings}) | dict(others or {})
    with running([sys.executable, "-m", "proxy", "serve"], variables) as process:
        wait_until_answered(port, "/livez")
        yield port, process.pid


@contextmanager
def running(command: list[str], variables: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a process and discards its output."""
    with Path(os.devnull).open("wb") as nowhere:
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=nowhere, stderr=nowhere)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def get(port: int, target: str) -> tuple[int, bytes]:
    """Sends one request on a new connection; returns status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", target)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_until_answered(port: int, target: str) -> None:
    """Returns when the port answers anything."""
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        with suppress(OSError, http.client.HTTPException):
            get(port, target)
            return
        time.sleep(0.02)
    raise TimeoutError(f"nothing answers on port {port}")
