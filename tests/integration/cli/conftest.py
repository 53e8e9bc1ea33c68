"""The command line as operators use it: environment, arguments, what is printed, the exit status."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from proxy.cli.main import main
from tests.support.live import PUBLIC_URL
from tests.support.storage import Storage


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(storage: Storage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in an environment that names the test's account."""
    ring = {"accounts": {storage.account: {"storage": {"connection_string": storage.connection_string}}}, "keys": {}}
    monkeypatch.setenv("PROXY_KEYRING", json.dumps(ring))
    monkeypatch.setenv("PROXY_JOBS_TABLE", storage.table_name)
    monkeypatch.setenv("PROXY_PUBLIC_URL", PUBLIC_URL)

    def run_main(*arguments: str) -> Outcome:
        capsys.readouterr()
        status = main(arguments)
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run_main
