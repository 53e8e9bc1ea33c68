"""`keys import` and `keys export`: all is checked before the first row is written, and it may be repeated."""

import json
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Run
from tests.support.key_table_rows import BING_KEY, KeyTableRows, digest_of, mark_of
from tests.support.storage import ago, date

AWAY = "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a"
HEAD = "key,account,name,role,data_sources,expires\n"
RING_HINT = "keys can be taken out of the key ring now: its key_store has them\n"


def test_csv_becomes_rows(rows: KeyTableRows, keys: Run, tmp_path: Path) -> None:
    file = tmp_path / "keys.csv"
    lines = [
        'AbCd-1,contoso,CRM,query,"Co*, Fo*",2030-01-01T00:00:00Z',
        f"sha256:{digest_of('AbCd-2')},fabrikam,,,,",
        '"with ""quotes"", and comma",contoso,n,master,Co*,',
    ]
    file.write_text("\ufeff" + HEAD + "\r\n".join(lines) + "\r\n", encoding="utf-8")
    outcome = keys("import", str(file))
    assert (outcome.status, outcome.out, outcome.err) == (0, "added 3, same 0, changed 0, revoked 0\n", "")
    first, second, third = (rows.get(key) for key in ("AbCd-1", "AbCd-2", 'with "quotes", and comma'))
    assert (first["Account"], first["Role"], first["Name"]) == ("contoso", "query", "CRM")
    assert json.loads(first["DataSources"]) == ["Co*", "Fo*"]
    assert str(first["ExpiresAt"]) == "2030-01-01 00:00:00+00:00"
    assert set(second) == {"PartitionKey", "RowKey", "Account", "Role", "CreatedAt"}
    assert third["Name"] == "n"
    assert rows.named("crm") == digest_of("AbCd-1")
    assert rows.recent == ["+"]
    assert keys("import", str(file)).out == "added 0, same 3, changed 0, revoked 0\n"


