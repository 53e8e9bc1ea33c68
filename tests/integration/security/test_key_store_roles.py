"""An identity without its role on the key store: commands and `check` say which identity, role and table."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from adapters.credentials.connection_string import EMULATOR_ACCOUNT
from proxy.demo.azurite import Emulator
from tests.support.entra import OBJECT, Certificate, Entra
from tests.support.key_table_rows import KeyTableRows, digest_of
from tests.support.processes import environment
from tests.support.role_gate import RoleGate, role_gate

KEY = "AbCd-secret"
WRITES = frozenset(("POST", "PUT", "PATCH", "MERGE", "DELETE"))
READER, CONTRIBUTOR = "Storage Table Data Reader", "Storage Table Data Contributor"

pytestmark = pytest.mark.slow


@pytest.fixture
def rows(secure_emulator: Emulator) -> Iterator[KeyTableRows]:
    """The table of a key store in the emulator that takes tokens."""
    with KeyTableRows.unmade(secure_emulator.connection_string) as opened:
        yield opened


@pytest.fixture
def gate(secure_emulator: Emulator, certificate: Certificate, entra: Entra) -> Iterator[RoleGate]:
    """The way to it of the commands, by an identity."""
    assert entra.asked == []
    with role_gate(certificate, secure_emulator.table_port) as opened:
        yield opened


def proxy(rows: KeyTableRows, gate: RoleGate, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs a command as a process, which trusts the certificate from its start."""
    storage = {"connection_string": rows.connection_string}
    store = {
        "account_name": EMULATOR_ACCOUNT,
        "credential": {"managed_identity": True},
        "table_url": f"https://127.0.0.1:{gate.port}/{EMULATOR_ACCOUNT}",
    }
    ring = {"accounts": {"contoso": {"storage": storage}}, "key_store": store}
    settings = {"PROXY_KEYRING": json.dumps(ring), "PROXY_KEYS_TABLE": rows.name, "PROXY_PUBLIC_URL": "https://x"}
    return subprocess.run(
        [sys.executable, "-m", "proxy", *words],
        env=environment() | settings,
        input=f"{KEY}\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "role"),
    [
        (("list",), READER),
        (("show",), READER),
        (("export",), READER),
        (("add", "--account", "contoso"), CONTRIBUTOR),
        (("revoke", "--name", "x"), CONTRIBUTOR),
        (("prune",), CONTRIBUTOR),
    ],
)
def test_a_refusal_names_the_identity_the_role_and_the_table(
    rows: KeyTableRows, gate: RoleGate, words: tuple[str, ...], role: str
) -> None:
    ran = proxy(rows, gate, "keys", *words)
    place = f"the table {rows.name} of the storage account {EMULATOR_ACCOUNT}"
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert f"the identity {OBJECT} needs the role {role} on {place}" in ran.stderr
    assert "HTTP 403, AuthorizationPermissionMismatch" in ran.stderr
    assert "--wait repeats this command" in ran.stderr
    assert "eyJ" not in ran.stdout + ran.stderr  # no token


def test_a_role_to_read_only_is_refused_at_the_write(rows: KeyTableRows, gate: RoleGate) -> None:
    rows.make()
    gate.refused = WRITES
    assert proxy(rows, gate, "keys", "list").returncode == 0
    ran = proxy(rows, gate, "keys", "add", "--account", "contoso")
    assert f"needs the role {CONTRIBUTOR} on the table {rows.name}" in ran.stderr
    assert rows.get(KEY) == {}


def test_wait_repeats_what_is_refused(rows: KeyTableRows, gate: RoleGate) -> None:
    gate.times = 1
    ran = proxy(rows, gate, "keys", "add", "--account", "contoso", "--wait")
    assert (ran.returncode, ran.stdout) == (0, "")
    first, last = ran.stderr.splitlines()
    assert first.startswith("key store: refused: HTTP 403, ")
    assert first.endswith("; waiting up to 30 minutes")
    assert last == f"sha256:{digest_of(KEY)[:12]} added to account contoso"
    assert rows.get(KEY)["Account"] == "contoso"


def test_check_says_which_role_is_missing_on_what(rows: KeyTableRows, gate: RoleGate) -> None:
    rows.make()
    refused = proxy(rows, gate, "check")
    gate.refused = WRITES
    sound = proxy(rows, gate, "check")
    assert (refused.returncode, sound.returncode) == (1, 0)
    account, _, store = refused.stdout.splitlines()
    assert account.startswith("ok     contoso: ")
    assert store.startswith("broken key store: refused: HTTP 403, AuthorizationPermissionMismatch")
    assert f"the identity {OBJECT} needs the role {READER} on the table {rows.name} of the storage account" in store
    assert f"ok     key store: table {rows.name} of the storage account {EMULATOR_ACCOUNT} " in sound.stdout


def test_an_identity_without_a_token_is_one_line(rows: KeyTableRows, gate: RoleGate, entra: Entra) -> None:
    entra.refuses = True
    ran = proxy(rows, gate, "keys", "list")
    assert ran.returncode == 1
    assert ran.stderr.startswith("key store: refused: ")
    assert ran.stderr.endswith("gets no token; sign in with az login, or correct the key ring's key_store\n")
    assert ran.stderr.count("\n") == 1
    assert gate.asked == []
