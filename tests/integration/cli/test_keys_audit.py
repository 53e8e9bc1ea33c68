"""Each change of keys by a command leaves a row in the table `audit` of the key's account, and never holds a key."""

import json
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.account import AccountStorage
from adapters.model.ticks import FIRST
from adapters.tables import key_announcements
from adapters.tables.audit_rows import AuditEntry
from tests.integration.cli.conftest import Run
from tests.support.key_table_rows import KeyTableRows, digest_of
from tests.support.opened_account import run
from tests.support.storage import Storage, ago, date

KEY = "AbCd-secret"
AWAY = "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a"


def shown(key: str) -> str:
    return f"sha256:{digest_of(key)[:12]}"


def changes(storage: Storage) -> list[tuple[str, ...]]:
    """What, on what, before and after, of all changes in the account's table."""
    found: list[AuditEntry] = []

    async def read(account: AccountStorage) -> None:
        found.extend(await account.audit.list_since(FIRST))

    run(storage, read, seconds=60)
    assert {entry.who for entry in found} <= {"olga@example.com"}
    return [(entry.what, entry.on, entry.before, entry.after) for entry in found]


@pytest.fixture
def other() -> str:
    """Another account of the ring, in the same storage."""
    return f"other{uuid4().hex[:8]}"


@pytest.fixture(params=["file", "store"])
def holder(
    request: pytest.FixtureRequest,
    storage: Storage,
    other: str,
    rows: KeyTableRows,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """A ring of two accounts with its keys in its file, or in a store."""
    monkeypatch.setenv("PROXY_OPERATOR", "olga@example.com")
    monkeypatch.setenv("PROXY_JOBS_TABLE", storage.table_name)
    ring = rows.ring(storage.account, other)
    if request.param == "file":
        monkeypatch.delenv("PROXY_KEYRING")
        path = tmp_path / "ring.json"
        path.write_text(json.dumps({"accounts": json.loads(ring)["accounts"], "keys": {}}), encoding="utf-8")
        monkeypatch.setenv("PROXY_KEYRING_FILE", str(path))
    else:
        monkeypatch.setenv("PROXY_KEYRING", ring)
    return str(request.param)


@pytest.mark.usefixtures("holder")
def test_adding_and_revoking_leave_rows_with_digest_and_name(storage: Storage, keys: Run) -> None:
    grant = ("--role", "query", "--data-sources", "Co*,Fo*", "--expires", "2090-01-01T00:00:00Z")
    assert keys("add", "--account", storage.account, "--name", "CRM", *grant, typed=KEY).status == 0
    assert keys("add", "--account", storage.account, "--name", "CRM", typed=KEY).status == 1
    assert keys("revoke", "--name", "crm").err == f"{shown(KEY)} revoked\n"
    assert keys("revoke", "ffffffff").status == 1
    assert changes(storage) == [
        ("keys add", f"{shown(KEY)} CRM", "", "query, Co* Fo*, expires 2090-01-01T00:00:00+00:00"),
        ("keys revoke", f"{shown(KEY)} CRM", "in force", "revoked"),
    ]


@pytest.mark.usefixtures("holder")
def test_an_import_leaves_a_row_with_counts_for_each_account_that_it_changes(
    storage: Storage, other: str, keys: Run
) -> None:
    lines = f"a,{storage.account}\nb,{storage.account}\n"
    assert keys("import", "-", typed=f"key,account\n{lines}").status == 0
    assert keys("import", "-", typed=f"key,account\n{lines}c,{other}\n").status == 0
    assert keys("import", "-", typed=f"key,account\n{lines}").status == 0
    assert changes(storage) == [("keys import", "2 keys", "", "added 2, same 0, changed 0, revoked 0")]


@pytest.mark.parametrize("holder", ["store"], indirect=True)
@pytest.mark.usefixtures("holder")
def test_what_only_a_store_does_leaves_rows_too(storage: Storage, rows: KeyTableRows, keys: Run) -> None:
    keys("add", "--account", storage.account, typed=KEY)
    for command in ("revoke", "revoke", "reinstate", "reinstate"):
        assert keys(command, digest_of(KEY)).status == 0
    for number in range(3):
        rows.write(f"old-{number}", Account=storage.account, RevokedAt=date(ago(days=91)))
    rows.write("of no account", Account="gone", RevokedAt=date(ago(days=91)))
    pruned = keys("prune")
    assert "4 keys deleted\n" in pruned.err
    assert "the key ring in use has no account of this key" in pruned.err
    assert keys("prune").err == "0 keys deleted\n"
    assert changes(storage)[1:] == [
        ("keys revoke", shown(KEY), "in force", "revoked"),
        ("keys reinstate", shown(KEY), "revoked", "in force"),
        ("keys prune", "3 keys", "revoked", "deleted"),
    ]


@pytest.mark.parametrize("holder", ["store"], indirect=True)
@pytest.mark.usefixtures("holder")
def test_a_change_that_stands_and_is_not_announced_leaves_its_row(
    storage: Storage, keys: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(*_: object) -> bool:
        return False

    monkeypatch.setattr(key_announcements, "_append", lose)
    monkeypatch.setattr(key_announcements.announce, "__defaults__", (0.2,))
    assert keys("add", "--account", storage.account, typed=KEY).status == 1
    assert keys("revoke", digest_of(KEY)).status == 1
    assert keys("import", "-", typed=f"key,account\nimported-key,{storage.account}\n").status == 1
    assert [what for what, *_ in changes(storage)] == ["keys add", "keys revoke", "keys import"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"connection_string": AWAY}, "unreachable: "),
        ({"connection_string_env": "NOT_SET_BY_ANY_TEST"}, "credential: the environment variable NOT_SET_BY_ANY_TEST"),
    ],
)
def test_a_change_of_a_ring_file_is_made_without_its_storage_with_a_warning(
    tmp_path: Path, keys: Run, monkeypatch: pytest.MonkeyPatch, entry: dict[str, str], reason: str
) -> None:
    path = tmp_path / "ring.json"
    path.write_text(json.dumps({"accounts": {"contoso": {"storage": entry}}, "keys": {}}), encoding="utf-8")
    monkeypatch.delenv("PROXY_KEYRING", raising=False)
    monkeypatch.setenv("PROXY_KEYRING_FILE", str(path))
    added = keys("add", "--account", "contoso", "--generate")
    assert (added.status, len(added.out.strip())) == (0, 64)
    first, warning = added.err.splitlines()
    assert first == f"{shown(added.out.strip())} added to account contoso"
    assert f"the change is made, but the table audit can't be written: {reason}" in warning
    assert "c2VjcmV0" not in added.err
    revoked = keys("revoke", digest_of(added.out.strip()))
    assert (revoked.status, json.loads(path.read_text(encoding="utf-8"))["keys"]) == (0, {})


def test_a_list_of_a_ring_file_loads_no_sdk(tmp_path: Path) -> None:
    path = tmp_path / "ring.json"
    accounts = {"contoso": {"storage": {"connection_string": AWAY}}}
    path.write_text(json.dumps({"accounts": accounts, "keys": {KEY: {"account": "contoso"}}}), encoding="utf-8")
    program = (
        "import sys\nfrom proxy.cli.main import main\n"
        "assert main(['keys', 'list']) == 0\n"
        "print(*{name.partition('.')[0] for name in sys.modules} & {'azure', 'aiohttp', 'starlette', 'uvicorn'})"
    )
    environment = {"PROXY_KEYRING_FILE": str(path)}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout == f"{shown(KEY)}  contoso  master  in plain text\n\n"