def test_an_export_is_a_backup_and_the_way_back_to_a_file(
    rows: KeyTableRows, keys: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.make()
    rows.write("a", Role="query", DataSources='["Co*"]', ExpiresAt=date("2030-01-01T00:00:00.5Z"), Name="CRM")
    rows.write("b", Account="fabrikam", Shadow=True)
    rows.write("gone", RevokedAt=date(ago(days=1)))
    exported = keys("export").out
    assert json.loads(exported) == {
        "keys": {
            f"sha256:{digest_of('a')}": {
                "account": "contoso",
                "role": "query",
                "name": "CRM",
                "expires": "2030-01-01T00:00:00.500000Z",
                "data_sources": ["Co*"],
            },
            f"sha256:{digest_of('b')}": {"account": "fabrikam", "role": "master", "shadow": True},
        }
    }
    assert keys("import", "-", typed=exported).out == "added 0, same 2, changed 0, revoked 0\n"
    path = tmp_path / "ring.json"
    path.write_text(json.dumps({"accounts": json.loads(rows.ring("contoso", "fabrikam"))["accounts"], "keys": {}}))
    monkeypatch.delenv("PROXY_KEYRING")
    monkeypatch.setenv("PROXY_KEYRING_FILE", str(path))
    assert keys("import", "-", typed=exported).out == "added 2, same 0, changed 0, revoked 0\n"
    assert json.loads(path.read_text(encoding="utf-8"))["keys"] == json.loads(exported)["keys"]
    assert json.loads(keys("export").out) == json.loads(exported)


def test_the_keys_of_the_ring_in_use_are_imported_and_can_then_be_taken_out(
    rows: KeyTableRows, keys: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"AbCd-1": {"account": "contoso", "name": "CRM"}, f"sha256:{digest_of('x')}": {"account": "fabrikam"}}
    monkeypatch.setenv("PROXY_KEYRING", rows.ring("contoso", "fabrikam", keys=own))
    for command in (["list"], ["add", "--account", "contoso", "--generate"], ["import", "/dev/null"]):
        refused = keys(*command)
        assert refused.status == 1
        assert "it has a key_store and 2 keys of its own; `keys import --from-ring` writes them" in refused.err
    outcome = keys("import", "--from-ring")
    assert (outcome.status, outcome.out, outcome.err) == (0, "added 2, same 0, changed 0, revoked 0\n", RING_HINT)
    monkeypatch.setenv("PROXY_KEYRING", rows.ring("contoso", "fabrikam"))
    assert len(keys("list").out.splitlines()) == 2
    assert keys("import", "--from-ring").out == "added 0, same 0, changed 0, revoked 0\n"


def test_a_change_is_announced_by_its_digest_and_keeps_what_the_file_is_silent_on(
    rows: KeyTableRows, keys: Run
) -> None:
    rows.make().write("a", Name="CRM", ExpiresAt=date("2030-01-01T00:00:00Z"), Shadow=True, Ticket="of another tool")
    rows.write_name("crm", digest_of("a"))
    rows.write("b")
    outcome = keys("import", "-", typed="key,account,name\na,fabrikam,Store\nb,contoso,\n")
    assert outcome.out == "added 0, same 1, changed 1, revoked 0\n"
    row = rows.get("a")
    assert (row["Account"], row["Name"], row["Shadow"], row["Ticket"]) == ("fabrikam", "Store", True, "of another tool")
    assert "ExpiresAt" in row
    assert (rows.named("crm"), rows.named("store")) == (None, digest_of("a"))
    assert mark_of("a") in rows.recent
    # With all columns, an empty cell says that there is none.
    assert keys("import", "-", typed=f"{HEAD}a,fabrikam,,,,\n").out == "added 0, same 0, changed 1, revoked 0\n"
    row = rows.get("a")
    assert {"Name", "ExpiresAt", "DataSources"} & set(row) == set()
    assert (row["Shadow"], row["Ticket"], rows.named("store")) == (True, "of another tool", None)


def test_an_import_never_takes_a_revocation_back(rows: KeyTableRows, keys: Run) -> None:
    rows.make().write("a", Name="CRM", RevokedAt=date(ago(days=1)))
    before = rows.get("a")
    outcome = keys("import", "-", typed=f"{HEAD}a,fabrikam,New,query,,\nb,contoso,,,,\n")
    assert outcome.out == "added 1, same 0, changed 0, revoked 1\n"
    assert rows.get("a") == before
    assert rows.named("new") is None


@pytest.mark.slow
def test_each_hundred_new_keys_are_one_change(rows: KeyTableRows, keys: Run) -> None:
    lines = "".join(f"key-{number},contoso,n{number},,,\n" for number in range(201))
    assert keys("import", "-", typed=HEAD + lines).out == "added 201, same 0, changed 0, revoked 0\n"
    assert rows.recent == ["+"] * 3
    assert rows.names == {f"n{number}": digest_of(f"key-{number}") for number in range(201)}


def test_a_key_without_an_announcement_is_announced_by_the_next_import(rows: KeyTableRows, keys: Run) -> None:
    rows.make().write("a", CreatedAt=date(ago(seconds=1)))
    assert keys("import", "-", typed=f"{HEAD}a,contoso,,,,\n").out == "added 0, same 1, changed 0, revoked 0\n"
    assert rows.recent == ["+"]


def test_a_change_without_an_announcement_is_announced_by_the_next_import(rows: KeyTableRows, keys: Run) -> None:
    rows.make().write("a", Role="query", CreatedAt=date(ago(days=1)))  # lately written, and not announced
    rows.write("b", CreatedAt=date(ago(seconds=1)))
    assert keys("import", "-", typed=f"{HEAD}a,contoso,,query,,\nb,contoso,,,,\n").out.startswith("added 0, same 2, ")
    assert rows.recent == ["+", mark_of("a")]


def test_a_row_that_cannot_be_read_is_mended_by_an_import(rows: KeyTableRows, keys: Run) -> None:
    rows.make().write("a", Role="emperor")
    assert keys("import", "-", typed=f"{HEAD}a,contoso,,query,,\n").out == "added 0, same 0, changed 1, revoked 0\n"
    assert keys("show", typed="a-key-that-is-not-there").status == 1
    assert rows.get("a")["Role"] == "query"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ("secret-key,nobody,,,,", "line 3: its account is not in the key ring"),
        ("contoso,secret-key,,,,", "line 3: its account is not in the key ring"),
        ("secret-key,contoso,crm,,,", "has the same name"),
        ("secret-key,contoso,taken,,,", "the name 'taken' belongs to the key sha256:"),
        ("secret-key,contoso,good-key,,,", "its name is a key of the ring, and would be shown"),
        (f"till,contoso,{BING_KEY},,,", "line 3, key sha256:a64e98ff18a8: name: looks like a key"),
        (f"till,contoso,,,{BING_KEY},", "data_sources: looks like a key"),
        (f"secret-key,contoso,{'x' * 65},,,", "name: must be 1 to 64 printable characters"),
        ("secret-key,contoso,,emperor,,", "role: "),
        ("secret-key,contoso,,,,soon", "expires: "),
        ("secret-key,contoso,,,,2030-01-01", "expires: "),
        (f"secret-key,contoso,,,{'x' * 101},", "data_sources: 'xxxxxxxxxxxxxxxxxxxx'... has 101 characters"),
        ('secret-key,contoso,,,"' + ",".join("a" * 101) + '",', "data_sources: 101 patterns"),
        ("secret-key,contoso,,,", "line 3: has fewer cells"),
        ("secret-key,contoso,,,,,", "line 3: has more cells"),
        (",contoso,,,,", "line 3: key is empty"),
        ("sha256:0123,contoso,,,,", "a digest is sha256: and 64 lowercase hex digits"),
        ("good-key,contoso,,,,", "line 3: the key of line 2 is there twice"),
        (f"sha256:{digest_of('good-key')},contoso,,,,", "the key is there twice"),
        ('secret-key,"contoso,,,,', "after line 2: unexpected end of data"),
    ],
)
def test_one_wrong_line_of_csv_and_nothing_is_written(rows: KeyTableRows, keys: Run, lines: str, text: str) -> None:
    rows.make().write("owner", Name="Taken")
    rows.write_name("taken", digest_of("owner"))
    outcome = keys("import", "-", typed=f"{HEAD}good-key,contoso,CRM,,,\n{lines}\n")
    assert (outcome.status, outcome.out) == (1, "")
    assert text in outcome.err
    assert outcome.err.endswith("nothing was written\n")
    assert "secret-key" not in outcome.err
    assert BING_KEY not in outcome.err
    assert (rows.get("good-key"), rows.sequence) == ({}, 0)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "-: the first line must name columns: key,account,name,role,data_sources,expires;"),
        (b"secret-key,contoso\n", "-: the first line must name columns"),
        (b"key,account,account\n", "-: the first line must name columns"),
        (b"key,account,password\n", "-: the first line must name columns"),
        (b"{", "-: not JSON: "),
        (b"{}", '-: it has no member "keys" with an object'),
        (b'{"keys": []}', '-: it has no member "keys" with an object'),
        (b'{"keys": {"secret-key": {"account": "nobody"}}}', "there is no account 'nobody'"),
        (b'{"keys": {"secret-key": {"account": "contoso"}, "secret-key": {"account": "contoso"}}}', "is there twice"),
        (b"\xff", "-: is not UTF-8"),
    ],
)
def test_what_is_no_list_of_keys_is_one_line(
    rows: KeyTableRows, keys: Run, tmp_path: Path, content: bytes, text: str
) -> None:
    file = tmp_path / "keys"
    file.write_bytes(content)
    outcome = keys("import", str(file))
    assert (outcome.status, outcome.out, outcome.err.count("\n"), rows.sequence) == (1, "", 1, 0)
    assert outcome.err.startswith(str(file))
    assert text.removeprefix("-: ") in outcome.err
    assert "secret-key" not in outcome.err


