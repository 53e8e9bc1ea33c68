"""The state folder: what a killed run leaves, another run finds, and nobody else reads."""

import json
import stat
from pathlib import Path

import pytest

from proxy.migration.errors import MigrationStoppedError
from proxy.migration.state import OUTPUTS, SCHEMA, open_state, write_private

ORIGIN, ACCOUNT = "https://service.example", "contoso"


def test_what_is_saved_is_found_by_the_next_run(tmp_path: Path) -> None:
    with open_state(tmp_path / "state", ORIGIN, ACCOUNT) as state:
        copy = state.copy_of("Shops", staged=True)
        copy.begin("2026-01-02T03:04:05Z")
        copy.download_job, copy.version = "d1", "v1"
        state.jobs.add("j1")
        state.save()
    with open_state(tmp_path / "state", ORIGIN, ACCOUNT) as found:
        assert found.copy_of("SHOPS", staged=True) == copy
        assert found.copy_of("Shops", staged=False) != copy
        assert found.jobs == {"j1"}


def test_a_new_copy_forgets_all_but_what_is_here(tmp_path: Path) -> None:
    with open_state(tmp_path, ORIGIN, ACCOUNT) as state:
        copy = state.copy_of("Shops", staged=False)
        copy.digest, copy.load_job, copy.version, copy.bytes, copy.is_done = "d", "l", "v", 7, True
        copy.begin("later")
        assert (copy.updated, copy.version) == ("later", "v")
        assert not any((copy.digest, copy.load_job, copy.bytes, copy.is_done))


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    with open_state(folder, ORIGIN, ACCOUNT) as state:
        state.save()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_what_a_killed_run_left_half_written_is_removed(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / "state.json.new").write_text("{", encoding="ascii")
    (tmp_path / f"{OUTPUTS}1").mkdir()
    with open_state(tmp_path, ORIGIN, ACCOUNT):
        assert [file.name for file in tmp_path.iterdir()] == ["lock"]


def test_a_folder_that_holds_other_files_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "ring.new").touch()
    (tmp_path / f"{OUTPUTS}2026").mkdir()
    with pytest.raises(MigrationStoppedError, match="holds other files"), open_state(tmp_path, ORIGIN, ACCOUNT):
        pass
    assert {each.name for each in tmp_path.iterdir()} == {"ring.new", f"{OUTPUTS}2026"}
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    write_private(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_private(file, "new \ud800")
    assert file.read_text(encoding="utf-8") == "old"


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    with (
        open_state(tmp_path, ORIGIN, ACCOUNT),
        pytest.raises(MigrationStoppedError, match="another run uses"),
        open_state(tmp_path, ORIGIN, ACCOUNT),
    ):
        pass


@pytest.mark.parametrize(("origin", "account"), [("https://other.example", ACCOUNT), (ORIGIN, "fabrikam")])
def test_the_folder_of_another_migration_is_refused(tmp_path: Path, origin: str, account: str) -> None:
    with open_state(tmp_path, ORIGIN, ACCOUNT) as state:
        state.save()
    refused = "belongs to a migration from https://service.example to the account contoso"
    with pytest.raises(MigrationStoppedError, match=refused), open_state(tmp_path, origin, account):
        pass


def saved(**members: object) -> str:
    return json.dumps({"schema": SCHEMA, "from": ORIGIN, "account": ACCOUNT, "copies": {}, "jobs": []} | members)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "can't be read"),
        ("[]", "can't be read"),
        ("{}", "can't be read"),
        (saved(copies={"a": 1}), "can't be read"),
        (saved(copies={"a": {"bytes": "7"}}), "can't be read"),
        (saved(copies={"a": {"version": None}}), "can't be read"),
        ("[" * 100_000, "can't be read"),
        (saved(schema=SCHEMA + 1), "of another version of this program"),
    ],
)
def test_a_damaged_or_newer_state_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / "state.json").write_text(text, encoding="ascii")
    with pytest.raises(MigrationStoppedError, match=words), open_state(tmp_path, ORIGIN, ACCOUNT):
        pass
