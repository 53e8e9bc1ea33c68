"""How every command ends: an exit status, and what went wrong on standard error."""

import json
import os
from pathlib import Path
from typing import NoReturn
from unittest.mock import patch

import pytest

import proxy.cli.jobs
from adapters.errors import ConflictError
from proxy.cli.main import main
from proxy.demo import command as demo
from proxy.demo.azurite import EmulatorError
from tests.integration.cli.conftest import Run
from tests.support.storage import Storage

UNREACHABLE = "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a"


def test_storage_that_does_not_answer_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = {"accounts": {"a": {"storage": {"connection_string": UNREACHABLE}}}, "keys": {}}
    monkeypatch.setenv("PROXY_KEYRING", json.dumps(ring))
    outcome = run("jobs", "list")
    assert outcome.status == 1
    assert outcome.err.startswith("storage: unreachable: ")
    assert outcome.err.count("\n") == 1


def test_a_writer_that_always_loses_is_reported(
    run: Run, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(*_: object) -> NoReturn:
        raise ConflictError("other writers kept changing a download alias")

    monkeypatch.setattr(proxy.cli.jobs, "_write", lose)
    file = tmp_path / "jobs.jsonl"
    file.write_text("")
    assert run("jobs", "put", str(file)).err == "storage: other writers kept changing a download alias\n"
    assert list(storage.table.list_entities()) == []


def test_an_interrupted_command_says_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr("proxy.cli.jobs.load_settings", interrupt)
    outcome = run("jobs", "list")
    assert (outcome.status, outcome.out, outcome.err) == (130, "", "")


@pytest.mark.usefixtures("signals_as_before")
def test_a_demo_without_an_emulator_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> NoReturn:
        raise EmulatorError("Azurite is not installed: run make setup")

    monkeypatch.setattr(demo, "start_emulator", fail)
    with patch.dict(os.environ, {"PROXY_PORT": "0"}):  # the demo fills in the environment for its server
        assert main(["demo"]) == 1
    assert capsys.readouterr().err == "Azurite is not installed: run make setup\n"


def test_serve_requires_its_public_url(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROXY_PUBLIC_URL")
    outcome = run("serve")
    assert (outcome.status, outcome.err.count("\n")) == (1, 1)
    assert outcome.err.startswith("PROXY_PUBLIC_URL: must be set to the URL that clients use")


@pytest.mark.usefixtures("signals_as_before")
def test_the_demo_never_writes_to_somebodys_storage(capsys: pytest.CaptureFixture[str]) -> None:
    with patch.dict(os.environ, {"PROXY_PORT": "0"}):
        assert main(["demo", "--emulator", UNREACHABLE]) == 1
    assert capsys.readouterr().err == "the demo writes to an emulator only, whose account is devstoreaccount1\n"
