"""What the log says of keys of a key store: names and reasons, and no key."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.credentials.connection_string import EMULATOR_KEY
from tests.support.fault_proxy import Mode
from tests.support.key_rows import KeyRows, digest_of
from tests.support.live import NO_TLS, wait_for
from tests.support.serve_command import Served, serving
from tests.support.storage import Storage

pytestmark = pytest.mark.slow

LIST = "Dataflows/ListJobs"

# Keys that look like ids, which a path in the log may hold.
KEYS = {name: uuid4().hex for name in ("good", "revoked", "expired", "odd", "elsewhere", "unknown")}


TOO_LATE = "nothing within"
"""What a look at the store ends with where the machine stalls; the next line of it would come in a minute."""


@pytest.fixture(scope="module")
def keys(account: Storage) -> Iterator[KeyRows]:
    """A key store with a key of each kind."""
    with KeyRows.open(account) as opened:
        opened.write(KEYS["good"], Name="store locator")
        opened.revoke(KEYS["revoked"], Name="old program")
        opened.write(KEYS["odd"], Role="owner")
        opened.write(KEYS["elsewhere"], Account="of another server")
        yield opened


def serve_and_ask(keys: KeyRows, folder: Path, **settings: Any) -> tuple[str, str]:
    """Asks with each key in each place, with and without the store; gives the log and all answers."""
    file, answers = folder / "ring.json", []
    file.write_text(keys.ring())

    def ask(server: Served) -> None:
        for key in KEYS.values():
            for path in (LIST, f"Dataflows/LoadDataSource/{key}", f"data/{key}/Shops"):
                parameters = {"key": key, "queryKey": key}
                answers.append(httpx.get(f"{server.url}/REST/v1/{path}", params=parameters, timeout=60, verify=NO_TLS))

    with serving(keys.storage, keyring_file=file, storage_timeout=20, **keys.reading, **settings) as server:
        ask(server)
        keys.hop.mode = Mode.REFUSE
        wait_for(lambda: server.get(LIST, KEYS["unknown"]).status_code == 503)
        ask(server)
    keys.hop.mode = Mode.WELL
    return server.log(), "".join(f"{each.headers}{each.text}" for each in answers)


def lines_of(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines()]


@pytest.fixture(scope="module")
def debugged(keys: KeyRows, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The log with all its lines, and the answers."""
    return serve_and_ask(keys, tmp_path_factory.mktemp("ring"), log_level="debug", log_format="json")


def assert_no_key(texts: str) -> None:
    assert [secret for secret in [*KEYS.values(), EMULATOR_KEY] if secret in texts] == []
    assert [name for name, key in KEYS.items() if digest_of(key) in texts] == []


def test_no_key_is_in_the_log_or_in_an_answer(debugged: tuple[str, str]) -> None:
    assert_no_key("".join(debugged))


def test_no_key_is_in_a_log_of_text(keys: KeyRows, tmp_path: Path) -> None:
    assert_no_key("".join(serve_and_ask(keys, tmp_path, log_level="info", log_format="text")))


def test_the_log_says_what_a_caller_must_not_learn(debugged: tuple[str, str]) -> None:
    log, answers = debugged
    lines = lines_of(log)
    revoked = [line for line in lines if line.get("error") == "REVOKED_KEY"]
    assert {(line["status"], line["key"]) for line in revoked} == {(401, "old program")}
    assert "revoked" not in answers.lower()
    assert "old program" not in answers
    messages = [line["message"] for line in lines]
    for name, reason in (("odd", "Role"), ("elsewhere", "account")):
        (message,) = {each for each in messages if digest_of(KEYS[name])[:12] in each}
        assert reason in message
    away = [each for each in messages if "can't be read" in each and each.startswith("key store")]
    assert away
    assert all("unreachable" in each or TOO_LATE in each for each in away)
    unchecked = [line for line in lines if "a key can't be checked" in line["message"]]
    assert 0 < len(unchecked) < sum(line.get("error") == "KEY_STORE_UNAVAILABLE" for line in lines)
    assert unchecked[0]["hint"]


def test_a_store_that_cannot_be_read_is_logged_once_a_minute(keys: KeyRows, tmp_path: Path) -> None:
    keys.hop.mode = Mode.FORBID
    file = tmp_path / "ring.json"
    file.write_text(keys.ring())
    looks = keys.hop.reads_of("changes")
    with serving(keys.storage, keyring_file=file, **keys.reading) as server:
        wait_for(lambda: keys.hop.reads_of("changes") > looks + 2)
        time.sleep(0.2)
    keys.hop.mode = Mode.WELL
    (line,) = [line for line in lines_of(server.log()) if "can't be read" in line["message"]]
    assert "refused" in line["message"] or TOO_LATE in line["message"]
