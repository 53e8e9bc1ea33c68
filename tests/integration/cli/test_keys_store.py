"""`keys ...` on a key store: rows as the contract has them, each change announced, and no key printed."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Run
from tests.support.key_table_rows import KeyTableRows, digest_of, mark_of
from tests.support.storage import ago, date

KEY = "AbCd-secret"
ADD = ("add", "--account", "contoso")


def shown(key: str) -> str:
    return f"sha256:{digest_of(key)[:12]}"


def test_the_first_key_makes_the_table_and_the_rows_of_the_contract(rows: KeyTableRows, keys: Run) -> None:
    options = ("--name", "Store/Locator", "--role", "query", "--data-sources", "Co*, Fo*", "--data-sources", "X")
    outcome = keys(*ADD, *options, "--expires", "2030-01-01T00:00:00+01:00", typed=f"{KEY}\n")
    assert (outcome.status, outcome.out, outcome.err) == (0, "", f"{shown(KEY)} added to account contoso\n")
    row = rows.get(KEY)
    assert (row["PartitionKey"], row["RowKey"]) == (digest_of(KEY)[:2], digest_of(KEY))
    assert (row["Account"], row["Role"], row["Name"]) == ("contoso", "query", "Store/Locator")
    assert json.loads(row["DataSources"]) == ["Co*", "Fo*", "X"]
    assert row["ExpiresAt"] == datetime(2029, 12, 31, 23, tzinfo=UTC)
    assert abs(row["CreatedAt"] - datetime.now(UTC)) < timedelta(minutes=5)
    assert set(row) & {"RevokedAt", "Shadow"} == set()
    assert rows.named("store%2Flocator") == digest_of(KEY)
    assert (rows.sequence, rows.recent) == (1, [mark_of(KEY)])
    assert re.fullmatch("[0-9a-f]{32}", rows.epoch or "")


def test_a_ring_file_that_names_a_store_is_not_edited(
    rows: KeyTableRows, keys: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "ring.json"
    path.write_text(rows.ring("contoso"), encoding="utf-8")
    monkeypatch.delenv("PROXY_KEYRING")
    monkeypatch.setenv("PROXY_KEYRING_FILE", str(path))
    assert keys(*ADD, "--name", "CRM", typed=KEY).status == 0
    assert keys("revoke", "--name", "CRM").status == 0
    assert "RevokedAt" in rows.get(KEY)
    assert path.read_text(encoding="utf-8") == rows.ring("contoso")


def test_a_generated_key_is_printed_once_and_stored_by_its_digest(rows: KeyTableRows, keys: Run) -> None:
    outcome = keys(*ADD, "--generate")
    key = outcome.out.strip()
    assert len(key) == 64
    row = rows.get(key)
    assert "Name" not in row
    assert key not in str(dict(row)) + outcome.err
    assert keys("show", typed="another").out == f"{shown('another')}  unknown\n"


def test_a_key_that_is_there_stays_as_it_is_and_is_announced_again(rows: KeyTableRows, keys: Run) -> None:
    keys(*ADD, "--name", "CRM", typed=KEY)
    outcome = keys("add", "--account", "fabrikam", "--name", "other", typed=KEY)
    assert (outcome.status, outcome.err) == (1, "the key store has this key already\n")
    row = rows.get(KEY)
    assert (row["Account"], row["Name"], rows.named("other")) == ("contoso", "CRM", None)
    assert rows.recent == [mark_of(KEY)] * 2
    keys("revoke", "--name", "crm")
    outcome = keys(*ADD, typed=KEY)
    assert outcome.status == 1
    assert f"already, revoked; `keys reinstate {shown(KEY)}` takes that back" in outcome.err
    assert rows.recent == [mark_of(KEY)] * 4


def test_a_revoked_key_keeps_its_row_and_frees_its_name(rows: KeyTableRows, keys: Run) -> None:
    keys(*ADD, "--name", "CRM", typed=KEY)
    outcome = keys("revoke", digest_of(KEY)[:6].upper())
    assert (outcome.status, outcome.err) == (0, f"{shown(KEY)} revoked\n")
    row = rows.get(KEY)
    assert abs(row["RevokedAt"] - datetime.now(UTC)) < timedelta(minutes=5)
    assert (row["Account"], row["Name"], rows.named("crm")) == ("contoso", "CRM", None)
    assert keys(*ADD, "--name", "crm", typed="successor").status == 0
    assert rows.named("crm") == digest_of("successor")
    for command in (["revoke", f"sha256:{digest_of(KEY)}"], ["revoke", digest_of(KEY)[:8]]):
        assert keys(*command).err == f"{shown(KEY)} was revoked already\n"
    assert rows.named("crm") == digest_of("successor")
    assert rows.recent == [mark_of(KEY), mark_of(KEY), mark_of("successor"), mark_of(KEY), mark_of(KEY)]


def test_a_name_leads_to_the_key_in_force_and_else_to_the_revoked_one(rows: KeyTableRows, keys: Run) -> None:
    keys(*ADD, "--name", "CRM", typed=KEY)
    keys("revoke", "--name", "CRM")
    assert rows.named("crm") is None
    assert keys("revoke", "--name", "crm").err == f"{shown(KEY)} was revoked already\n"
    keys(*ADD, "--name", "CRM", typed="second")
    assert keys("revoke", "--name", "crm").err == f"{shown('second')} revoked\n"
    both = keys("revoke", "--name", "crm")
    assert both.status == 1
    first, *matches = both.err.splitlines()
    assert first == "2 keys have this name; `keys list --all` shows the names"
    assert {match.split()[0] for match in matches} == {shown(KEY), shown("second")}
    assert keys("revoke", "--name", "nobody").err.startswith("0 keys have this name")


def test_a_key_of_another_tool_without_a_name_row_is_found_by_its_name(rows: KeyTableRows, keys: Run) -> None:
    rows.make().write(KEY, Name="Pipeline")
    assert keys("revoke", "--name", "pipeline").err == f"{shown(KEY)} revoked\n"
    row = rows.get(KEY)
    assert "RevokedAt" in row


def test_a_beginning_of_two_digests_changes_nothing_and_lists_both(rows: KeyTableRows, keys: Run) -> None:
    rows.make()
    twins = [f"{'ab' * 4}{end:056x}" for end in (1, 2)]
    for digest in twins:
        rows.table.create_entity({"PartitionKey": "ab", "RowKey": digest, "Account": "contoso"})
    for command in ("revoke", "reinstate"):
        outcome = keys(command, "abababab")
        assert outcome.status == 1
        assert outcome.err.splitlines()[0].startswith("2 keys have a digest that begins with it")
        assert outcome.err.count("\n") == 3
    assert rows.sequence == 0
    assert keys("revoke", twins[0]).status == 0


def test_only_reinstate_takes_a_revocation_back(rows: KeyTableRows, keys: Run) -> None:
    keys(*ADD, "--name", "CRM", "--data-sources", "Co*", "--expires", "2030-01-01T00:00:00Z", typed=KEY)
    before = rows.get(KEY)
    keys("revoke", "--name", "CRM")
    entity = rows.get(KEY)
    rows.table.update_entity(entity | {"Ticket": "of another tool", "When": ago_entity()})
    outcome = keys("reinstate", shown(KEY))
    assert (outcome.status, outcome.err) == (0, f"{shown(KEY)} reinstated\n")
    after = rows.get(KEY)
    assert after.pop("Ticket") == "of another tool"
    assert after.pop("When").tables_service_value == "2026-01-02T03:04:05.1234567Z"
    assert after == before
    assert rows.named("crm") == digest_of(KEY)
    assert keys("reinstate", shown(KEY)).err == f"{shown(KEY)} was in force already\n"
    assert rows.recent == [mark_of(KEY)] * 4


def ago_entity() -> object:
    return date("2026-01-02T03:04:05.1234567Z")


def test_a_key_stays_revoked_where_its_name_is_taken(rows: KeyTableRows, keys: Run) -> None:
    keys(*ADD, "--name", "CRM", typed=KEY)
    keys("revoke", "--name", "CRM")
    keys(*ADD, "--name", "crm", typed="successor")
    outcome = keys("reinstate", shown(KEY))
    assert outcome.status == 1
    assert f"the name 'CRM' belongs to the key {shown('successor')}; revoke that key" in outcome.err
    row = rows.get(KEY)
    assert "RevokedAt" in row
    assert rows.named("crm") == digest_of("successor")


def test_a_row_that_cannot_be_read_is_listed_and_can_be_revoked_alone(rows: KeyTableRows, keys: Run) -> None:
    rows.make().write(KEY, Role="emperor", Name="CRM")
    keys(*ADD, typed="sound")
    listed = keys("list")
    assert listed.status == 0
    assert f"{shown(KEY)}  can't be read: Role must be one of master, query\n" in listed.out
    assert f"{shown('sound')}  contoso  master  created " in listed.out
    exported = keys("export")
    assert (exported.status, list(json.loads(exported.out)["keys"])) == (1, [f"sha256:{digest_of('sound')}"])
    assert exported.err == f"left out: {shown(KEY)}  can't be read: Role must be one of master, query\n"
    assert keys("show", typed=KEY).status == 1
    assert keys("revoke", digest_of(KEY)).status == 0
    assert keys("reinstate", digest_of(KEY)).err.startswith(f"{shown(KEY)} can't be read: Role must be")
    row = rows.get(KEY)
    assert row["Role"] == "emperor"


def test_the_list_has_the_same_words_for_a_store_and_for_a_ring(
    rows: KeyTableRows, keys: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys(*ADD, "--name", "CRM", "--data-sources", "Co*,Fo*", "--expires", "2030-01-01T00:00:00Z", typed=KEY)
    keys("add", "--account", "fabrikam", typed="foreign")
    rows.write("ended", ExpiresAt=date(ago(days=1)))
    stored = re.sub(r"  created \S+", "", keys("list", "--account", "contoso").out)
    in_store = [json.loads(line) for line in keys("list", "--json").out.splitlines()]
    exported = json.loads(keys("export").out)
    accounts = json.loads(rows.ring("contoso", "fabrikam"))["accounts"]
    monkeypatch.setenv("PROXY_KEYRING", json.dumps({"accounts": accounts, **exported}))
    assert keys("list", "--account", "contoso").out == stored
    assert f"{shown(KEY)}  CRM  contoso  master  Co* Fo*  expires 2030-01-01T00:00:00+00:00\n" in stored
    assert f"{shown('ended')}  contoso  master  expired " in stored
    in_ring = [json.loads(line) for line in keys("list", "--json").out.splitlines()]
    assert in_ring == [each | {"created": None} for each in in_store]
    assert {tuple(each) for each in in_store} == {
        ("digest", "name", "account", "role", "data_sources", "expires", "created", "revoked")
    }


def test_revoked_keys_are_listed_on_request_only(rows: KeyTableRows, keys: Run) -> None:
    keys(*ADD, typed=KEY)
    keys("revoke", digest_of(KEY))
    rows.write("odd", RevokedAt="yes")  # that it is there revokes the key
    assert keys("list").out == ""
    assert json.loads(keys("export").out) == {"keys": {}}
    listed = keys("list", "--all").out
    assert re.search(rf"{shown(KEY)}  contoso  master  created \S+  revoked \d{{4}}-\S+\n", listed)
    assert f"{shown('odd')}  contoso  master  revoked\n" in listed
    assert {json.loads(line)["revoked"] is not None for line in keys("list", "--all", "--json").out.splitlines()} == {
        True
    }


@pytest.mark.parametrize(
    ("properties", "status", "text"),
    [
        ({}, 0, "contoso  master"),
        ({"Role": "query", "DataSources": '["Co*"]'}, 0, "contoso  query  Co*"),
        ({"ExpiresAt": date("2020-01-01T00:00:00Z")}, 1, "contoso  master  expired 2020-01-01T00:00:00+00:00"),
        ({"RevokedAt": date("2020-01-01T00:00:00Z")}, 1, "contoso  master  revoked 2020-01-01T00:00:00+00:00"),
        ({"Account": "elsewhere"}, 1, "elsewhere  master  its account is not in the key ring"),
    ],
)
def test_show_says_what_a_key_opens(
    rows: KeyTableRows, keys: Run, properties: dict[str, object], status: int, text: str
) -> None:
    rows.make().write(KEY, **properties)
    outcome = keys("show", typed=KEY)
    assert (outcome.status, outcome.out, outcome.err) == (status, f"{shown(KEY)}  {text}\n", "")


def test_prune_deletes_what_was_revoked_more_than_ninety_days_ago(rows: KeyTableRows, keys: Run) -> None:
    rows.make()
    for number in range(150):
        rows.write(f"old-{number}", RevokedAt=date(ago(days=91)), Name=f"n{number}")
    rows.write_name("n0", digest_of("old-0"))
    rows.write_name("n1", digest_of("successor"))
    rows.write("young", RevokedAt=date(ago(days=89)))
    rows.write("odd", RevokedAt="yes")
    rows.write("in force", CreatedAt=date(ago(days=500)))
    outcome = keys("prune")
    assert (outcome.status, outcome.err) == (0, "150 keys deleted\n")
    left = {row["RowKey"] for row in rows.table.list_entities()} - {"changes"}
    assert left == {digest_of(key) for key in ("young", "odd", "in force")} | {"n1"}
    assert rows.recent == ["+", "+"]


@pytest.mark.parametrize(
    ("arguments", "typed", "text"),
    [
        (("--account", "nobody"), KEY, "--account: there is no account 'nobody' in the key ring; it has contoso, fab"),
        (("--account", "contoso", "--name", "x" * 65), KEY, "--name: must be 1 to 64 printable characters"),
        (("--account", "contoso", "--name", " x"), KEY, "--name: must be 1 to 64 printable characters"),
        (("--account", "contoso", "--name", KEY), KEY, "--name: is the key itself, and would be shown"),
        (("--account", "contoso", "--name", "known"), KEY, "--name: is a key of the key store, and would be shown"),
        (("--account", "contoso", "--data-sources", "x" * 101), KEY, "has 101 characters; at most 100 are allowed"),
        (("--account", "contoso", "--data-sources", ",".join("a" * 101)), KEY, "101 patterns; at most 100 are allowed"),
        (("--account", "contoso", "--data-sources", " ,"), KEY, "--data-sources: names no pattern"),
        (("--account", "contoso", "--plaintext"), KEY, "--plaintext: a key store holds digests only"),
        (("--account", "contoso", "--expires", "2020-01-01T00:00:00Z"), KEY, "--expires: '2020-01-01T00:00:00Z' is in"),
        (("--account", "contoso"), " ", "no key on standard input; --generate makes one"),
    ],
)
def test_what_cannot_be_added_is_one_line_and_no_row(
    rows: KeyTableRows, keys: Run, arguments: tuple[str, ...], typed: str, text: str
) -> None:
    rows.make().write("known")
    outcome = keys("add", *arguments, typed=typed)
    assert (outcome.status, outcome.err.count("\n"), rows.sequence) == (1, 1, 0)
    assert text in outcome.err
    assert rows.get(KEY) == {}


def test_limits_are_allowed(rows: KeyTableRows, keys: Run) -> None:
    patterns = ",".join(f"{number:0100d}" for number in range(100))
    assert keys(*ADD, "--name", "x" * 64, "--data-sources", patterns, typed=KEY).status == 0
    row = rows.get(KEY)
    assert len(json.loads(row["DataSources"])) == 100


@pytest.mark.parametrize(
    "command", [["list"], ["export"], ["show"], ["revoke", "abcdef"], ["revoke", "--name", "x"], ["prune"]]
)
def test_a_missing_table_is_one_line_that_says_which_command_makes_it(
    rows: KeyTableRows, keys: Run, command: list[str]
) -> None:
    outcome = keys(*command, typed="any-key-at-all")
    assert outcome.status == 1
    assert outcome.err.endswith(
        f"account devstoreaccount1 has no table {rows.name}; `keys add` and `keys import` make it\n"
    )
    assert outcome.err.count("\n") == 1
