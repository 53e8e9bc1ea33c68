"""Two operators at once, an operator that stops in the middle, and storage that loses answers."""

import os
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from typing import IO

import pytest

from adapters.tables import key_announcements, key_names
from tests.integration.cli.conftest import Run
from tests.support.fault_proxy import Hop, Mode
from tests.support.key_table_rows import KeyTableRows, digest_of, mark_of
from tests.support.storage import Storage, ago, date

KEY = "AbCd-secret"
ADD = ("add", "--account", "contoso")
KEYS = 12
"""How many each of two operators adds and revokes; `benchmarks` measures 200."""


def operator(name: str) -> subprocess.Popen[str]:
    """An operator's process, which waits for a line before it begins."""
    command = [sys.executable, "-m", "tests.support.key_operator", name, str(KEYS)]
    pipes = subprocess.PIPE
    return subprocess.Popen(command, env=dict(os.environ), stdin=pipes, stdout=pipes, stderr=pipes, text=True)


def pipe(found: IO[str] | None) -> IO[str]:
    assert found is not None
    return found


@pytest.mark.slow
def test_two_operators_who_add_and_revoke_at_once_lose_no_change(rows: KeyTableRows) -> None:
    rows.make()
    with ExitStack() as stack:
        operators = [stack.enter_context(operator(name)) for name in ("first", "second")]
        assert [pipe(each.stdout).readline() for each in operators] == ["ready\n"] * 2
        for each in operators:
            pipe(each.stdin).write("begin\n")
            pipe(each.stdin).flush()
        errors = [each.communicate(timeout=300)[1] for each in operators]
    assert [each.returncode for each in operators] == [0, 0], errors
    assert rows.sequence == 4 * KEYS
    keys = [f"{name}-{number}" for name in ("first", "second") for number in range(KEYS)]
    assert Counter(rows.recent) == Counter({mark_of(key): 2 for key in keys})
    written = {row["RowKey"]: row for row in rows.table.list_entities()}
    assert all("RevokedAt" in written[digest_of(key)] for key in keys)
    assert set(written) == {digest_of(key) for key in keys} | {"changes"}  # and each name is free


