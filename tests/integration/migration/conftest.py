"""Two accounts in one Azurite: the service's, and the one that it moves to."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from proxy.cli.main import main
from proxy.demo.azurite import Emulator
from proxy.migration.patience import Patience
from tests.integration.cli.conftest import Outcome
from tests.support.inline_readers import InlineReaders
from tests.support.live import MASTER, PUBLIC_URL
from tests.support.migration_service import Service, run_service
from tests.support.storage import Storage

Migrate = Callable[..., Outcome]


@pytest.fixture
def service(emulator: Emulator) -> Iterator[Service]:
    """The service, without data sources."""
    with Storage.open(emulator, f"theirs-{uuid4().hex[:12]}") as opened, run_service(opened) as running:
        yield running


@pytest.fixture
def migrate(
    service: Service, storage: Storage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Migrate:
    """Runs `migrate` to the test's account, with the service's key on standard input."""
    ring = {"accounts": {storage.account: {"storage": {"connection_string": storage.connection_string}}}, "keys": {}}
    monkeypatch.setenv("PROXY_KEYRING", json.dumps(ring))
    monkeypatch.setenv("PROXY_JOBS_TABLE", storage.table_name)
    monkeypatch.setenv("PROXY_PUBLIC_URL", PUBLIC_URL)
    monkeypatch.setattr("proxy.cli.migrate.ReaderPool", InlineReaders)
    monkeypatch.setattr("proxy.cli.migrate.Patience", _hurried)

    def run(*arguments: str, url: str = service.server.url, key: str = MASTER) -> Outcome:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(key.encode()), encoding="utf-8"))
        capsys.readouterr()
        words = ["--from", url, "--key", "-", "--state", str(tmp_path / "state"), *arguments]
        status = main(["migrate", "--from-proxy", *words] if "--no-from-proxy" not in words else ["migrate", *_without(words)])
        captured = capsys.readouterr()
        assert key not in captured.out + captured.err  # no key is ever printed
        return Outcome(status, captured.out, captured.err)

    return run


def _without(words: list[str]) -> list[str]:
    return [word for word in words if word != "--no-from-proxy"]


def _hurried(progress: Any, *, no_wait: bool) -> Patience:
    return Patience(progress, no_wait=no_wait, retry_seconds=0.01, first_poll_seconds=0.05, last_poll_seconds=0.05)
