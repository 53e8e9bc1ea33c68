"""The command line as operators use it: environment, arguments, what is printed, the exit status."""

import io
import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from proxy.cli.main import main
from proxy.demo.azurite import Emulator
from tests.support.key_table_rows import KeyTableRows
from tests.support.live import PUBLIC_URL
from tests.support.storage import Storage


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for storage as long as a busy machine may need; tests of the deadline set their own."""
    monkeypatch.setenv("PROXY_STORAGE_TIMEOUT", "60")


@pytest.fixture
def signals_as_before() -> Iterator[None]:
    """Puts the handler of SIGTERM back, which the demo sets for its process."""
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


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


@pytest.fixture
def rows(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyTableRows]:
    """The table of a key store, not made yet. The environment has a ring that names it."""
    with KeyTableRows.unmade(emulator.connection_string) as opened:
        monkeypatch.delenv("PROXY_KEYRING_FILE", raising=False)
        monkeypatch.setenv("PROXY_KEYRING", opened.ring("contoso", "fabrikam"))
        monkeypatch.setenv("PROXY_KEYS_TABLE", opened.name)
        yield opened


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `keys ...` with a text on standard input: `keys("add", "--account", "contoso", typed="AbCd")`."""

    def run_keys(*arguments: str, typed: str = "") -> Outcome:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed.encode()), encoding="utf-8"))
        capsys.readouterr()
        status = main(["keys", *arguments])
        captured = capsys.readouterr()
        assert not typed.strip() or typed.strip() not in captured.out + captured.err  # no key is ever printed
        return Outcome(status, captured.out, captured.err)

    return run_keys
