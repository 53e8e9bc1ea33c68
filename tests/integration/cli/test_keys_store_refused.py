"""What storage refuses: one line without --wait; with it, the command goes on as soon as storage lets it."""

import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from proxy.cli.keys import running
from tests.integration.cli.conftest import Run
from tests.support.fault_proxy import Hop, Mode
from tests.support.key_table_rows import KeyTableRows, digest_of
from tests.support.storage import Storage

KEY = "AbCd-secret"


@pytest.fixture
def hop(rows: KeyTableRows, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hop]:
    """The way to the key store, which refuses everything."""
    rows.make()
    with Hop.before(storage) as opened:
        store = {"connection_string": opened.connection_string}
        monkeypatch.setenv("PROXY_KEYRING", rows.ring("contoso", key_store=store))
        opened.mode = Mode.FORBID
        yield opened


@pytest.mark.parametrize(
    "command", [["list"], ["export"], ["add", "--account", "contoso"], ["revoke", "abcdef"], ["prune"]]
)
def test_an_account_key_that_is_refused_is_one_line(
    rows: KeyTableRows, hop: Hop, keys: Run, command: list[str]
) -> None:
    outcome = keys(*command, typed=KEY)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert outcome.err.startswith("key store: refused: HTTP 403, AuthorizationFailure: the table " + rows.name)
    assert "can't be used with this credential; correct the key ring's key_store" in outcome.err
    assert hop.asked


def test_a_store_that_cannot_be_opened_is_one_line(
    rows: KeyTableRows, keys: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {"connection_string_env": "NOT_SET_BY_ANY_TEST"}
    monkeypatch.setenv("PROXY_KEYRING", rows.ring("contoso", key_store=named))
    outcome = keys("list")
    text = "key store: credential: the environment variable NOT_SET_BY_ANY_TEST is not set"
    assert (outcome.status, outcome.err) == (1, f"{text}; correct the key ring's key_store\n")


@pytest.mark.parametrize("methods", ["GET", "POST", "GET POST"])
def test_wait_repeats_and_says_so_once(
    rows: KeyTableRows, hop: Hop, keys: Run, monkeypatch: pytest.MonkeyPatch, methods: str
) -> None:
    monkeypatch.setattr(running, "RETRY_SECONDS", 0.01)
    hop.methods, hop.times = methods, 3
    outcome = keys("add", "--account", "contoso", "--name", "CRM", "--wait", typed=KEY)
    assert outcome.status == 0
    first, last = outcome.err.splitlines()
    assert first.endswith("; waiting up to 30 minutes")
    assert last == f"sha256:{digest_of(KEY)[:12]} added to account contoso"
    assert rows.named("crm") == digest_of(KEY)


def test_an_export_that_had_to_wait_is_one_object(
    rows: KeyTableRows, hop: Hop, keys: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "RETRY_SECONDS", 0.01)
    hop.times = 2
    rows.write(KEY)
    outcome = keys("export", "--wait")
    assert (outcome.status, list(json.loads(outcome.out)["keys"])) == (0, [f"sha256:{digest_of(KEY)}"])


def test_wait_ends_after_its_time(rows: KeyTableRows, hop: Hop, keys: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "RETRY_SECONDS", 0.01)
    clock = iter((0.0, 1.0, 1799.0, 1800.0))  # its start, and the end of each of three attempts
    monkeypatch.setattr(running, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    outcome = keys("list", "--wait")
    assert outcome.status == 1
    assert len(outcome.err.splitlines()) == 2
    assert next(clock, None) is None
    assert (rows.sequence, len(hop.asked) >= 3) == (0, True)
