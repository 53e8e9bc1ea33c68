"""The first lines of a log say which version runs, what is wrong with an account, and which names are no settings."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from proxy.cli.main import main
from proxy.version import PROGRAM, VERSION
from tests.support.processes import free_port
from tests.support.scrape import scrape_until
from tests.support.serve_command import Served, serving
from tests.support.storage import Storage
from tests.support.worker_processes import worker_process

AWAY = "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a"
SECONDS = 60


def lines(server: Served, about: str) -> list[dict[str, Any]]:
    """The lines of a log until one is about this account."""
    end = time.monotonic() + SECONDS
    while True:
        told = [json.loads(line) for line in server.log().splitlines(keepends=True) if line.endswith("\n")]
        if any(line.get("account") == about for line in told):
            return told
        assert time.monotonic() < end, told
        time.sleep(0.05)


def test_the_version_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"{PROGRAM} {VERSION}\n"


@pytest.mark.slow
def test_serve_names_its_version_and_each_account_that_cannot_be_opened(storage: Storage) -> None:
    accounts = {
        "keyless": {"storage": {"connection_string_env": "NOT_SET_BY_ANY_TEST"}},
        "away": {"storage": {"connection_string": AWAY}},
    }
    port = free_port()
    with serving(storage, accounts=accounts, metrics_port=port, sas_minute=5, publc_url="x") as server:
        first, *others = lines(server, "away")
        metrics = scrape_until(
            port,
            lambda found: (
                found.value("account_fault", account="away", reason="unreachable") == 1
                and found.value("account_up", account=storage.account) == 1
            ),
        )
    assert first["message"].startswith(f"{PROGRAM} {VERSION}: listening on 127.0.0.1 port ")
    assert [line["level"] for line in others[:2]] == ["warning", "warning"]
    assert [line["message"] for line in others[:2]] == [
        "PROXY_PUBLC_URL: no such setting; the nearest name is PROXY_PUBLIC_URL",
        "PROXY_SAS_MINUTE: no such setting; the nearest name is PROXY_SAS_MINUTES",
    ]
    keyless, away = (next(line for line in others if line.get("account") == name) for name in accounts)
    assert keyless["message"].startswith("account can't be opened: credential: the environment variable NOT_SET_BY_ANY")
    assert ": unreachable: " in away["message"]
    assert metrics.value("account_fault", account="keyless", reason="credential") == 1
    assert metrics.value("account_up") == 1
    assert metrics.value("build_info", version=VERSION) == 1


@pytest.mark.slow
def test_a_worker_names_its_version_and_what_is_no_setting(storage: Storage, tmp_path: Path) -> None:
    with worker_process(storage, tmp_path, worker_leese=5) as worker:
        assert worker.process.stderr is not None
        first, second = (worker.process.stderr.readline().decode() for _ in range(2))
        assert worker.end()[0] == 0
    assert f"{PROGRAM} {VERSION}: working for 1 accounts" in first
    assert "warning" in second
    assert "PROXY_WORKER_LEESE: no such setting; the nearest name is PROXY_WORKER_LEASE" in second


@pytest.mark.parametrize(
    ("key_store", "reason"),
    [
        ({"connection_string_env": "NOT_SET_BY_ANY_TEST"}, "NOT_SET_BY_ANY_TEST is not set"),
        ({"connection_string": "AccountName=a;AccountKey=!;TableEndpoint=nonsense"}, ""),
    ],
)
def test_serve_ends_where_its_key_store_cannot_be_opened(
    key_store: dict[str, str], reason: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ring = {"accounts": {"contoso": {"storage": {"connection_string": AWAY}}}, "key_store": key_store}
    variables = {"KEYRING": json.dumps(ring), "PUBLIC_URL": "http://a", "HOST": "127.0.0.1", "PORT": "0"}
    for name, value in variables.items():
        monkeypatch.setenv(f"PROXY_{name}", value)
    assert main(["serve"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "key ring: key_store: " in line
    assert reason in line
    assert "!" not in line