def test_a_stop_between_key_row_and_change_row_is_mended_by_saying_it_again(
    rows: KeyTableRows, keys: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop(*_: object) -> None:
        raise KeyboardInterrupt

    keys(*ADD, typed="first")
    for command in ([*ADD, "--name", "CRM"], ["revoke", "--name", "CRM"]):
        with monkeypatch.context() as patched:
            patched.setattr("adapters.tables.key_changes.announce", stop)
            assert keys(*command, typed=KEY if command[0] == "add" else "").status == 130
        assert rows.recent[0] != mark_of(KEY)
        keys(*command, typed=KEY if command[0] == "add" else "")
        assert rows.recent[0] == mark_of(KEY)
        rows.announce("another")
    assert ("RevokedAt" in rows.get(KEY), rows.named("crm")) == (True, None)


def test_a_change_that_is_not_announced_in_time_is_status_1_and_stands(
    rows: KeyTableRows, keys: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(*_: object) -> bool:
        return False

    monkeypatch.setattr(key_announcements, "_append", lose)
    monkeypatch.setattr(key_announcements.announce, "__defaults__", (0.2,))
    outcome = keys(*ADD, "--generate")
    assert outcome.status == 1
    assert "the change stands and is in force within ten minutes; it could not be announced" in outcome.err
    assert "Account" in rows.get(outcome.out.strip())  # the only place where a generated key is shown
    revoked = keys("revoke", digest_of(outcome.out.strip()))
    assert (revoked.status, "the change stands" in revoked.err) == (1, True)
    assert "RevokedAt" in rows.get(outcome.out.strip())
    imported = keys("import", "-", typed="key,account\nanother-key,contoso\n")
    assert (imported.status, "the change stands" in imported.err) == (1, True)


def test_lost_races_are_repeated_for_thirty_seconds() -> None:
    assert key_announcements.announce.__defaults__ == (30.0,)


def test_a_change_row_that_cannot_be_read_says_what_to_do(rows: KeyTableRows, keys: Run) -> None:
    rows.make().table.create_entity({"PartitionKey": "~", "RowKey": "changes", "Epoch": "e", "Sequence": "many"})
    outcome = keys(*ADD, typed=KEY)
    assert outcome.status == 1
    assert "the change stands" in outcome.err
    assert "delete the row ~, changes, and the next change makes a new one" in outcome.err


def test_a_list_of_changes_that_cannot_be_read_is_mended_by_the_next_change(rows: KeyTableRows, keys: Run) -> None:
    row = {"PartitionKey": "~", "RowKey": "changes", "Epoch": "e", "Sequence": 7, "Recent": "of another version"}
    rows.make().table.create_entity(row)
    assert keys(*ADD, typed=KEY).status == 0
    assert rows.changes() == ("e", 8, [[8, mark_of(KEY)]])


def test_the_change_row_has_the_newest_800_changes(rows: KeyTableRows, keys: Run) -> None:
    rows.make().write_changes("epoch", 5000, [[5000 - number, f"{number:016x}"] for number in range(800)])
    keys(*ADD, typed=KEY)
    changes = rows.changes()
    assert changes is not None
    epoch, sequence, recent = changes
    assert (epoch, sequence, len(recent)) == ("epoch", 5001, 800)
    assert recent[:2] == [[5001, mark_of(KEY)], [5000, f"{0:016x}"]]


@pytest.mark.parametrize("owner", ["no key row", "a revoked key", "a key of another name", "no digest"])
def test_a_name_that_an_interrupted_add_has_left_is_free(
    rows: KeyTableRows, keys: Run, monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    monkeypatch.setattr(key_names, "ADD_SECONDS", 0.3)
    rows.make().write_name("crm", digest_of("gone") if owner != "no digest" else "x/y")
    if owner == "a revoked key":
        rows.write("gone", Name="CRM", RevokedAt=date(ago(days=1)))
    elif owner == "a key of another name":
        rows.write("gone", Name="other")
    assert keys(*ADD, "--name", "CRM", typed=KEY).status == 0
    assert rows.named("crm") == digest_of(KEY)


@pytest.mark.parametrize("lost", ["~names", "key row", "change row"])
def test_an_answer_that_is_lost_is_mended_by_saying_it_again(
    rows: KeyTableRows, keys: Run, storage: Storage, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    rows.make().announce("another")
    add = [*ADD, "--name", "CRM"]
    with Hop.before(storage) as hop:
        store = {"connection_string": hop.connection_string}
        monkeypatch.setenv("PROXY_KEYRING", rows.ring("contoso", key_store=store))
        hop.methods, hop.times, hop.mode = "POST", 1, Mode.LOSE
        hop.passed = ["~names", "key row", "change row"].index(lost)
        first, again = keys(*add, typed=KEY), keys(*add, typed=KEY)
    assert [first.status, again.status] == {"~names": [1, 0], "key row": [1, 1], "change row": [0, 1]}[lost]
    assert rows.get(KEY)["Name"] == "CRM"
    assert rows.named("crm") == digest_of(KEY)
    assert rows.recent[0] == mark_of(KEY)


def test_storage_that_is_away_is_one_line(rows: KeyTableRows, keys: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    away = "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a"
    monkeypatch.setenv("PROXY_KEYRING", rows.ring("contoso", key_store={"connection_string": away}))
    for command in (["list"], ["add", "--account", "contoso"], ["import", "-"]):
        outcome = keys(*command, typed="key,account\nx-secret-x,contoso\n")
        assert (outcome.status, outcome.err.count("\n")) == (1, 1)
        assert outcome.err.startswith("key store: unreachable: ")
