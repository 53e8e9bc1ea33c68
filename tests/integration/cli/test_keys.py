"""`keys ...` on a key ring file: it is edited safely, and a key is never on a command line."""

import hashlib
import io
import json
import os
import re
import threading
from pathlib import Path
from typing import Any, NoReturn

import pytest

from adapters.credentials.config import ConnectionStringConfig
from proxy.cli.main import main
from proxy.keyring.file import parse_keyring

AWAY = "AccountName=a;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a"
RING: dict[str, Any] = {
    "accounts": {"contoso": {"storage": {"connection_string": AWAY}}},
    "keys": {"in-the-clear-key": {"account": "contoso", "role": "query"}},
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key ring file that only its owner reads."""
    path = tmp_path / "ring.json"
    path.write_text(json.dumps(RING), encoding="utf-8")
    path.chmod(0o600)
    monkeypatch.delenv("PROXY_KEYRING", raising=False)
    monkeypatch.setenv("PROXY_KEYRING_FILE", str(path))
    return path


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def keys(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))["keys"])


def digest(key: str) -> str:
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def test_a_key_from_standard_input_is_stored_as_its_digest(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "AbCd-secret\n")
    assert (
        main(["keys", "add", "--account", "contoso", "--expires", "2028-06-30T00:00:00Z", "--data-sources", "Co*, Fo*"])
        == 0
    )
    assert keys(file)[digest("AbCd-secret")] == {
        "account": "contoso",
        "role": "master",
        "expires": "2028-06-30T00:00:00Z",
        "data_sources": ["Co*", "Fo*"],
    }
    captured = capsys.readouterr()
    assert "AbCd-secret" not in file.read_text(encoding="utf-8") + captured.out + captured.err


def test_a_new_key_is_printed_once_and_opens_the_account(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "add", "--account", "contoso", "--generate"]) == 0
    key = capsys.readouterr().out.strip()
    assert len(key) == 64
    assert digest(key) in keys(file)


def test_a_key_is_stored_in_plain_text_only_on_request(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "visible\n")
    assert main(["keys", "add", "--account", "contoso", "--plaintext"]) == 0
    assert "visible" in keys(file)


def test_no_argument_takes_a_key(file: Path) -> None:
    with pytest.raises(SystemExit):
        main(["keys", "add", "--account", "contoso", "AbCd-secret"])
    assert keys(file) == RING["keys"]


def test_the_mode_and_everything_else_in_the_file_stays(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "another\n")
    main(["keys", "add", "--account", "contoso"])
    assert file.stat().st_mode & 0o777 == 0o600
    changed = json.loads(file.read_text(encoding="utf-8"))
    assert changed["accounts"] == RING["accounts"]
    assert list(changed["keys"]) == ["in-the-clear-key", digest("another")]
    assert [path.name for path in file.parent.iterdir()] == ["ring.json"]


def test_a_link_to_the_file_stays_a_link(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(file)
    monkeypatch.setenv("PROXY_KEYRING_FILE", str(link))
    assert main(["keys", "add", "--account", "contoso", "--generate"]) == 0
    assert link.is_symlink()
    assert len(keys(file)) == 2


def test_edits_at_the_same_time_lose_nothing_and_no_reader_sees_half(file: Path) -> None:
    def add() -> None:
        assert main(["keys", "add", "--account", "contoso", "--generate"]) == 0

    writers = [threading.Thread(target=add) for _ in range(20)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        parse_keyring(file.read_text(encoding="utf-8"))
    for writer in writers:
        writer.join()
    assert len(keys(file)) == 21


@pytest.mark.parametrize("inline", [False, True])
def test_the_list_shows_digests_and_names_and_never_keys(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, inline: bool
) -> None:
    ring = json.loads(file.read_text(encoding="utf-8"))
    ring["keys"] |= {"ended": {"account": "contoso", "name": "store locator", "expires": "2020-01-01T00:00:00Z"}}
    ring["keys"][digest("named")] = {"account": "contoso", "name": "CRM", "shadow": True, "data_sources": ["Co*"]}
    if inline:
        monkeypatch.delenv("PROXY_KEYRING_FILE")
        monkeypatch.setenv("PROXY_KEYRING", json.dumps(ring))
    else:
        file.write_text(json.dumps(ring), encoding="utf-8")
    assert main(["keys", "list"]) == 0
    clear, ended, named = capsys.readouterr().out.splitlines()
    assert clear == f"{digest('in-the-clear-key')[:19]}  contoso  query  in plain text"
    assert ended == (
        f"{digest('ended')[:19]}  store locator  contoso  master  expired 2020-01-01T00:00:00+00:00  in plain text"
    )
    assert named == f"{digest('named')[:19]}  CRM  contoso  master  Co*"


def test_a_key_has_a_name_that_no_other_has(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "add", "--account", "contoso", "--generate", "--name", "store locator"]) == 0
    (_, entry) = keys(file).values()
    assert entry == {"account": "contoso", "role": "master", "name": "store locator"}
    assert main(["keys", "add", "--account", "contoso", "--generate", "--name", "Store Locator"]) == 1
    assert re.fullmatch(
        r"key ring: key sha256:\w{12}: key sha256:\w{12} has the same name; nothing was changed\n",
        capsys.readouterr().err.splitlines(keepends=True)[-1],
    )


@pytest.mark.parametrize("account", ["contoso", "con-toso.1", "2é"])
def test_the_first_key_makes_the_ring_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], account: str
) -> None:
    path = tmp_path / "new.json"
    monkeypatch.delenv("PROXY_KEYRING", raising=False)
    monkeypatch.setenv("PROXY_KEYRING_FILE", str(path))
    assert main(["keys", "add", "--account", account, "--generate"]) == 0
    captured = capsys.readouterr()
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys(path) == {digest(captured.out.strip()): {"account": account, "role": "master"}}
    ring = parse_keyring(path.read_text(encoding="utf-8"))
    (entry,) = ring.accounts.values()
    assert isinstance(entry, ConnectionStringConfig)
    assert f"set {entry.variable} to the connection string" in captured.err
    assert main(["keys", "add", "--account", account, "--generate"]) == 0
    assert "is made with this account" not in capsys.readouterr().err
    assert len(keys(path)) == 2


def test_a_first_ring_that_cannot_be_is_one_line_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PROXY_KEYRING", raising=False)
    for path, account, told in (("a.json", "a/b", "account 'a/b': "), ("no/a.json", "a", "No such file or directory")):
        monkeypatch.setenv("PROXY_KEYRING_FILE", str(tmp_path / path))
        assert main(["keys", "add", "--account", account, "--generate"]) == 1
        error = capsys.readouterr().err
        assert (told in error, error.count("\n")) == (True, 1)
    assert main(["keys", "list"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_in_the_place_of_the_ring_is_one_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.unlink()
    os.mkfifo(file)
    assert main(["keys", "list"]) == 1
    assert capsys.readouterr().err == "PROXY_KEYRING_FILE: key ring: can't be read: it is no regular file\n"


def test_a_key_is_revoked_by_the_beginning_of_its_digest(file: Path) -> None:
    assert main(["keys", "revoke", digest("in-the-clear-key")[:19]]) == 0
    assert keys(file) == {}


@pytest.mark.parametrize(
    ("arguments", "text", "told"),
    [
        (["add", "--account", "nobody"], "k\n", "there is no account 'nobody'"),
        (["add", "--account", "contoso"], "\n", "no key on standard input"),
        (["add", "--account", "contoso"], "in-the-clear-key\n", "has this key already"),
        (["add", "--account", "contoso"], "\udcff\n", "no key on standard input"),
        (["add", "--account", "contoso", "--plaintext"], "sha256:00\n", "looks like a digest"),
        (["add", "--account", "contoso", "--expires", "soon"], "k\n", "--expires: 'soon' is no time"),
        (["add", "--account", "contoso", "--expires", "2030-01-01"], "k\n", "'2030-01-01' has no time zone"),
        (
            ["add", "--account", "contoso", "--expires", "2020-01-01T00:00:00Z"],
            "k\n",
            "--expires: '2020-01-01T00:00:00Z' is in the past; it is 20",
        ),
        (["add", "--account", "contoso", "--name", "in-the-clear-key"], "k\n", "its name is a key of the ring"),
        (["add", "--account", "contoso", "--name", "two\nlines"], "k\n", "name: must be 1 to 64 printable"),
        (["add", "--account", "contoso", "--name", "x" * 65], "k\n", "name: must be 1 to 64 printable"),
        (["revoke", "ffffffffffff"], "", "0 keys have a digest that begins with it"),
        (["revoke", "fffff"], "", "DIGEST must be the first 6 to 64 hex digits"),
        (["revoke", "in-the-clear-key"], "", "DIGEST must be the first 6 to 64 hex digits"),
        (["revoke", ""], "", "DIGEST must be the first 6 to 64 hex digits"),
        (["revoke", "--name", "in-the-clear-key"], "", "0 keys have this name"),
        (["reinstate", digest("in-the-clear-key")], "", "is in force; a key ring file remembers no revocation"),
        (["prune"], "", "there is nothing to prune; a key ring file remembers no revocation"),
        (["import", "--from-ring"], "", "the key ring has no key_store"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    text: str,
    told: str,
) -> None:
    before = file.read_bytes()
    typed(monkeypatch, text)
    assert main(["keys", *arguments]) == 1
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert "in-the-clear-key" not in error
    assert file.read_bytes() == before


def test_a_broken_file_is_not_edited(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("{", encoding="utf-8")
    assert main(["keys", "list"]) == 1
    assert main(["keys", "revoke", "00"]) == 1
    assert "key ring: not JSON" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == "{"


def test_a_ring_that_is_no_file_cannot_be_edited(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROXY_KEYRING", json.dumps(RING))
    monkeypatch.delenv("PROXY_KEYRING_FILE", raising=False)
    for command in (["revoke", "ab"], ["add", "--account", "contoso"]):  # before a key is asked for
        assert main(["keys", *command]) == 1
        assert capsys.readouterr().err == "PROXY_KEYRING_FILE must name the file to edit\n"


def test_on_a_terminal_the_key_is_not_shown(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[str] = []

    def typed_unseen(prompt: str, _: object) -> str:
        asked.append(prompt)
        return "typed-key"

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("proxy.cli.keys.key_input.getpass", typed_unseen)
    assert main(["keys", "add", "--account", "contoso"]) == 0
    assert asked == ["Key: "]  # by getpass, which does not show what is typed
    assert "typed-key" not in capsys.readouterr().err
    assert digest("typed-key") in keys(file)


def test_a_disk_that_fails_leaves_the_old_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: int) -> NoReturn:
        raise OSError(28, "No space left on device")

    before = file.read_bytes()
    monkeypatch.setattr("os.fsync", fail)
    assert main(["keys", "add", "--account", "contoso", "--generate"]) == 1
    assert capsys.readouterr() == ("", f"{file}: No space left on device; nothing was changed\n")
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["ring.json"]


def test_a_file_of_another_group_is_not_opened_to_the_editors(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise PermissionError

    file.chmod(0o640)
    monkeypatch.setattr("os.fchown", refuse)
    assert main(["keys", "add", "--account", "contoso", "--generate"]) == 0
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_key_may_be_marked_for_the_shadow(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "marked\n")
    assert main(["keys", "add", "--account", "contoso", "--shadow"]) == 0
    assert keys(file)[digest("marked")] == {"account": "contoso", "role": "master", "shadow": True}
