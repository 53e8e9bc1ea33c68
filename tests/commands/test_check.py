"""`check`: says what is wrong, and holds no secret."""

import json
import socket

import pytest

from adapters.emulator import Emulator
from tests.commands.conftest import Run
from tests.storage import Storage

SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="  # noqa: S105 - opens nothing


def ring(**accounts: str) -> str:
    return json.dumps(
        {"accounts": {name: {"storage": {"connection_string": text}} for name, text in accounts.items()}, "keys": {}}
    )


def test_a_sound_account_is_ok(run: Run, storage: Storage) -> None:
    outcome = run("check")
    assert outcome.status == 0
    assert outcome.out.startswith(f"ok     {storage.account}: tables ")


def test_broken_accounts_are_told_one_line_each_without_secrets(
    run: Run, storage: Storage, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob, table = (f"http://127.0.0.1:{port}/" for port in (emulator.blob_port, emulator.table_port))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setenv("PROXY_STORAGE_TIMEOUT", "1")
        accounts = ring(
            good=storage.connection_string,
            hangs=f"AccountName=a;AccountKey={SECRET};TableEndpoint={hanging}a;BlobEndpoint={hanging}a",
            keyless="AccountName=a",
            refused=f"AccountName=devstoreaccount1;AccountKey={SECRET};"
            f"TableEndpoint={table}devstoreaccount1;BlobEndpoint={blob}devstoreaccount1",
            unreachable=f"AccountName=a;AccountKey={SECRET};"
            "TableEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a",
        )
        monkeypatch.setenv("PROXY_KEYRING", accounts)
        outcome = run("check")
    assert outcome.status == 1
    told = dict(line.split(": ", 1) for line in outcome.out.splitlines())
    assert [name.split() for name in told] == [
        ["ok", "good"],
        ["broken", "hangs"],
        ["broken", "keyless"],
        ["broken", "refused"],
        ["broken", "unreachable"],
    ]
    assert "timeout" in told["broken hangs"]
    assert "the connection string has no AccountKey" in told["broken keyless"]
    assert "tables refused: HTTP 403" in told["broken refused"]
    assert "blobs refused: HTTP 403" in told["broken refused"]
    assert "tables unreachable" in told["broken unreachable"]
    assert SECRET not in outcome.out + outcome.err


def test_a_table_that_is_still_missing_is_told_and_is_no_fault(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_JOBS_TABLE", "nowhere")
    outcome = run("check")
    assert outcome.status == 0
    assert "without the jobs table, which serve creates if it may" in outcome.out


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("PROXY_PUBLIC_URL", "ftp://x", "PROXY_PUBLIC_URL: must be an http"),
        ("PROXY_PORT", "many", "PROXY_PORT: "),
        ("PROXY_KEYRING", "{", "PROXY_KEYRING: key ring: not JSON"),
        ("PROXY_KEYRING", "", "exactly one of PROXY_KEYRING and PROXY_KEYRING_FILE must be set"),
    ],
)
def test_a_mistake_in_the_settings_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, text: str
) -> None:
    monkeypatch.setenv(name, value)
    outcome = run("check")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith(text)
    assert outcome.err.count("\n") == 1


def test_what_only_serve_requires_is_told_and_is_no_fault(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROXY_PUBLIC_URL")
    outcome = run("check")
    assert (outcome.status, outcome.err) == (0, "PROXY_PUBLIC_URL is not set; serve requires it\n")
