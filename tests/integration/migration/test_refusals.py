"""What can't begin says so in one line, and leaves nothing behind."""

import json
from collections.abc import Callable
from io import BytesIO

import pytest

from proxy.migration.state import open_state
from tests.integration.conformance.endpoints import Answer, scripted
from tests.support.migrate_command import MigrateCommand
from tests.support.migration_service import Service
from tests.support.stub_servers import closed_port

# Becomes the address of a port where nothing listens.
CLOSED = "http://closed"

REFUSALS: list[tuple[Callable[[Service], str], str, str]] = [
    (lambda service: service.server.url, "wrong-key", "refuses the key: give a master key of the account"),
    (lambda _: CLOSED, "master-key", "the connection is refused; check the network"),
    (lambda service: service.server.url.replace("http:", "https:"), "master-key", "TLS failed"),
]


@pytest.mark.parametrize(("url", "key", "words"), REFUSALS, ids=["key", "network", "tls"])
def test_a_service_that_cannot_be_asked_is_one_line(
    filled: Service, migrate: MigrateCommand, url: Callable[[Service], str], key: str, words: str
) -> None:
    with closed_port() as port:
        outcome = migrate(url(filled).replace(CLOSED, f"http://127.0.0.1:{port}"), key=key)
    assert outcome.status == 1
    assert words in outcome.err
    assert outcome.err.endswith("Stopped: nothing done; the same command goes on there\n")
    assert outcome.err.count("\n") == 1
    assert migrate.sources() == {}


ARGUMENTS = [
    (["--account", "nobody"], "--account: the key ring has no account 'nobody'"),
    (["--query-keys", "absent.csv"], "--query-keys: absent.csv: No such file or directory"),
    (["--connect-to", "a b"], "--connect-to"),
    (["--from", "http://service.example"], "--from: must be https"),
]


@pytest.mark.parametrize(("arguments", "words"), ARGUMENTS, ids=lambda value: str(value[0])[:12])
def test_wrong_arguments_are_named(migrate: MigrateCommand, arguments: list[str], words: str) -> None:
    outcome = migrate("https://service.example", *arguments)
    assert outcome.status == 1
    assert words in outcome.err
    assert not migrate.state.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "is not UTF-8"),
        (b"data_source,key\nShops," + b"k" * 200_000, "field larger than field limit (131072)"),
        (b"data_source,key\nShops\n", "line 2 must be the name of a data source, a comma, and its query key"),
    ],
    ids=["bytes", "size", "line"],
)
def test_a_file_of_query_keys_that_is_none_is_named(migrate: MigrateCommand, content: bytes, words: str) -> None:
    file = migrate.folder / "keys.csv"
    file.write_bytes(content)
    outcome = migrate("https://service.example", "--query-keys", str(file))
    assert (outcome.status, outcome.err) == (1, f"--query-keys: {file}: {words}\n")


def test_a_state_folder_in_use_or_impossible_is_named(filled: Service, migrate: MigrateCommand) -> None:
    with open_state(migrate.state, "x", "y"):
        assert "another run uses" in migrate(filled).err
    file = migrate.folder / "file"
    file.touch()
    outcome = migrate(filled, "--state", str(file / "state"))
    assert (outcome.status, outcome.err) == (1, f"{file / 'state'}: Not a directory\n")


@pytest.mark.parametrize("reason", ["Bad\x1b[2J\x9b1A", "Bad\u2028Request"])
def test_the_services_words_cannot_steer_a_terminal(migrate: MigrateCommand, reason: str) -> None:
    body = json.dumps({"errorDetails": [reason]}).encode()
    with scripted(lambda _: Answer(body, 400, (("Content-Type", "application/json"),))) as (url, _requests):
        outcome = migrate(url)
    assert outcome.status == 1
    assert outcome.err.rstrip("\n").isprintable()
    assert "Bad" in outcome.err


def test_a_key_that_is_no_text_is_named(migrate: MigrateCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.migrate_command.io.BytesIO", lambda _: BytesIO(b"\xffkey\n"))
    assert migrate("https://service.example").err == "--key: must be UTF-8\n"


def test_no_key_is_no_run(migrate: MigrateCommand) -> None:
    assert migrate("https://service.example", key="\t").err == "--key: there is no key on standard input\n"