def test_a_file_that_is_not_there_is_one_line(rows: KeyTableRows, keys: Run) -> None:
    assert rows.sequence == 0
    assert keys("import", "/nowhere").err == "/nowhere: No such file or directory\n"


def test_a_ring_of_json_with_other_accounts_is_imported_by_its_keys_alone(rows: KeyTableRows, keys: Run) -> None:
    ring = {"accounts": {"other": {"storage": {}}}, "keys": {"AbCd-1": {"account": "contoso", "shadow": True}}}
    assert keys("import", "-", typed=json.dumps(ring)).out == "added 1, same 0, changed 0, revoked 0\n"
    assert rows.get("AbCd-1")["Shadow"] is True


def test_an_import_into_a_file_changes_and_keeps_keys(
    keys: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ring.json"
    accounts = {"contoso": {"storage": {"connection_string": AWAY}}}
    own = {"in-the-clear": {"account": "contoso"}, "changes": {"account": "contoso", "name": "CRM"}}
    path.write_text(json.dumps({"accounts": accounts, "keys": own}), encoding="utf-8")
    monkeypatch.delenv("PROXY_KEYRING", raising=False)
    monkeypatch.setenv("PROXY_KEYRING_FILE", str(path))
    typed = f"{HEAD}in-the-clear,contoso,,,,\nchanges,contoso,CRM,query,,\nnew,contoso,,,,\n"
    assert keys("import", "-", typed=typed).out == "added 1, same 1, changed 1, revoked 0\n"
    assert json.loads(path.read_text(encoding="utf-8"))["keys"] == {
        "in-the-clear": {"account": "contoso"},
        "changes": {"account": "contoso", "role": "query", "name": "CRM"},
        f"sha256:{digest_of('new')}": {"account": "contoso", "role": "master"},
    }
    assert (
        keys("show", typed="changes").out == f"sha256:{digest_of('changes')[:12]}  CRM  contoso  query  in plain text\n"
    )
    assert keys("revoke", "--name", "crm").status == 0
    assert keys("show", typed="changes").out.endswith("  unknown\n")
